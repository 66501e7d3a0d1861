from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE, PROJECT, UPLOAD, summary
from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.scheduling.worker_failures import WorkerKey
from tui_uploader.engine.status.snapshot import (
    Motion,
    Way,
    counts_of,
    fault_of,
    file_item,
    notice_of,
    overall_link,
    upload_status,
    volume_of,
    waiting_reason,
)
from tui_uploader.errors import JournalUnwritable, SignInRefused, UnforeseenFailure
from tui_uploader.model import Counts, FileStage, FileStatus, Link, LinkState, ProcessingState, UploadState, Volume

OPEN = Way(signed_in=True, link=Link(LinkState.UP), problem=None, account="id@cloud")
DEAD = replace(OPEN, link=Link(LinkState.DOWN, since=0.0, next_try=None, reason="x"))
REFUSED = replace(OPEN, problem=SignInRefused("The secret is wrong."))

EVERY_STAGE = summary((UploadState.ACTIVE, {stage: number for number, stage in enumerate(FileStage, start=1)}))


def test_counts_follow_the_stages() -> None:
    assert counts_of(EVERY_STAGE, 1) == Counts(uploaded=5, uploading=3 + 4, waiting=1 + 2, duplicate=6, failed=7)


def test_volume_leaves_out_duplicates_and_removed_files_and_never_exceeds_the_whole() -> None:
    whole = (1 + 2 + 3 + 4 + 5 + 7) * 100
    assert volume_of(EVERY_STAGE, 1, 50) == Volume(total=whole, sent=950, stored=900, registered=500)
    assert volume_of(EVERY_STAGE, 1, 10**9).sent == whole


@pytest.mark.parametrize(
    ("row", "upload", "way", "rest", "expected"),
    [
        (FILE, UPLOAD, OPEN, None, "queued"),
        (FILE, replace(UPLOAD, state=UploadState.PAUSED), OPEN, None, "paused"),
        (FILE, replace(UPLOAD, state=UploadState.CANCELLED), OPEN, None, "cancelled"),
        (replace(FILE, stage=FileStage.FOUND), UPLOAD, DEAD, None, "to be checked"),
        (FILE, UPLOAD, DEAD, None, "link down"),
        (FILE, UPLOAD, REFUSED, None, "signing in"),
        (FILE, UPLOAD, replace(OPEN, signed_in=False), None, "signing in"),
        (FILE, UPLOAD, OPEN, (12.4, "The cloud is busy."), "again in 12 s: The cloud is busy."),
        (replace(FILE, stage=FileStage.SENDING), UPLOAD, DEAD, None, None),
        (replace(FILE, stage=FileStage.STORED), UPLOAD, OPEN, None, "stored; being registered"),
        (replace(FILE, stage=FileStage.FAILED, reason="Truncated."), UPLOAD, OPEN, None, "Truncated."),
        (replace(FILE, stage=FileStage.REGISTERED), UPLOAD, OPEN, None, None),
    ],
)
def test_every_waiting_file_names_its_reason(
    row: FileRecord, upload: UploadRecord, way: Way, rest: tuple[float, str] | None, expected: str | None
) -> None:
    assert waiting_reason(row, upload, way, rest) == expected


def test_the_time_of_the_next_try_is_told() -> None:
    way = replace(OPEN, link=Link(LinkState.DOWN, since=0.0, next_try=1e9))
    reason = waiting_reason(FILE, UPLOAD, way, None)
    assert reason is not None
    assert reason.startswith("link down, next try ")


def test_notices_in_order_of_weight() -> None:
    noted = replace(UPLOAD, notice_kind="TooManyImages", notice="Too many.", state=UploadState.PAUSED)
    fault = JournalUnwritable("The disk is full.")
    assert [
        notice.message if (notice := notice_of(upload, way, trouble)) else None
        for upload, way, trouble in (
            (noted, REFUSED, fault),
            (noted, REFUSED, None),
            (noted, OPEN, None),
            (UPLOAD, OPEN, None),
            (replace(UPLOAD, state=UploadState.COMPLETE), REFUSED, None),
        )
    ] == ["The disk is full.", "The secret is wrong.", "Too many.", None, None]


@pytest.mark.parametrize(
    ("state", "unscanned", "failed", "moving", "needs_person"),
    [
        (UploadState.PREPARING, 1, 1, True, False),
        (UploadState.PREPARING, 1, 1, False, True),
        (UploadState.PREPARING, 2, 1, False, False),
        (UploadState.PAUSED, 2, 1, True, True),
        (UploadState.CANCELLED, 1, 1, False, None),
    ],
)
def test_a_card_that_is_away_needs_a_person_once_all_the_rest_is_through(
    state: UploadState, unscanned: int, failed: int, moving: bool, needs_person: bool | None
) -> None:
    upload = replace(
        UPLOAD, state=state, unscanned=unscanned, failed_walks=failed, walk_error="SourceVanished", walk_reason="Away."
    )
    notice = notice_of(upload, OPEN, None, moving=moving)
    assert (notice and notice.needs_person) is needs_person
    assert notice is None or notice.message == "Away."
    both = notice_of(replace(upload, state=UploadState.ACTIVE, unscanned=2, failed_walks=2), OPEN, None)
    assert both is not None and both.message == "Away. The same holds for 1 other path of this upload."


@pytest.mark.parametrize(
    ("name", "state", "auto_process", "processing", "concerned"),
    [
        ("register", UploadState.ACTIVE, True, ProcessingState.NOT_STARTED, True),
        ("register", UploadState.COMPLETE, True, ProcessingState.NOT_STARTED, False),
        ("register", UploadState.CANCELLED, True, ProcessingState.NOT_STARTED, False),
        ("clean up", UploadState.ACTIVE, True, ProcessingState.NOT_STARTED, False),
        ("process", UploadState.ACTIVE, True, ProcessingState.NOT_STARTED, False),
        ("process", UploadState.COMPLETE, True, ProcessingState.NOT_STARTED, True),
        ("process", UploadState.COMPLETE, False, ProcessingState.NOT_STARTED, False),
        ("process", UploadState.COMPLETE, False, ProcessingState.PROCESSING, True),
        ("process", UploadState.COMPLETE, True, ProcessingState.DONE, False),
    ],
)
def test_the_failure_of_a_worker_is_told_with_the_uploads_that_it_holds_up(
    name: str, state: UploadState, auto_process: bool, processing: ProcessingState, concerned: bool
) -> None:
    fault = UnforeseenFailure("Again and again.")
    upload = replace(UPLOAD, state=state, auto_process=auto_process)
    project = replace(PROJECT, processing=processing)
    for of_project in (None, project.id):
        assert fault_of({WorkerKey(name, of_project): fault}, upload, project) is (fault if concerned else None)
    assert fault_of({WorkerKey(name, project.id + 1): fault}, upload, project) is None


def test_a_duplicate_names_its_original() -> None:
    row = replace(FILE, stage=FileStage.DUPLICATE, duplicate_of=9)
    item = file_item(row, None, {9: "/card/DJI_0009.JPG"}, {})
    assert (item.status, item.duplicate_of, item.reason) == (
        FileStatus.DUPLICATE,
        "/card/DJI_0009.JPG",
        "same content as DJI_0009.JPG",
    )


def test_sent_bytes_of_a_file_never_exceed_its_size() -> None:
    assert file_item(FILE, None, {}, {1: 10**9}).sent == FILE.size


def test_settled_means_that_only_a_person_can_move_it() -> None:
    def status(state: UploadState, stages: dict[FileStage, int]) -> bool:
        found = summary((state, stages))
        return upload_status(found, found.uploads[1], PROJECT, OPEN, Motion(), None).settled

    assert status(UploadState.ACTIVE, {FileStage.FAILED: 1, FileStage.REGISTERED: 1})
    assert not status(UploadState.ACTIVE, {FileStage.STORED: 1})
    assert not status(UploadState.PREPARING, {})
    assert status(UploadState.COMPLETE, {})


def test_one_dead_link_is_told_among_healthy_ones() -> None:
    assert overall_link([OPEN.link, DEAD.link]).state is LinkState.DOWN
    assert overall_link([]).state is LinkState.UNKNOWN

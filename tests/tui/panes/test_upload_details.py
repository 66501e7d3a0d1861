"""The lines about the upload under the cursor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.values import project, text_of, upload_status
from tests.values import verification
from tui_uploader.model.files import Hold
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, Notice, UploadStatus
from tui_uploader.model.verification import Verdict, VerificationStatus
from tui_uploader.tui.panes.upload_details import card_note, detail_lines, facts_line, hold_up_note, next_step

NOW = datetime(2026, 11, 29, 14, 22).timestamp()
MANY = Counts(uploaded=3, uploading=2, waiting=5)
FEW = Counts(uploaded=3, uploading=1)
TOO_FEW = Processing(reason="4 images: processing needs at least 6.")


@pytest.mark.parametrize(
    ("upload", "where", "shown"),
    [
        (upload_status(counts=MANY), None, None),
        (
            upload_status(counts=Counts(uploaded=9, failed=1)),
            None,
            "1 failed file holds up processing. r retry, x remove, f show it, P process without it",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=12, waiting=3)),
            project(),
            "12 failed files hold up processing. r retry, x remove, f show them, P process without them",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=2), auto_process=False),
            None,
            "2 failed files. r retry, x remove, f show them, P process without them",
        ),
        (upload_status(counts=FEW), None, "4 images: processing needs at least 6; u adds more"),
        (upload_status(counts=FEW), project(images=40), None),
        (
            upload_status(counts=Counts(uploaded=4)),
            project(images=4),
            "4 images: processing needs at least 6; u adds more",
        ),
        (upload_status(counts=FEW), project(kind=ProjectKind.RESULTS), None),
        (
            upload_status(counts=Counts(uploaded=9, failed=1)),
            project(kind=ProjectKind.RESULTS),
            "1 failed file. r retry, x remove, f show it",
        ),
        (upload_status(counts=FEW, auto_process=False), None, None),
        (upload_status(counts=FEW, state=UploadState.PREPARING), None, None),
        (upload_status(counts=FEW, state=UploadState.PAUSED), None, None),
        (replace(upload_status(counts=FEW), watch=1), None, None),
        (
            upload_status(counts=FEW, state=UploadState.COMPLETE, processing=TOO_FEW),
            None,
            "Not processed: 4 images: processing needs at least 6.",
        ),
        (upload_status(counts=FEW, processing=Processing(ProcessingState.DONE)), None, None),
    ],
)
def test_a_blocked_upload_says_how_to_unblock_it(
    upload: UploadStatus, where: Project | None, shown: str | None
) -> None:
    assert hold_up_note(upload, where) == shown


@pytest.mark.parametrize(
    ("upload", "where", "shown"),
    [
        (upload_status(), None, "Processing: automatic, when all is uploaded (a: manual)"),
        (upload_status(auto_process=False), None, "Processing: manual (P starts it, a: automatic)"),
        (upload_status(), project(kind=ProjectKind.RESULTS), "Results are not processed"),
        (
            upload_status(state=UploadState.PREPARING, counts=MANY),
            project(kind=ProjectKind.RESULTS),
            "Reading folders, 10 files found so far.  Results are not processed",
        ),
        (upload_status(state=UploadState.PAUSED), None, "Paused. p resumes"),
        (upload_status(state=UploadState.CANCELLED), None, "Cancelled. p resumes, d dismisses"),
    ],
)
def test_what_happens_next(upload: UploadStatus, where: Project | None, shown: str) -> None:
    assert next_step(upload, where, NOW) == shown


def test_the_state_of_processing_stands_where_it_began() -> None:
    failed = upload_status(processing=Processing(ProcessingState.FAILED, reason="No overlap."))
    assert "failed" in next_step(failed, None, NOW) and "No overlap." in next_step(failed, None, NOW)


def test_a_notice_comes_first_and_never_hides_the_numbers() -> None:
    upload = upload_status(notice=Notice("NotSignedIn", "Not\nsigned in. " * 9, True), volume=ByteCounts(10, 5, 5, 5))
    first, second, last = detail_lines(upload, None, 40, NOW)
    assert text_of(first).startswith("! Not\\x0asigned in.") and first[0].style == "error"
    assert all(cell_len(text_of(line)) <= 40 for line in (first, second))
    assert "10 B" in text_of(last)


def test_what_the_banner_says_is_not_repeated() -> None:
    upload = replace(upload_status(notice=Notice("SendingPaused", "Paused by the limit.", False)), hold=Hold.LIMIT)
    assert "Paused by the limit." not in text_of(detail_lines(upload, None, 78, NOW)[0])


def test_facts_are_dropped_whole_where_they_do_not_fit() -> None:
    started = datetime(2026, 11, 29, 14, 16).timestamp()
    upload = replace(
        upload_status(volume=ByteCounts(78_200_000, 2_600_000, 2_400_000, 1_600_000), skipped=2, rate=1.0e5),
        added_at=started,
        eta=EtaRange(360, 1380),
    )
    parts = facts_line(upload, 200, NOW).split("   ")
    assert "78.2 MB" in parts[0] and "2 " in parts[1]
    assert parts[2:] == ["started 14:16", "6-23 min left"]
    narrow = facts_line(upload, 60, NOW)
    assert narrow.startswith(parts[0]) and cell_len(narrow) <= 60


def test_the_receipt_is_named_where_there_is_space() -> None:
    complete = replace(upload_status(state=UploadState.COMPLETE), receipt="/home/me/\x1b[2Jreceipts/7.json")
    assert "receipt /home/me/\\x1b[2Jreceipts/7.json" in facts_line(complete, 160, NOW)
    assert "receipt" not in facts_line(complete, 60, NOW)


@pytest.mark.parametrize(
    ("changes", "verifications", "note"),
    [
        ({}, (), "K checks whether the card may be wiped"),
        ({}, (verification(uploads={1: 9}, ended_at=NOW),), "Verified 14:22: /media/card is safe to wipe (K)"),
        (
            {},
            (verification(uploads={1: 9}, ended_at=NOW, verdict=Verdict.NOT_SAFE),),
            "Verified 14:22: /media/card is NOT safe to wipe (K)",
        ),
        ({}, (verification(uploads={1: 8}),), "K checks whether the card may be wiped"),
        ({"state": UploadState.ACTIVE, "ended_at": None}, (), ""),
        ({"state": UploadState.CANCELLED}, (), ""),
        ({"kind": ProjectKind.RESULTS}, (), ""),
        ({"counts": Counts(duplicate=3)}, (), ""),
    ],
)
def test_whether_the_card_may_be_wiped(
    changes: dict[str, Any], verifications: tuple[VerificationStatus, ...], note: str
) -> None:
    done = replace(upload_status(counts=Counts(uploaded=9), state=UploadState.COMPLETE), ended_at=900.0)
    upload = replace(done, **changes)
    assert card_note(upload, verifications, NOW) == note
    shown = " ".join(text_of(line) for line in detail_lines(upload, None, 200, NOW, verifications))
    assert note in shown

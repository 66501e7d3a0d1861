"""Counts, bytes and files as front ends show them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE, PROJECT, summary
from tui_uploader.engine.journal.views.windows import ImageFacts
from tui_uploader.engine.status.file_holds import FileHold
from tui_uploader.engine.status.snapshot import (
    UploadProgress,
    byte_counts_of,
    counts_of,
    file_item,
    seen_from,
    upload_status,
    worst_link,
)
from tui_uploader.model.engine import Link, LinkState
from tui_uploader.model.states import FileStage, FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts

STILL = FileHold(None, None)
EVERY_STAGE = summary((UploadState.ACTIVE, {stage: number for number, stage in enumerate(FileStage, start=1)}))


def test_counts_follow_the_stages() -> None:
    assert counts_of(EVERY_STAGE, 1) == Counts(uploaded=5, uploading=3 + 4, waiting=1 + 2, duplicate=6, failed=7)


def test_volume_leaves_out_duplicates_and_removed_files_and_never_exceeds_the_whole() -> None:
    whole = (1 + 2 + 3 + 4 + 5 + 7) * 100
    assert byte_counts_of(EVERY_STAGE, 1, 50) == ByteCounts(total=whole, sent=950, stored=900, registered=500)
    assert byte_counts_of(EVERY_STAGE, 1, 10**9).sent == whole


def test_a_duplicate_names_its_original() -> None:
    row = replace(FILE, stage=FileStage.DUPLICATE, duplicate_of=9)
    item = file_item(row, ImageFacts(), STILL, {9: "/card/DJI_0009.JPG"}, {})
    assert (item.status, item.duplicate_of, item.reason) == (
        FileStatus.DUPLICATE,
        "/card/DJI_0009.JPG",
        "copy of DJI_0009.JPG",
    )


@pytest.mark.parametrize(
    ("path", "other", "expected"),
    [
        ("/card/3/100MEDIA/DJI_0003.JPG", "/card/2/100MEDIA/DJI_0003.JPG", "2/100MEDIA/DJI_0003.JPG"),
        ("/card/100MEDIA/DJI_0004.JPG", "/card/100MEDIA/DJI_0003.JPG", "DJI_0003.JPG"),
        ("/card/100/a.JPG", "/card/1000/a.JPG", "1000/a.JPG"),
        ("/card/a.JPG", "/disk/a.JPG", "disk/a.JPG"),
        ("/card/a.JPG", "/card/a.JPG", "a.JPG"),
    ],
)
def test_a_copy_is_named_from_where_the_file_is(path: str, other: str, expected: str) -> None:
    assert seen_from(path, other) == expected


def test_sent_bytes_of_a_file_never_exceed_its_size() -> None:
    assert file_item(FILE, ImageFacts(), STILL, {}, {1: 10**9}).sent == FILE.size


def test_an_upload_is_settled_when_only_a_person_can_move_it() -> None:
    def status(state: UploadState, stages: dict[FileStage, int]) -> bool:
        found = summary((state, stages))
        return upload_status(found, found.uploads[1], PROJECT, UploadProgress(), None).settled

    assert status(UploadState.ACTIVE, {FileStage.FAILED: 1, FileStage.REGISTERED: 1})
    assert not status(UploadState.ACTIVE, {FileStage.STORED: 1})
    assert not status(UploadState.PREPARING, {})
    assert status(UploadState.COMPLETE, {})


def test_one_link_that_is_down_is_shown_before_those_that_are_up() -> None:
    assert worst_link([Link(LinkState.UP), Link(LinkState.DOWN), Link()]).state is LinkState.DOWN
    assert worst_link([]).state is LinkState.UNKNOWN

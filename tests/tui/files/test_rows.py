"""Rows of the files pane: folds, and the words about a file's state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date

import pytest
from msgspec.structs import replace

from tests.tui.values import file_item, text_of
from tui_uploader.model.files import FileItem, FileWindow, FoldedFiles, Hold
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.files.folders import FolderNames
from tui_uploader.tui.files.rows import (
    FileRate,
    Fold,
    StateWords,
    file_rates,
    fold_spans,
    row_key,
    rows_of,
    state_spans,
)
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE

LOOK = StateWords(ASCII, FolderNames(), date(2026, 11, 29))
ON_THE_DAY, BEFORE = 1795960800.0, 1795878540.0
"""2026-11-29 14:00 and 2026-11-28 15:09, UTC."""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def held(status: FileStatus, hold: Hold, reason: str | None = None) -> FileItem:
    return replace(file_item(status=status, reason=reason), hold=hold)


def uploaded(at: float, object: str = "DJI_0001.JPG") -> FileItem:
    return replace(file_item(status=FileStatus.UPLOADED, object=object), uploaded_at=at)


@pytest.mark.parametrize(
    ("item", "rate", "shown"),
    [
        (file_item(status=FileStatus.UPLOADING, sent=2_000_000), 1e6, "----....  50 % 1.00 MB/s"),
        (file_item(status=FileStatus.UPLOADING), 0.0, "........   0 %"),
        (held(FileStatus.UPLOADING, Hold.REGISTERING), 0, "Stored, adding to the project"),
        (
            file_item(status=FileStatus.UPLOADING, reason="stored, not registered: 4,000"),
            0,
            "stored, not registered: 4,000",
        ),
        (file_item(status=FileStatus.UPLOADED, object="DJI_0001.JPG"), 0, "uploaded"),
        (file_item(status=FileStatus.UPLOADED, object="DJI_0001-1f3a9c.JPG"), 0, "uploaded  as DJI_0001-1f3a9c.JPG"),
        (uploaded(ON_THE_DAY), 0, "14:00"),
        (uploaded(BEFORE, "DJI_0001-1f3a9c.JPG"), 0, "28 Nov 15:09  as DJI_0001-1f3a9c.JPG"),
        (file_item(reason="link down, next try 14:20:01"), 0, "link down, next try 14:20:01"),
        (file_item(), 0, "waiting"),
        (held(FileStatus.WAITING, Hold.CHECKING), 0, "waiting"),
        (held(FileStatus.WAITING, Hold.QUEUED), 0, "next"),
        (held(FileStatus.WAITING, Hold.OFFLINE, "link down, next try 14:20:01"), 0, "offline"),
        (held(FileStatus.WAITING, Hold.PAUSED), 0, "paused"),
        (held(FileStatus.WAITING, Hold.SIGNED_OUT, "not signed in"), 0, "signed out"),
        (held(FileStatus.WAITING, Hold.MEDIUM, "its card does not respond"), 0, "its card does not respond"),
        (held(FileStatus.WAITING, Hold.RETRY), 0, "to be retried"),
        (file_item(status=FileStatus.DUPLICATE, duplicate_of="/card/DJI_0001.JPG"), 0, "uploaded before"),
        (file_item(status=FileStatus.DUPLICATE, duplicate_of="/x/a.JPG", reason="same"), 0, "copy of x/a.JPG"),
        (file_item(status=FileStatus.FAILED, reason="DJI_0001.JPG is cut off: gone."), 0, "cut off: gone."),
        (file_item(status=FileStatus.FAILED, reason="no\x1b[2J"), 0, "no\\x1b[2J"),
    ],
)
def test_the_state_of_a_file_in_words(item: FileItem, rate: float, shown: str) -> None:
    assert text_of(state_spans(item, rate, LOOK)) == shown


def test_what_another_column_says_is_not_said_twice() -> None:
    look = replace(LOOK, uploaded_elsewhere=True, renamed_elsewhere=True)
    assert text_of(state_spans(uploaded(BEFORE, "DJI_0001-1f3a9c.JPG"), 0, look)) == "uploaded"


def test_the_rate_of_a_file_is_smoothed() -> None:
    moving = [file_item(1, status=FileStatus.UPLOADING, sent=1_000_000), file_item(2)]
    first = file_rates({}, moving, 10.0)
    assert first == {1: FileRate(1_000_000, 10.0, 0.0)}
    later = [file_item(1, status=FileStatus.UPLOADING, sent=3_000_000)]
    assert file_rates(first, later, 12.0) == {1: FileRate(3_000_000, 12.0, 1_000_000.0)}
    assert file_rates(first, later, 10.0) == first
    started_over = [file_item(1, status=FileStatus.UPLOADING, sent=10)]
    assert file_rates(first, started_over, 12.0) == {1: FileRate(10, 12.0, 0.0)}


def test_folds_are_rows_between_the_files_that_they_separate() -> None:
    files = tuple(file_item(number) for number in (11, 12, 20))
    folds = (FoldedFiles(12, FileStatus.WAITING, 5), FoldedFiles(14, FileStatus.WAITING, 200))
    rows = rows_of(FileWindow(900, 10, files, folds))
    assert [row_key(row) for row in rows] == [11, 12, (FileStatus.WAITING, 0), 20, (FileStatus.WAITING, 1)]


@pytest.mark.parametrize(
    ("fold", "shown"),
    [
        (Fold(FileStatus.WAITING, 4232), "∙ 4,232 more waiting"),
        (Fold(FileStatus.DUPLICATE, 4), "= 4 more duplicates (not sent)"),
        (Fold(FileStatus.UPLOADED, 210), "✓ 210 more uploaded"),
    ],
)
def test_a_fold_says_how_many_files_it_stands_for(fold: Fold, shown: str) -> None:
    assert text_of(fold_spans(fold, UNICODE)) == shown

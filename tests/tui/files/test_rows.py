"""Rows of the files pane."""

from __future__ import annotations

import pytest

from tests.tui.values import file_item, text_of
from tui_uploader.model.files import FileItem, SortKey
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.files.rows import (
    FileRate,
    clicked_sort,
    count_words,
    file_rates,
    next_sort,
    next_status,
    state_spans,
)
from tui_uploader.tui.lines.glyphs import ASCII


@pytest.mark.parametrize(
    ("item", "rate", "shown"),
    [
        (file_item(status=FileStatus.UPLOADING, sent=2_000_000), 1e6, "----....  50 % 1.00 MB/s"),
        (file_item(status=FileStatus.UPLOADING), 0.0, "........   0 %"),
        (file_item(status=FileStatus.UPLOADING, reason="stored; being registered"), 0, "stored; being registered"),
        (file_item(status=FileStatus.UPLOADED, object="DJI_0001.JPG"), 0, "uploaded"),
        (file_item(status=FileStatus.UPLOADED, object="DJI_0001-1f3a9c.JPG"), 0, "uploaded as DJI_0001-1f3a9c.JPG"),
        (file_item(reason="link down, next try 14:20:01"), 0, "link down, next try 14:20:01"),
        (file_item(), 0, "waiting"),
        (file_item(status=FileStatus.DUPLICATE, duplicate_of="/card/DJI_0001.JPG"), 0, "uploaded before"),
        (
            file_item(status=FileStatus.DUPLICATE, duplicate_of="/x/a.JPG", reason="same content as a.JPG"),
            0,
            "same content as a.JPG",
        ),
        (file_item(status=FileStatus.FAILED, reason="DJI_0001.JPG is cut off: gone."), 0, "cut off: gone."),
        (file_item(status=FileStatus.FAILED, reason="no\x1b[2J"), 0, "no\\x1b[2J"),
    ],
)
def test_the_state_of_a_file_in_words(item: FileItem, rate: float, shown: str) -> None:
    assert text_of(state_spans(item, rate, ASCII)) == shown


def test_the_rate_of_a_file_is_smoothed() -> None:
    moving = [file_item(1, status=FileStatus.UPLOADING, sent=1_000_000), file_item(2)]
    first = file_rates({}, moving, 10.0)
    assert first == {1: FileRate(1_000_000, 10.0, 0.0)}
    later = [file_item(1, status=FileStatus.UPLOADING, sent=3_000_000)]
    assert file_rates(first, later, 12.0) == {1: FileRate(3_000_000, 12.0, 1_000_000.0)}
    assert file_rates(first, later, 10.0) == first
    started_over = [file_item(1, status=FileStatus.UPLOADING, sent=10)]
    assert file_rates(first, started_over, 12.0) == {1: FileRate(10, 12.0, 0.0)}


def test_keys_cycle_through_every_status_and_order() -> None:
    status: FileStatus | None = None
    seen = set()
    for _ in range(len(FileStatus) + 1):
        status = next_status(status)
        seen.add(status)
    assert status is None and seen == {None, *FileStatus}
    order: tuple[SortKey, bool] = ("added", False)
    orders = []
    for _ in range(7):
        order = next_sort(*order)
        orders.append(order)
    assert order == ("added", False) and len(set(orders)) == 7


def test_a_click_on_a_title_sorts_and_the_next_reverses() -> None:
    assert clicked_sort("size", "added", False) == ("size", False)
    assert clicked_sort("size", "size", False) == ("size", True)
    assert clicked_sort("size", "size", True) == ("size", False)


def test_a_filtered_count_names_the_total() -> None:
    assert count_words(37, Counts(uploaded=12_480), True) == "37 of 12,480"
    assert count_words(12_480, Counts(uploaded=12_480), False) == "12,480"

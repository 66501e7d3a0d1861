"""Orders and statuses that keys go through."""

from __future__ import annotations

import pytest

from tui_uploader.model.files import SortKey
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.files.orders import ORDERS, clicked_sort, next_status, pressed_order


def test_a_key_goes_through_every_status_with_failed_first() -> None:
    status: FileStatus | None = None
    seen = []
    for _ in range(len(FileStatus) + 1):
        status = next_status(status)
        seen.append(status)
    assert seen[0] is FileStatus.FAILED and status is None and set(seen) == {None, *FileStatus}


def test_every_order_has_a_letter_of_its_own() -> None:
    assert "".join(order.letter for order in ORDERS) == "anftzuo"
    assert {pressed_order(order.letter, "added", True) for order in ORDERS} >= {("name", False), ("added", False)}


@pytest.mark.parametrize(
    ("letter", "sort", "descending", "chosen"),
    [
        ("n", "activity", False, ("name", False)),
        ("N", "activity", False, ("name", True)),
        ("n", "name", False, ("name", True)),
        ("n", "name", True, ("name", False)),
        ("N", "name", True, ("name", True)),
        ("t", "name", True, ("taken", False)),
        ("a", "name", True, ("activity", False)),
        ("a", "activity", False, ("activity", False)),
        ("A", "name", False, ("activity", False)),
        ("y", "name", False, None),
        ("", "name", False, None),
    ],
)
def test_a_letter_chooses_an_order(
    letter: str, sort: SortKey, descending: bool, chosen: tuple[SortKey, bool] | None
) -> None:
    assert pressed_order(letter, sort, descending) == chosen


def test_a_click_on_a_title_sorts_and_the_next_reverses() -> None:
    assert clicked_sort("size", "added", False) == ("size", False)
    assert clicked_sort("size", "size", False) == ("size", True)
    assert clicked_sort("size", "size", True) == ("size", False)
    assert clicked_sort("activity", "activity", False) == ("activity", False)

"""The orders of files, and the filters that one key goes through. Pure."""

from __future__ import annotations

import msgspec

from tui_uploader.model.files import SortKey
from tui_uploader.model.states import FileStatus


class Order(msgspec.Struct, frozen=True):
    """An order of files, as the menu offers it."""

    letter: str
    sort: SortKey
    word: str
    """As in "by name"."""
    meaning: str


ORDERS = (
    Order("a", "activity", "activity", "failed, moving, next, waiting, duplicates, uploaded"),
    Order("n", "name", "name", "by name"),
    Order("f", "folder", "folder", "by folder, then name"),
    Order("t", "taken", "taken", "by the time when it was taken"),
    Order("z", "size", "size", "by size"),
    Order("u", "uploaded", "uploaded", "by the time when it was uploaded"),
    Order("o", "added", "order added", "in the order in which files were found"),
)
DEFAULT: SortKey = "activity"


def order_of(sort: SortKey) -> Order:
    """`status`, the order of the command line, is shown like `activity`."""
    return next((order for order in ORDERS if order.sort == sort), ORDERS[0])


def pressed_order(letter: str, sort: SortKey, descending: bool) -> tuple[SortKey, bool] | None:
    """The order for a letter of the menu: the capital, or the letter of the present order, reverses it.

    None: no order has this letter.
    """
    order = next((each for each in ORDERS if each.letter == letter.lower()), None)
    if order is None:
        return None
    if order.sort == DEFAULT:
        return DEFAULT, False  # problems stay on top
    return order.sort, letter.isupper() or (order.sort == sort and not descending)


def clicked_sort(clicked: str, sort: SortKey, descending: bool) -> tuple[SortKey, bool]:
    """A click sorts by the column, a second one reverses the order."""
    order = next(order for order in ORDERS if order.sort == clicked)
    return order.sort, order.sort != DEFAULT and clicked == sort and not descending


def next_status(status: FileStatus | None) -> FileStatus | None:
    """None stands for all; problems come first, because they are looked for most."""
    cycle = (
        None,
        FileStatus.FAILED,
        FileStatus.DUPLICATE,
        FileStatus.UPLOADING,
        FileStatus.WAITING,
        FileStatus.UPLOADED,
    )
    return cycle[(cycle.index(status) + 1) % len(cycle)]

"""The part of a long list that is kept in memory. Pure: positions and keys, no drawing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

R = TypeVar("R")


class RowWindow(Generic[R]):
    """The rows from `offset` on, out of `total` rows."""

    def __init__(self, key: Callable[[R], Hashable]) -> None:
        self.key = key
        self.total = 0
        self.offset = 0
        self.rows: tuple[R, ...] = ()

    def put(self, offset: int, rows: Sequence[R], total: int) -> None:
        self.offset, self.rows, self.total = offset, tuple(rows), max(total, offset + len(rows) if rows else total)

    def row(self, index: int) -> R | None:
        """The row at `index`; None if it is not in the window."""
        position = index - self.offset
        return self.rows[position] if 0 <= position < len(self.rows) else None

    def index_of(self, key: Hashable) -> int | None:
        """The index of the row with this key; None if it is not in the window."""
        return next((index for index, row in enumerate(self.rows, self.offset) if self.key(row) == key), None)

    def serves(self, seen: range, margin: int) -> bool:
        """Whether the window covers the rows in `seen` and `margin` more on both sides, as far as there are more."""
        if not seen:
            return True
        first, end = max(0, seen.start - margin), min(self.total, seen.stop + margin)
        return self.offset <= first and end <= self.offset + len(self.rows)

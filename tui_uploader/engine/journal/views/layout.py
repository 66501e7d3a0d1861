"""Rows of a window on many files: which files are shown, and which are folded into one row. Pure.

Files are counted from 0 in the order of the query (their rank), rows from 0 as the front end shows them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tui_uploader.model.files import FoldedFiles
from tui_uploader.model.states import FileStatus

FOLDABLE = frozenset({FileStatus.WAITING, FileStatus.DUPLICATE, FileStatus.UPLOADED})


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive files of one status; None: of several, and never folded."""

    status: FileStatus | None
    files: int


@dataclass(frozen=True, slots=True)
class Ranks:
    """Consecutive files that are shown."""

    first: int
    files: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of a window."""

    total: int
    """All rows of the query, in the window or not."""
    shown: tuple[Ranks, ...]
    """The files of the window, in order."""
    folds: tuple[FoldedFiles, ...]
    """The folds of the window."""
    anchor: int | None
    """Row of the anchor, in the window or not."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """Consecutive files that are all shown, or all folded into one row."""

    first: int
    files: int
    folded: FileStatus | None = None

    @property
    def rows(self) -> int:
        return self.files if self.folded is None else 1


def layout(
    groups: Sequence[Group],
    offset: int,
    limit: int,
    fold: int = 0,
    unfolded: Collection[FileStatus] = (),
    anchor: int | None = None,
) -> Layout:
    """Lay out the rows `offset` to `offset + limit`.

    `fold`: as in `FileQuery`; 0: nothing is folded. `unfolded`: statuses that are not folded. `anchor`: the rank of a
    file that is always shown.
    """
    shown: list[Ranks] = []
    folds: list[FoldedFiles] = []
    row, anchor_row = 0, None
    for segment in _segments(groups, fold, unfolded, anchor):
        if anchor is not None and segment.folded is None and 0 <= anchor - segment.first < segment.files:
            anchor_row = row + anchor - segment.first
        begin, end = max(row, offset), min(row + segment.rows, offset + limit)
        if begin < end and segment.folded is None:
            shown.append(Ranks(segment.first + begin - row, end - begin))
        elif begin < end and segment.folded is not None:
            folds.append(FoldedFiles(row, segment.folded, segment.files))
        row += segment.rows
    return Layout(row, tuple(shown), tuple(folds), anchor_row)


def _segments(
    groups: Sequence[Group], fold: int, unfolded: Collection[FileStatus], anchor: int | None
) -> Iterator[_Segment]:
    first = 0
    for group in _joined(groups):
        if fold and group.status in FOLDABLE and group.status not in unfolded and group.files > fold + 1:
            yield _Segment(first, fold)
            yield from _folded(group.status, first + fold, first + group.files, anchor)
        else:
            yield _Segment(first, group.files)
        first += group.files


def _joined(groups: Sequence[Group]) -> Iterator[Group]:
    """Neighbours of the same status as one group: the next files to be sent, and the other ones that wait."""
    last: Group | None = None
    for group in groups:
        if last is not None and last.status is not None and last.status is group.status:
            last = Group(last.status, last.files + group.files)
            continue
        if last is not None:
            yield last
        last = group
    if last is not None:
        yield last


def _folded(status: FileStatus, first: int, end: int, anchor: int | None) -> Iterator[_Segment]:
    """The files from `first` to before `end` in at most three segments: the anchor is shown between two folds."""
    if anchor is None or not first <= anchor < end:
        yield _fold(status, first, end)
        return
    yield _fold(status, first, anchor)
    yield _Segment(anchor, 1)
    yield _fold(status, anchor + 1, end)


def _fold(status: FileStatus, first: int, end: int) -> _Segment:
    """A fold of one file would take as much space as the file."""
    return _Segment(first, end - first, status if end - first > 1 else None)

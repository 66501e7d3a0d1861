"""Ranges of files, which may reach far beyond the rows in memory: their ends, for the engine to resolve. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from tui_uploader.model.files import FileItem, FileQuery, IdRun
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.files.rows import FileRow


class Edge(msgspec.Struct, frozen=True):
    """Where a range begins or ends."""

    file: int | None
    """None: with the first or the last file of all."""
    included: bool = True


class RangeStart(msgspec.Struct, frozen=True):
    """The row on which a range was started; the other end is the row under the cursor."""

    index: int
    as_first: Edge
    as_last: Edge
    status: FileStatus | None = None
    """Of the file on that row. In another status it stands elsewhere in the list, and the range would be another."""


Row = Callable[[int], FileRow | None]
"""The row at an index; None if there is none, or it is not in memory."""


def range_start(index: int, row: Row) -> RangeStart:
    here = row(index)
    status = here.status if isinstance(here, FileItem) else None
    return RangeStart(index, first_edge(index, row), last_edge(index, row), status)


def first_edge(index: int, row: Row) -> Edge:
    """A fold has no file of its own: the range begins after the file before it."""
    here, before = row(index), row(index - 1)
    if isinstance(here, FileItem):
        return Edge(here.id)
    return Edge(before.id if isinstance(before, FileItem) else None, included=False)


def last_edge(index: int, row: Row) -> Edge:
    here, after = row(index), row(index + 1)
    if isinstance(here, FileItem):
        return Edge(here.id)
    return Edge(after.id if isinstance(after, FileItem) else None, included=False)


def range_between(start: RangeStart, cursor: int, row: Row) -> tuple[Edge, Edge]:
    """The first and the last edge of the range from `start` to the row under the cursor."""
    if cursor < start.index:
        return first_edge(cursor, row), start.as_last
    return start.as_first, last_edge(cursor, row)


def range_query(query: FileQuery, first: Edge, last: Edge) -> FileQuery:
    return replace(query, first=first.file, last=last.file, fold=0)


def files_in(runs: tuple[IdRun, ...], *edges: Edge) -> set[int]:
    """The ids in `runs`, without those of edges that do not belong to the range."""
    every = {number for first, last in runs for number in range(first, last + 1)}
    return every - {edge.file for edge in edges if not edge.included}

"""From one file of a list to another, while the list changes: steps, its ends, and the next problem.

Each step costs a few requests for one row, however long the list is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from tui_uploader.model.files import FileItem, FileProperty, FileQuery, FileWindow, IdRun
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.engine.session import EngineSession

_PROBLEMS = (FileStatus.FAILED, FileStatus.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Place:
    """A file and where it is in its list."""

    item: FileItem
    index: int | None
    """Counted from 0; None: the list does not contain it any more."""
    total: int
    problem: tuple[int, int] | None = None
    """Which problem of how many, counted from 1, where it was reached as one."""
    gone: bool = False
    """It is in no list any more: it was removed."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Where to go: the newest wish counts, but steps add up."""

    files: int = 0
    edge: int | None = None
    """0: the first; -1: the last."""
    problems: int = 0

    def __bool__(self) -> bool:
        return bool(self.files or self.problems or self.edge is not None)


class FileSteps:
    """The list that `query` gives of the files of an upload; its folds and its window do not matter."""

    def __init__(self, session: EngineSession, upload: int, query: FileQuery) -> None:
        self._session = session
        self._upload = upload
        self._query = replace(query, fold=0, unfolded="", anchor=None, offset=0, limit=1)

    async def again(self, place: Place) -> Place:
        """The same file as it is now. Raises UploaderError."""
        index, total = await self._index_of(place.item.id, self._query, place.index)
        if index is not None:
            row = await self._row(self._query, index)
            if row.files and row.files[0].id == place.item.id:
                return Place(row.files[0], index, row.total, place.problem)
        everything = FileQuery(limit=1, whole_project=self._query.whole_project)
        elsewhere, _ = await self._index_of(place.item.id, everything, None)
        if elsewhere is not None:
            row = await self._row(everything, elsewhere)
            if row.files and row.files[0].id == place.item.id:
                return Place(row.files[0], None, total)
        return Place(place.item, None, total, gone=True)

    async def moved(self, place: Place, steps: Steps) -> Place:
        """The file that many steps away; the same one at the end of the list. Raises UploaderError."""
        if steps.problems:
            return await self._problem(place, steps.problems)
        index, total = await self._index_of(place.item.id, self._query, place.index)
        if steps.edge is not None:
            target = 0 if steps.edge == 0 else total - 1
        elif index is None:  # the next file took its place
            target = (place.index or 0) + steps.files - (1 if steps.files > 0 else 0)
        else:
            target = index + steps.files
        target = max(0, min(target, total - 1))
        row = await self._row(self._query, target)
        return Place(row.files[0], target, row.total) if row.files else Place(place.item, place.index, row.total)

    async def _problem(self, place: Place, steps: int) -> Place:
        """Forward or back among the problems of the list, around its ends; without any, among all files."""
        runs = merged([run for query in problem_queries(self._query) for run in await self._runs(query)])
        found = stepped(runs, place.item.id, steps)
        if found is None:
            return await self.moved(place, Steps(files=steps))
        index, _ = await self._index_of(found, self._query, None)
        if index is None:
            return await self.moved(place, Steps(files=steps))
        row = await self._row(self._query, index)
        if not row.files:
            return place
        return Place(row.files[0], index, row.total, (rank(runs, found), length(runs)))

    async def _runs(self, query: FileQuery) -> tuple[IdRun, ...]:
        return await self._session.ask(lambda engine: engine.file_runs(self._upload, query))

    async def _row(self, query: FileQuery, index: int) -> FileWindow:
        wanted = replace(query, offset=index)
        return await self._session.ask(lambda engine: engine.files(self._upload, wanted))

    async def _index_of(self, file: int, query: FileQuery, otherwise: int | None) -> tuple[int | None, int]:
        """The row of a file, and the number of rows."""
        wanted = replace(query, anchor=file)
        window = await self._session.ask(lambda engine: engine.files(self._upload, wanted))
        return window.anchor, window.total


def problem_queries(query: FileQuery) -> Iterator[FileQuery]:
    """The problems among the files of `query`: failed ones, duplicates, and images without a position."""
    for status in _PROBLEMS:
        if query.status in (None, status) and query.except_status is not status:
            yield replace(query, status=status)
    without = FileProperty.NO_GPS
    if query.property in (None, without) and query.except_property is not without:
        yield replace(query, property=without)


# ------------------------------------------------------------------------------------------------- runs of ids


def merged(runs: Iterable[IdRun]) -> list[IdRun]:
    """The ids in any of `runs`, in as few runs as possible, ascending."""
    joined: list[IdRun] = []
    for first, last in sorted(runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def length(runs: Iterable[IdRun]) -> int:
    return sum(last - first + 1 for first, last in runs)


def rank(runs: Iterable[IdRun], number: int) -> int:
    """How many ids are at most `number`."""
    return sum(min(last, number) - first + 1 for first, last in runs if first <= number)


def stepped(runs: list[IdRun], number: int, steps: int) -> int | None:
    """The id that many steps after `number` (before it, if negative), around the ends; None without any ids."""
    total = length(runs)
    if not total:
        return None
    before = rank(runs, number)
    within = any(first <= number <= last for first, last in runs)
    start = before - 1 if within or steps > 0 else before
    wanted = (start + steps) % total
    for first, last in runs:
        if wanted <= last - first:
            return first + wanted
        wanted -= last - first + 1
    return None

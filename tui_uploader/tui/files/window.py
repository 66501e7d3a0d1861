"""Keeps the rows around the view in memory: asks the engine for a window whenever something may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from msgspec.structs import replace

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, FileQuery, FileWindow
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.files.rows import FileRow
from tui_uploader.tui.files.title import filtered
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.subject.scope import ShownFiles

_WIDEST_WINDOW = 2000
_FEWEST_SHOWN, _STEP = 3, 4
_USUAL_STREAMS = 4

AskWindow = Callable[[FileQuery], Awaitable[FileWindow]]


class WindowKeeper:
    """One request at a time, always for the newest wish, so that held keys cannot starve it."""

    def __init__(
        self, session: EngineSession, table: LineTable[FileRow], put: Callable[[FileWindow, int | None], None]
    ) -> None:
        """`put` shows a window, and puts the cursor on the row of the file with the given id, if any."""
        self.shown = ShownFiles()
        """Whose files: those of an upload, or of all uploads of a project."""
        self.query = FileQuery()
        """Filter and order."""
        self.counts: Counts | None = None
        """Files by status, where they are known."""
        self.unfolded: frozenset[FileStatus] = frozenset()
        self._session = session
        self._table = table
        self._put = put
        self._goal: int | None = None
        self._reloads = 0
        self._known: object = None
        """The wish that the rows fulfil."""
        self._all_fit = False
        """All files fit on the page: nothing needs to be folded."""
        self._wanted = asyncio.Event()

    def fetch(self) -> None:
        """Ask for the rows around the view soon."""
        self._wanted.set()

    def reload(self) -> None:
        """Ask for the rows again: a command has changed them."""
        self._reloads += 1
        self.fetch()

    @property
    def outdated(self) -> bool:
        """Whether the rows are no longer those that the user means, until the engine's answer."""
        return self.shown.upload is not None and (self._goal is not None or self._known != self._wish())

    def go_to(self, file: int) -> None:
        """Put the cursor on this file as soon as its place among the rows is known."""
        self._goal = file
        self.fetch()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            wish = self._wish()
            if self.shown.upload is None:
                continue
            goal = self._goal
            try:
                window = await self._window(self.shown, goal)
            except UploaderError:
                self._known, self._goal = wish, None
                continue  # the session reports an engine that is gone; the next status asks again
            if goal == self._goal:
                self._goal = None
            if wish == self._wish():
                self._put(window, goal if goal is not None and window.anchor is not None else None)
                self._known = wish

    def _wish(self) -> object:
        return self.shown, self.query, self.unfolded, self._reloads

    async def _window(self, shown: ShownFiles, goal: int | None) -> FileWindow:
        """The rows around the view, or around the place to which the row under the cursor has moved.

        Raises UploaderError.
        """
        table = self._table
        offset, limit = table.wanted()
        line = table.cursor - table.scroll_offset.y if goal is None else table.page // 2
        row = table.current if table.moved else None
        anchor = goal if goal is not None else row.id if isinstance(row, FileItem) else None
        fold = 0 if filtered(self.query) else fold_size(table.page, self.counts)
        query = replace(
            self.query,
            offset=offset,
            limit=min(limit, _WIDEST_WINDOW),
            whole_project=shown.whole_project,
            fold=0 if self._all_fit else fold,
            unfolded=",".join(sorted(self.unfolded)),
            anchor=anchor,
        )
        window = await self.ask(shown, query)
        all_fit = window.matching is not None and window.matching <= table.page
        if all_fit is not self._all_fit:
            self._all_fit = all_fit
            query = replace(query, fold=0 if all_fit else fold)
            window = await self.ask(shown, query)
        if window.anchor is None:
            return window
        first = max(0, window.anchor - line)
        rows = len(window.files) + len(window.folds)
        end = min(window.total, first + table.page)
        if offset <= first and end <= offset + rows:
            return window
        return await self.ask(shown, replace(query, offset=max(0, first - 2 * table.page)))

    async def ask(self, shown: ShownFiles, query: FileQuery) -> FileWindow:
        """Raises UploaderError."""
        upload = shown.upload
        if upload is None:
            return FileWindow(0, 0, ())
        return await self._session.ask(lambda engine: engine.files(upload, query))


def fold_size(page: int, counts: Counts | None) -> int:
    """How many files of each status are shown before a fold, so that all groups fit on a page of so many rows.

    In steps, so that folds stay in their place while a few files start or end.
    """
    if counts is None:
        return max(_FEWEST_SHOWN, page // 4)
    fixed = counts.failed + max(counts.uploading, _USUAL_STREAMS)
    foldable = (counts.waiting, counts.duplicate, counts.uploaded)
    sizes = range(page - page % _STEP, 0, -_STEP)
    fitting = (size for size in sizes if fixed + sum(min(files, size + 1) for files in foldable) <= page)
    return next(fitting, _FEWEST_SHOWN)


async def step(ask: AskWindow, lists: Iterable[FileQuery], current: int | None, files: int) -> FileItem | None:
    """The file that is `files` after `current` in these lists, one after the other, from the end to the beginning.

    The first (or last) one where `current` is in none of them; None where they are empty. Raises UploaderError.
    """
    found: list[tuple[FileQuery, int]] = []
    position: int | None = None
    for query in lists:
        window = await ask(replace(query, offset=0, limit=1, fold=0, anchor=current))
        if position is None and window.anchor is not None:
            position = sum(total for _, total in found) + window.anchor
        found.append((query, window.total))
    every = sum(total for _, total in found)
    if not every:
        return None
    index = (position + files if position is not None else 0 if files > 0 else -1) % every
    for query, total in found:
        if index < total:
            row = await ask(replace(query, offset=index, limit=1, fold=0))
            return row.files[0] if row.files else None
        index -= total
    return None


def problem_lists(query: FileQuery) -> Sequence[FileQuery]:
    """The failed files, then the duplicates."""
    return [replace(query, status=status) for status in (FileStatus.FAILED, FileStatus.DUPLICATE)]

"""Selection in the files pane: single files, all that are shown, ranges across folds and windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from tui_uploader.model.files import FileItem, IdRun
from tui_uploader.tui.files.list import FileList
from tui_uploader.tui.files.ranges import (
    Edge,
    RangeStart,
    files_in,
    first_edge,
    last_edge,
    range_between,
    range_query,
    range_start,
)
from tui_uploader.tui.lines.table import LineTable

_PATIENCE = 2.0
"""Seconds for which keys wait until the selection that they mean is known."""


class SelectableFiles(FileList):
    """Files with marks. The engine resolves what is not in memory, while keys that follow wait for its answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up", "extend(-1)", "range up", show=False),
        Binding("shift+down", "extend(1)", "range down", show=False),
    ]

    _range: RangeStart | None = None
    _sticky = False
    """The range follows every move of the cursor, until `V` ends it."""
    _before_range: frozenset[int] = frozenset()
    """What was selected when the range was started."""
    _unanswered: asyncio.Future[None] | None = None
    """The last request for the selection. Keys typed meanwhile are kept back; clicks on keys are not."""

    @property
    def in_range(self) -> bool:
        return self._range is not None

    async def settle(self) -> bool:
        """Wait until the selection is as the user means it; return False if the engine does not answer."""
        if self._range is not None:
            await self._select_range()
        if self._unanswered is not None:
            await asyncio.wait([self._unanswered], timeout=_PATIENCE)
        return self._unanswered is None or self._unanswered.done()

    async def action_mark(self) -> None:
        """Select the file, or all files of a fold; or deselect them."""
        row, here = self.table.current, self.table.cursor
        if isinstance(row, FileItem):
            self.table.toggle_mark()
            self.show_title()
            self.post_changed()
        elif row is not None:
            at = self.table.window.row
            await self._resolve(first_edge(here, at), last_edge(here, at), self._toggle)
            self.table.move_to(here + 1)

    async def action_mark_all(self) -> None:
        """Select every file that matches the filter, in view or not."""
        await self._resolve(Edge(None), Edge(None), lambda ids: self.select(self.table.marks | ids))

    async def action_mark_others(self) -> None:
        """Invert the selection among the files that match the filter."""
        await self._resolve(Edge(None), Edge(None), lambda ids: self.select(self.table.marks ^ ids))

    def _toggle(self, ids: set[int]) -> None:
        marks = self.table.marks
        self.select(marks - ids if ids <= marks else marks | ids)

    async def _resolve(self, first: Edge, last: Edge, then: Callable[[set[int]], None]) -> None:
        """Call `then` with the ids of these files; keys that follow mean the new selection, and are kept back."""
        shown, (upload, query) = self.shown, self.shown_query
        if upload is None:
            return
        wanted = range_query(query, first, last)

        def arrived(runs: tuple[IdRun, ...]) -> None:
            if (shown, query) == (self.shown, self.shown_query[1]):
                then(files_in(runs, first, last))

        worker = self.session.call("select", lambda engine: engine.file_runs(upload, wanted), arrived, hold_keys=True)
        self._unanswered = asyncio.ensure_future(_ended(worker))

    # ------------------------------------------------------------------------------------- ranges

    async def action_range(self) -> None:
        """Start a range at the cursor, which follows the cursor; or end it."""
        if self._range is not None:
            self.end_range()
            return
        await self._start_range(sticky=True)

    async def action_extend(self, rows: int) -> None:
        """Move the cursor and extend the range, which is started if there is none."""
        if self._range is None:
            await self._start_range(sticky=False)
        await self._extend_to(self.table.cursor + rows)

    @on(LineTable.ShiftClicked)
    async def _range_to_click(self, event: LineTable.ShiftClicked) -> None:
        event.stop()
        if self._range is None:
            await self._start_range(sticky=False)
        await self._extend_to(event.index)

    @on(LineTable.CursorMoved)
    async def _follow_range(self) -> None:
        if self._range is None:
            return
        if self._sticky:
            await self._select_range()
        else:
            self.end_range()

    async def _start_range(self, *, sticky: bool) -> None:
        if self.table.current is None:
            return
        self._range = range_start(self.table.cursor, self.table.window.row)
        self._before_range = frozenset(mark for mark in self.table.marks if isinstance(mark, int))
        self._sticky = self.ranging = sticky
        await self._select_range()

    async def _extend_to(self, index: int) -> None:
        self.table.go_to(index)
        self.post_highlighted()
        await self._select_range()

    async def _select_range(self) -> None:
        """Select the files from the start of the range to the cursor, folded or not, and those selected before."""
        start = self._range
        if start is None:
            return
        if start.as_first.included and (index := self.table.window.index_of(start.as_first.file)) is not None:
            began = self.table.window.row(index)
            if isinstance(began, FileItem) and began.status is not start.status and self._by_activity:
                self.end_range()
                return
            start = self._range = replace(start, index=index)
        here, row = self.table.cursor, self.table.window.row
        between = [row(index) for index in range(min(start.index, here), max(start.index, here) + 1)]
        if all(isinstance(each, FileItem) for each in between):
            self.select(self._before_range | {each.id for each in between if isinstance(each, FileItem)})
            return
        first, last = range_between(start, here, row)
        await self._resolve(first, last, lambda ids: self.select(self._before_range | ids))

    @property
    def _by_activity(self) -> bool:
        return self.windows.query.sort == "activity"

    def end_range(self) -> None:
        """Keep what is selected."""
        self._range, self.ranging = None, False
        self.show_title()


async def _ended(worker: Worker[None]) -> None:
    """Return when the worker has ended, also if it was cancelled because the user leaves the app."""
    with suppress(WorkerCancelled, WorkerFailed):
        await worker.wait()

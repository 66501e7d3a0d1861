"""The files of one upload: any number of them, of which only the ones in view are held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tui_uploader.errors import UploaderError
from tui_uploader.model import Counts, FileItem, FileQuery, FileWindow
from tui_uploader.tui.columns import Column, cell_text
from tui_uploader.tui.engine_link import EngineLink
from tui_uploader.tui.glyphs import Glyphs, Span
from tui_uploader.tui.keys import IN_FILES
from tui_uploader.tui.panes.file_rows import (
    COLUMNS,
    Pace,
    clicked_sort,
    count_words,
    file_cells,
    next_sort,
    next_status,
    paces,
)
from tui_uploader.tui.widgets.filter_input import FilterInput
from tui_uploader.tui.widgets.line_table import LineTable, LineView, Shape
from tui_uploader.tui.widgets.spans import SpanLine

_WIDEST_WINDOW = 2000


class FilesPane(Vertical):
    """Shows the files, filters and sorts them, and knows which ones the user means."""

    BINDINGS: ClassVar[list[BindingType]] = [*IN_FILES, Binding("escape", "show_all", "no filter", show=False)]

    @dataclass
    class Opened(Message):
        """The user wants to know more of a file."""

        item: FileItem

    def __init__(
        self, link: EngineLink, glyphs: Glyphs, *, clock: Callable[[], float] = time.monotonic, id: str | None = None
    ) -> None:
        super().__init__(id=id, classes="-active")  # it gets the focus at first
        self._link = link
        self._glyphs = glyphs
        self._clock = clock
        self._upload: int | None = None
        self._project_name = ""
        self._counts: Counts | None = None
        self._query = FileQuery()
        self._paces: dict[int, Pace] = {}
        self._wanted = asyncio.Event()
        shape: Shape[FileItem] = Shape(COLUMNS, key=lambda item: item.id, cells=self._cells)
        self.table = LineTable(shape, glyphs, id="files-table")
        self._title = SpanLine(glyphs, id="files-title", classes="pane-title")
        self._filter = FilterInput(id="files-filter")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._filter
        yield self.table

    def on_mount(self) -> None:
        self._show_title()
        self.run_worker(self._keep_window(), name="files window", group="files window", description="files window")

    # --------------------------------------------------------------------------------------------- what is shown

    def show(self, upload: int | None, project: str, counts: Counts | None, empty: Sequence[str]) -> None:
        """The files of this upload as they are now; without one, or without files, the lines of `empty`."""
        if upload != self._upload:
            self._upload = upload
            self._paces.clear()
            self.table.start_over()
        self._project_name, self._counts = project, counts
        lines = ["No file matches; Esc shows all again."] if self._filtered else empty
        self.table.show_empty([Span(line, "muted") for line in lines])
        self._wanted.set()
        self._show_title()

    @property
    def _filtered(self) -> bool:
        return bool(self._query.text or self._query.status)

    def _show_title(self) -> None:
        spans = [Span("2 Files", "strong"), Span(f"  {cell_text(self._project_name)}")]
        if self._upload is not None:
            spans.append(Span(f"  {count_words(self.table.window.total, self._counts, self._filtered)}"))
        if self._query.status:
            spans.append(Span(f"  {self._glyphs.statuses[self._query.status]} only {self._query.status}", "strong"))
        if self._query.sort == "added" and self._query.descending:
            spans.append(Span("  newest first"))
        if marks := len(self.table.marks):
            spans.append(Span(f"  {marks:,} selected", "strong"))
        self._title.show(spans)

    def _cells(self, item: FileItem, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        pace = self._paces.get(item.id)
        return file_cells(item, columns, pace.rate if pace else 0.0, self._glyphs)

    # ------------------------------------------------------------------------------------------------ the window

    async def _keep_window(self) -> None:
        """Fetch the window whenever it is wanted: one at a time, so that held keys cannot starve it."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            asked_for = upload, _ = self._upload, self._query
            query = self._window_query()
            if upload is None:
                continue
            try:
                window = await self._link.ask(lambda engine: engine.files(upload, query))  # noqa: B023 - awaited here
            except UploaderError:
                continue  # the engine link tells of an engine that is gone; the next state asks again
            if asked_for == (self._upload, self._query):
                self._put(window)

    def _window_query(self) -> FileQuery:
        offset, limit = self.table.wanted()
        return replace(self._query, offset=offset, limit=min(limit, _WIDEST_WINDOW))

    def _put(self, window: FileWindow) -> None:
        self._paces = paces(self._paces, window.files, self._clock())
        self.table.put(window.offset, window.files, window.total)
        self._show_title()

    @on(LineView.WindowWanted)
    def _want_window(self, event: LineView.WindowWanted) -> None:
        event.stop()
        self._wanted.set()

    def _ask_anew(self, query: FileQuery) -> None:
        if query != self._query:
            marks = set(self.table.marks)
            self._query = query
            self.table.start_over()
            self.table.marks |= marks
            self.table.show_sorted("" if query.sort == "added" else query.sort, query.descending)
            self._wanted.set()
            self._show_title()

    # ------------------------------------------------------------------------------------- what the user does

    def meant(self) -> tuple[int, ...]:
        """The selected files by id; without a selection the one that the cursor is on."""
        if self.table.marks:
            return tuple(sorted(mark for mark in self.table.marks if isinstance(mark, int)))
        return (self.table.current.id,) if self.table.current else ()

    def clear_selection(self) -> None:
        self.table.marks.clear()
        self.table.refresh()
        self._show_title()

    def action_filter(self) -> None:
        self._filter.open()

    def action_show_all(self) -> None:
        """Without filters; the selection stays."""
        self._filter.drop()
        self._ask_anew(replace(self._query, status=None, text=""))

    def action_next_status(self) -> None:
        self._ask_anew(replace(self._query, status=next_status(self._query.status)))

    def action_next_sort(self) -> None:
        sort, descending = next_sort(self._query.sort, self._query.descending)
        self._ask_anew(replace(self._query, sort=sort, descending=descending))

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self._show_title()

    @on(LineTable.HeaderClicked)
    def _sort_by_column(self, event: LineTable.HeaderClicked) -> None:
        event.stop()
        sort, descending = clicked_sort(event.sort, self._query.sort, self._query.descending)
        self._ask_anew(replace(self._query, sort=sort, descending=descending))

    @on(LineTable.Opened)
    def _open(self, event: LineTable.Opened) -> None:
        event.stop()
        if self.table.current is not None:
            self.post_message(self.Opened(self.table.current))

    @on(Input.Changed)
    def _filter_by_text(self, event: Input.Changed) -> None:
        event.stop()
        self._ask_anew(replace(self._query, text=event.value))

    @on(FilterInput.Left)
    def _leave_filter(self, event: FilterInput.Left) -> None:
        event.stop()
        self.table.focus()

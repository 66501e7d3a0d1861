"""The files of one upload: any number of them, of which only the ones in view are held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_uploader.errors import UploaderError
from tui_uploader.model import Counts, FileItem, FileQuery, FileStatus, FileWindow, IdRun
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.keys import IN_FILES
from tui_uploader.tui.lines.columns import Column, cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.panes.file_filter import understood
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
from tui_uploader.tui.panes.pane import Pane

_WIDEST_WINDOW = 2000
_FILTER_HINT = "part of the name, or :failed :waiting …; ! in front: all others"


class FilesPane(Pane[FileItem]):
    """Shows the files, filters and sorts them, and knows which ones the user means."""

    BINDINGS: ClassVar[list[BindingType]] = [*IN_FILES, Binding("escape", "show_all", "no filter", show=False)]

    def __init__(self, session: EngineSession, glyphs: Glyphs, *, clock: Callable[[], float] = time.monotonic) -> None:
        # It gets the focus at first.
        super().__init__(COLUMNS, glyphs, id="files", filter_hint=_FILTER_HINT, classes="-active")
        self._session = session
        self._clock = clock
        self._upload: int | None = None
        self._project_name = ""
        self._counts: Counts | None = None
        self._empty: tuple[str, ...] = ()
        """What to say where the upload has no files."""
        self._query = FileQuery()
        self._cycled: FileStatus | None = None
        """The one status that `f` shows."""
        self._paces: dict[int, Pace] = {}
        self._wanted = asyncio.Event()

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
        self._empty = tuple(empty)
        self._show_empty()
        self._wanted.set()
        self._show_title()

    def _show_empty(self) -> None:
        lines = ("No file matches; Esc shows all again.",) if self._filtered else self._empty
        self.table.show_empty([Span(line, "muted") for line in lines])

    @property
    def _filtered(self) -> bool:
        return bool(self._query.text or self._query.status or self._query.except_status)

    def _show_title(self) -> None:
        query, shapes = self._query, self.glyphs.statuses
        spans = [Span("2 Files", "strong"), Span(f"  {cell_text(self._project_name)}")]
        if self._upload is not None:
            spans.append(Span(f"  {count_words(self.table.window.total, self._counts, self._filtered)}"))
        if query.status:
            spans.append(Span(f"  {shapes[query.status]} only {query.status}", "strong"))
        if query.except_status:
            spans.append(Span(f"  {shapes[query.except_status]} all but {query.except_status}", "strong"))
        if query.sort == "added" and query.descending:
            spans.append(Span("  newest first"))
        if marks := len(self.table.marks):
            spans.append(Span(f"  {self.glyphs.mark} {marks:,} selected", "strong"))
        self.title_line.show(spans)

    def key(self, row: FileItem) -> Hashable:
        return row.id

    def cells(self, row: FileItem, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        pace = self._paces.get(row.id)
        return file_cells(row, columns, pace.rate if pace else 0.0, self.glyphs)

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
                window = await self._session.ask(lambda engine: engine.files(upload, query))  # noqa: B023 - awaited here
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

    def rows_wanted(self) -> None:
        self._wanted.set()

    def _ask_anew(self, query: FileQuery) -> None:
        if query != self._query:
            marks = set(self.table.marks)
            self._query = query
            self._show_empty()
            self.table.start_over()
            self.table.marks |= marks
            self.table.show_sorted("" if query.sort == "added" else query.sort, query.descending)
            self._wanted.set()
            self._show_title()

    # ------------------------------------------------------------------------------------- which files are meant

    @property
    def listing(self) -> tuple[int | None, FileQuery]:
        """The upload, and which of its files are listed in which order."""
        return self._upload, self._query

    def meant(self) -> tuple[int, ...]:
        """The selected files by id; without a selection the one that the cursor is on."""
        if self.table.marks:
            return tuple(sorted(mark for mark in self.table.marks if isinstance(mark, int)))
        return (self.table.current.id,) if self.table.current else ()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self._show_title()

    def action_mark_all(self) -> None:
        """Every file that the filter shows, in view or not."""
        self._ask_for_all(lambda shown: self.select(self.table.marks | shown))

    def action_mark_others(self) -> None:
        """Of the files that the filter shows, those that are not selected."""
        self._ask_for_all(lambda shown: self.select(self.table.marks ^ shown))

    def _ask_for_all(self, then: Callable[[set[int]], None]) -> None:
        upload, query = self._upload, self._query
        if upload is None:
            return

        def arrived(runs: tuple[IdRun, ...]) -> None:
            if upload == self._upload:
                then(set(chain.from_iterable(range(first, last + 1) for first, last in runs)))

        self._session.call("select", lambda engine: engine.file_runs(upload, query), arrived)

    def select(self, marks: Iterable[Hashable] = ()) -> None:
        """These files by id, and no others."""
        self.table.marks = set(marks)
        self.table.refresh()
        self._show_title()

    # ------------------------------------------------------------------------------------- what is looked at

    def action_show_all(self) -> None:
        """Without filters; where there is none, without the selection."""
        if not self._filtered:
            self.select()
        self.drop_filter()
        self._cycled = None
        self._ask_anew(replace(self._query, status=None, except_status=None, text=""))

    def action_next_status(self) -> None:
        self._cycled = next_status(self._query.status)
        text = understood(self.filter.value).text if self.filter else ""
        if self.filter and text != self.filter.value:
            self.filter.value = text
        self._ask_anew(replace(self._query, status=self._cycled, except_status=None, text=text))

    def action_next_sort(self) -> None:
        sort, descending = next_sort(self._query.sort, self._query.descending)
        self._ask_anew(replace(self._query, sort=sort, descending=descending))

    @on(LineTable.HeaderClicked)
    def _sort_by_column(self, event: LineTable.HeaderClicked) -> None:
        event.stop()
        sort, descending = clicked_sort(event.sort, self._query.sort, self._query.descending)
        self._ask_anew(replace(self._query, sort=sort, descending=descending))

    @on(Input.Changed)
    def _filter_by_text(self, event: Input.Changed) -> None:
        event.stop()
        typed = understood(event.value)
        status = typed.status or self._cycled
        self._ask_anew(replace(self._query, status=status, except_status=typed.except_status, text=typed.text))

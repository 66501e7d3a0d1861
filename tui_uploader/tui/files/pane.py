"""The files pane: the files of one upload, of which only those around the view are held in memory."""

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
from tui_uploader.model.files import FileItem, FileQuery, FileWindow, IdRun
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.files.filter import parse_filter
from tui_uploader.tui.files.rows import (
    COLUMNS,
    FileRate,
    clicked_sort,
    count_words,
    file_cells,
    file_rates,
    next_sort,
    next_status,
)
from tui_uploader.tui.keys import IN_FILES
from tui_uploader.tui.lines.columns import Column, cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.subject.scope import ShownFiles

_WIDEST_WINDOW = 2000
_FILTER_HINT = "part of the name, or :failed :waiting …; ! in front: all that do not match"


class FilesPane(Pane[FileItem]):
    """Shows, filters and sorts the files, and keeps the selection."""

    BINDINGS: ClassVar[list[BindingType]] = [*IN_FILES, Binding("escape", "show_all", "no filter", show=False)]

    def __init__(self, session: EngineSession, glyphs: Glyphs, *, clock: Callable[[], float] = time.monotonic) -> None:
        # "-active": this pane has the focus at first.
        super().__init__(COLUMNS, glyphs, id="files", filter_hint=_FILTER_HINT, classes="-active")
        self._session = session
        self._clock = clock
        self.shown = ShownFiles()
        self._project_name = ""
        self._counts: Counts | None = None
        self._empty: tuple[str, ...] = ()
        """Lines shown when there are no files."""
        self._query = FileQuery()
        self._cycled: FileStatus | None = None
        """The status chosen with `f`; None: all."""
        self._rates: dict[int, FileRate] = {}
        self._fetch_wanted = asyncio.Event()

    def on_mount(self) -> None:
        self._show_title()
        self.run_worker(self._keep_window(), name="files window", group="files window", description="files window")

    # --------------------------------------------------------------------------------------------- content

    def show(self, shown: ShownFiles, project: str, counts: Counts | None, empty: Sequence[str]) -> None:
        """Show these files; without an upload or without files, the lines of `empty`."""
        before, self.shown = self.shown, shown
        self._query = replace(self._query, whole_project=shown.whole_project)
        if not shown.continues(before):
            self._rates.clear()
            self.table.start_over()
        self._project_name, self._counts = project, counts
        self._empty = tuple(empty)
        self._show_empty()
        self._fetch_wanted.set()
        self._show_title()

    def _show_empty(self) -> None:
        lines = ("No file matches the filter; Esc shows all.",) if self._filtered else self._empty
        self.table.show_empty([Span(line, "muted") for line in lines])

    @property
    def _filtered(self) -> bool:
        return bool(self._query.text or self._query.status or self._query.except_status)

    def _show_title(self) -> None:
        query, shapes = self._query, self.glyphs.statuses
        spans = [Span("[2] Files", "strong"), Span(f"  {cell_text(self._project_name)}")]
        if self.shown.upload is not None:
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
        rate = self._rates.get(row.id)
        return file_cells(row, columns, rate.bytes_per_second if rate else 0.0, self.glyphs)

    # ------------------------------------------------------------------------------------------------ the window

    async def _keep_window(self) -> None:
        """Fetch the window when asked for; one request at a time, so that held keys cannot starve it."""
        while True:
            await self._fetch_wanted.wait()
            self._fetch_wanted.clear()
            requested = upload, _ = self.shown.upload, self._query
            query = self._window_query()
            if upload is None:
                continue
            try:
                window = await self._session.ask(lambda engine: engine.files(upload, query))  # noqa: B023 - awaited here
            except UploaderError:
                continue  # the session reports an engine that is gone; the next status asks again
            if requested == (self.shown.upload, self._query):
                self._put_window(window)

    def _window_query(self) -> FileQuery:
        offset, limit = self.table.wanted()
        return replace(self._query, offset=offset, limit=min(limit, _WIDEST_WINDOW))

    def _put_window(self, window: FileWindow) -> None:
        self._rates = file_rates(self._rates, window.files, self._clock())
        self.table.put(window.offset, window.files, window.total)
        self._show_title()

    def rows_wanted(self) -> None:
        self._fetch_wanted.set()

    def _change_query(self, query: FileQuery) -> None:
        if query != self._query:
            marks = set(self.table.marks)
            self._query = query
            self._show_empty()
            self.table.start_over()
            self.table.marks |= marks
            self.table.show_sorted("" if query.sort == "added" else query.sort, query.descending)
            self._fetch_wanted.set()
            self._show_title()

    # ------------------------------------------------------------------------------------- selection

    @property
    def shown_query(self) -> tuple[int | None, FileQuery]:
        """The upload shown, with filter and order of its files."""
        return self.shown.upload, self._query

    def selected_ids(self) -> tuple[int, ...]:
        """The ids of the selected files, which may be out of view."""
        return tuple(sorted(mark for mark in self.table.marks if isinstance(mark, int)))

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self._show_title()
        self.post_changed()

    def action_mark_all(self) -> None:
        """Select every file that matches the filter, in view or not."""
        self._fetch_matching(lambda matching: self.select(self.table.marks | matching))

    def action_mark_others(self) -> None:
        """Invert the selection among the files that match the filter."""
        self._fetch_matching(lambda matching: self.select(self.table.marks ^ matching))

    def _fetch_matching(self, then: Callable[[set[int]], None]) -> None:
        upload, query = self.shown.upload, self._query
        if upload is None:
            return

        def arrived(runs: tuple[IdRun, ...]) -> None:
            if upload == self.shown.upload:
                then(set(chain.from_iterable(range(first, last + 1) for first, last in runs)))

        self._session.call("select", lambda engine: engine.file_runs(upload, query), arrived)

    def select(self, marks: Iterable[Hashable] = ()) -> None:
        """Select the files with these ids, and no others."""
        self.table.marks = set(marks)
        self.table.refresh()
        self._show_title()
        self.post_changed()

    # ------------------------------------------------------------------------------------- filter and order

    def action_show_all(self) -> None:
        """Remove the filter; without one, clear the selection."""
        if not self._filtered:
            self.select()
        self.clear_filter()
        self._cycled = None
        self._change_query(replace(self._query, status=None, except_status=None, text=""))

    def action_next_status(self) -> None:
        self._cycled = next_status(self._query.status)
        text = parse_filter(self.filter.value).text if self.filter else ""
        if self.filter and text != self.filter.value:
            self.filter.value = text
        self._change_query(replace(self._query, status=self._cycled, except_status=None, text=text))

    def action_choose_sort(self) -> None:
        sort, descending = next_sort(self._query.sort, self._query.descending)
        self._change_query(replace(self._query, sort=sort, descending=descending))

    @on(LineTable.HeaderClicked)
    def _sort_by_column(self, event: LineTable.HeaderClicked) -> None:
        event.stop()
        sort, descending = clicked_sort(event.sort, self._query.sort, self._query.descending)
        self._change_query(replace(self._query, sort=sort, descending=descending))

    @on(Input.Changed)
    def _filter_by_text(self, event: Input.Changed) -> None:
        event.stop()
        typed = parse_filter(event.value)
        status = typed.status or self._cycled
        self._change_query(replace(self._query, status=status, except_status=typed.except_status, text=typed.text))

"""Base class of the three panes: a title, a table with a cursor, and an optional filter."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tui_uploader.tui.lines.columns import Column
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine
from tui_uploader.tui.lines.table import LineTable, LineView, Shape
from tui_uploader.tui.widgets.filter_input import FilterInput

Row = TypeVar("Row")


class Pane(Vertical, Generic[Row]):
    """Posts where the cursor is and what the user opens; subclasses supply rows and cells."""

    class RowMessage(Message):
        """Base of the messages about one row."""

        def __init__(self, pane: Pane[Any], row: Any) -> None:
            super().__init__()
            self.pane = pane
            self.row = row

    class RowHighlighted(RowMessage):
        """The user moved the cursor to this row."""

    class CurrentChanged(RowMessage):
        """Another row, or none, is under the cursor, or it changed, for whatever reason."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Pane.CurrentChanged) and message.pane is self.pane

    class RowOpened(RowMessage):
        """The user pressed Enter or double-clicked this row."""

    def __init__(
        self,
        columns: tuple[Column, ...],
        glyphs: Glyphs,
        *,
        id: str,
        header: bool = True,
        filter_hint: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Without a `filter_hint` there is no filter."""
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        shape: Shape[Row] = Shape(columns, key=self.key, cells=self.cells, same=self.same, whole=self.whole)
        self.table: LineTable[Row] = LineTable(shape, glyphs, header=header, id=f"{id}-table")
        self.title_line = SpanLine(glyphs, id=f"{id}-title", classes="pane-title")
        self.filter = FilterInput(filter_hint, id=f"{id}-filter") if filter_hint is not None else None

    def compose(self) -> ComposeResult:
        yield self.title_line
        yield self.table

    @property
    def current(self) -> Row | None:
        return self.table.current

    def key(self, row: Row) -> Hashable:
        """Identity of the row; stays the same when its values change."""
        raise NotImplementedError

    def same(self, before: Row, now: Row) -> bool:
        """Whether both are the same thing at two times. Panes whose keys may change say when."""
        return self.key(before) == self.key(now)

    def cells(self, row: Row, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        """One cell for each visible column."""
        raise NotImplementedError

    def whole(self, row: Row) -> Sequence[Span] | None:
        """The spans of a row without columns; None for all other rows."""
        del row
        return None

    def opens(self, row: Row) -> bool:
        """Open a row within the pane; return False to leave that to the screen."""
        del row
        return False

    def rows_wanted(self) -> None:
        """Fetch more rows: the view left the window. Panes that hold all their rows do nothing."""

    def post_highlighted(self) -> None:
        if self.current is not None:
            self.post_message(self.RowHighlighted(self, self.current))

    def post_changed(self) -> None:
        """Tell that a command given now would apply to something else."""
        self.post_message(self.CurrentChanged(self, self.current))

    async def action_filter(self) -> None:
        """Open the filter. It is mounted at first use, so that the first frame does not wait for its styles."""
        if self.filter is not None:
            if not self.filter.is_attached:
                await self.mount(self.filter, after=self.title_line)
            self.filter.open()

    async def filter_by_text(self, text: str) -> None:
        """Filter as if `text` had been typed."""
        await self.action_filter()
        if self.filter is not None:
            self.filter.value = text
            self.filter.action_keep()

    def clear_filter(self) -> None:
        if self.filter is not None:
            self.filter.clear_and_hide()

    @on(LineTable.CursorMoved)
    def _post_moved(self, event: LineTable.CursorMoved) -> None:
        event.stop()
        self.post_highlighted()

    @on(LineView.CurrentChanged)
    def _post_changed(self, event: LineView.CurrentChanged) -> None:
        event.stop()
        self.post_changed()

    @on(LineTable.RowActivated)
    def _open(self, event: LineTable.RowActivated) -> None:
        event.stop()
        if self.current is not None and not self.opens(self.current):
            self.post_message(self.RowOpened(self, self.current))

    @on(LineView.WindowWanted)
    def _fetch_rows(self, event: LineView.WindowWanted) -> None:
        event.stop()
        self.rows_wanted()

    @on(FilterInput.Finished)
    def _leave_filter(self, event: FilterInput.Finished) -> None:
        event.stop()
        self.table.focus()

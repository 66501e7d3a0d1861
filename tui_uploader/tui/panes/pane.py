"""What the three panes share: a title, a table with a cursor, and a filter for those that have one."""

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
    """Tells where its cursor is and what the user opens; rows and cells are its subclass's matter."""

    class AboutRow(Message):
        """Something that the user did with a row."""

        def __init__(self, pane: Pane[Any], row: Any) -> None:
            super().__init__()
            self.pane = pane
            self.row = row

    class Chosen(AboutRow):
        """The user moved the cursor to this row."""

    class Opened(AboutRow):
        """The user wants to see more of this row."""

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
        shape: Shape[Row] = Shape(columns, key=self.key, cells=self.cells)
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
        """Tells the row apart from all others."""
        raise NotImplementedError

    def cells(self, row: Row, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        """What stands in the columns that are shown."""
        raise NotImplementedError

    def rows_wanted(self) -> None:
        """The view left the window of rows; nothing to do where the window holds them all."""

    def tell_choice(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    async def action_filter(self) -> None:
        """The field is put on the screen when it is first wanted: the first frame does not wait for its styles."""
        if self.filter is not None:
            if not self.filter.is_attached:
                await self.mount(self.filter, after=self.title_line)
            self.filter.open()

    def drop_filter(self) -> None:
        if self.filter is not None:
            self.filter.drop()

    @on(LineTable.CursorMoved)
    def _choose(self, event: LineTable.CursorMoved) -> None:
        event.stop()
        self.tell_choice()

    @on(LineTable.RowOpened)
    def _open(self, event: LineTable.RowOpened) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.Opened(self, self.current))

    @on(LineView.WindowWanted)
    def _want_rows(self, event: LineView.WindowWanted) -> None:
        event.stop()
        self.rows_wanted()

    @on(FilterInput.Left)
    def _leave_filter(self, event: FilterInput.Left) -> None:
        event.stop()
        self.table.focus()

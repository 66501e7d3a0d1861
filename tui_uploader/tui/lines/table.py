"""A table whose cost does not grow with its rows: it draws the visible lines, from a window of rows.

The owner passes rows in through `put`, as one window of all rows; `WindowWanted` asks for another one when the view
leaves it. Only lines that changed are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec.structs import replace
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_uploader.tui.lines.columns import Column, column_at, header, layout, line
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.row_window import RowWindow
from tui_uploader.tui.lines.spans import legible, segments

R = TypeVar("R")
Cells = Sequence[Sequence[Span]]

_GUTTER = 2
"""Cells for the cursor and the mark."""
_TWICE = 2
"""Clicks of a double click."""


class Shape(msgspec.Struct, Generic[R], frozen=True):
    """The columns of a table, and the cells of its rows."""

    columns: tuple[Column, ...]
    key: Callable[[R], Hashable]
    """Identifies a row, also when it changes or moves."""
    cells: Callable[[R, Sequence[tuple[Column, int]]], Cells]
    """The spans for each of the visible columns."""
    same: Callable[[R, R], bool] | None = None
    """Whether two rows are the same thing at two times, where its key may change; None: when the keys are equal."""


class LineView(ScrollView, Generic[R]):
    """Draws rows with a header, a cursor and marks."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-table--cursor", "line-table--cursor-away"}

    class AboutTable(Message):
        """A message of a table to the pane around it."""

        def __init__(self, table: LineView[Any]) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> LineView[Any]:
            return self.table

    class WindowWanted(AboutTable):
        """Rows are visible that are not in the window."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineView.WindowWanted) and message.table is self.table

    class CurrentChanged(AboutTable):
        """Another row is under the cursor, or its content changed: the user moved, or rows came, changed or went."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineView.CurrentChanged) and message.table is self.table

    def __init__(self, shape: Shape[R], glyphs: Glyphs, *, header: bool = True, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window: RowWindow[R] = RowWindow(shape.key)
        self.marks: set[Hashable] = set()
        self.cursor = 0
        self.empty: tuple[Span, ...] = ()
        """Lines to show instead of rows in an empty table."""
        self._shape = shape
        self._glyphs = glyphs
        self._header_lines = 1 if header else 0
        self._sorted_by = ("", False)
        self._told_current: R | None = None
        """The row of the last `CurrentChanged`."""

    # ------------------------------------------------------------------------------------------------- rows

    @property
    def page(self) -> int:
        """Number of rows that fit in the view."""
        return max(1, self.size.height - self._header_lines)

    @property
    def current(self) -> R | None:
        """The row under the cursor; None while it is not in the window."""
        return self.window.row(self.cursor)

    def wanted(self) -> tuple[int, int]:
        """Offset and number of the rows to request: those in view, and two pages around."""
        return max(0, self.scroll_offset.y - 2 * self.page), 5 * self.page

    def put(self, offset: int, rows: Sequence[R], total: int) -> None:
        """Show a new window. The cursor stays on its row, wherever that moved."""
        before = {index: self.window.row(index) for index in self._seen()}
        held, total_before = self.current, self.window.total
        was_seen = self.cursor in self._seen()
        self.window.put(offset, rows, total)
        if self.window.total != total_before:
            self._resize()
        if held is not None:
            self._keep_cursor_on(held)
        self._place_cursor(min(self.cursor, max(0, self.window.total - 1)))
        if was_seen:
            self._scroll_to_cursor()
        if 0 in (self.window.total, total_before):
            self.refresh()  # the lines of an empty table are not rows
        for index in self._seen():
            if index not in before or before[index] != self.window.row(index):
                self.refresh_line(index + self._header_lines)
        self._tell_current()

    def select(self, key: Hashable) -> None:
        """Put the cursor on the row with this key, if the window has it. Posts no message: the user did not move it."""
        index = self.window.index_of(key)
        self._place_cursor(self.cursor if index is None else index)
        self._scroll_to_cursor()
        self._tell_current()

    def start_over(self) -> None:
        """Clear the table for other rows: back to the top, no marks."""
        self.marks.clear()
        self.cursor = 0
        self.window.put(0, (), 0)
        self._resize()
        self.scroll_to(y=0, animate=False)
        self.refresh()
        self._tell_current()

    def show_columns(self, columns: tuple[Column, ...]) -> None:
        """Show other columns from now on."""
        if columns != self._shape.columns:
            self._shape = replace(self._shape, columns=columns)
            self.refresh()

    def show_empty(self, lines: Sequence[Span]) -> None:
        if tuple(lines) != self.empty:
            self.empty = tuple(lines)
            self.refresh()

    def show_sorted(self, sort: str, descending: bool) -> None:
        self._sorted_by = (sort, descending)
        self.refresh_line(0)

    def _seen(self) -> range:
        first = self.scroll_offset.y
        return range(first, min(self.window.total, first + self.page))

    # ---------------------------------------------------------------------------------------------- drawing

    def render_line(self, y: int) -> Strip:
        index = y - self._header_lines + self.scroll_offset.y
        if y < self._header_lines:
            style = self.rich_style
            titles = header(self._columns(), *self._sorted_by, self._glyphs)
            spans = [Span(" " * _GUTTER), *(title._replace(style="muted") for title in titles)]
        elif index < self.window.total:
            return self._render_row(index)
        else:
            style = self.rich_style
            line_number = y - self._header_lines - 1
            shown = not self.window.total and 0 <= line_number < len(self.empty)
            spans = [Span(" " * _GUTTER), self.empty[line_number]] if shown else []
        return Strip(segments(self, spans, style)).adjust_cell_length(self.size.width, style)

    def _render_row(self, index: int) -> Strip:
        row = self.window.row(index)
        at_cursor, focused = index == self.cursor, self.has_focus
        style = self.rich_style
        if at_cursor:
            name = "line-table--cursor" if focused else "line-table--cursor-away"
            style = legible(style + self.get_component_rich_style(name, partial=True))
        marked = row is not None and self.window.key(row) in self.marks
        gutter = (self._glyphs.cursor if at_cursor else " ") + (self._glyphs.mark if marked else " ")
        columns = self._columns()
        cells = line(columns, self._shape.cells(row, columns), self._glyphs) if row is not None else []
        drawn = segments(self, [Span(gutter, "strong"), *cells], style, coloured=not (at_cursor and focused))
        return Strip(drawn).adjust_cell_length(self.size.width, style)

    @property
    def _room(self) -> int:
        """Width without the scroll bar."""
        return self.size.width - (self.styles.scrollbar_size_vertical if self.show_vertical_scrollbar else 0)

    def _columns(self) -> tuple[tuple[Column, int], ...]:
        return layout(self._shape.columns, self._room - _GUTTER)

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.window.total + self._header_lines)

    def on_resize(self) -> None:
        self._resize()
        self._scroll_to_cursor()
        self._ask_for_rows()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask_for_rows()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.refresh_line(self.cursor + self._header_lines)

    def _ask_for_rows(self) -> None:
        if not self.window.serves(self._seen(), self.page):
            self.post_message(self.WindowWanted(self))

    # ----------------------------------------------------------------------------------------------- cursor

    def _keep_cursor_on(self, held: R) -> None:
        current = self.current
        if current is None or not self._is_same(held, current):
            rows = enumerate(self.window.rows, self.window.offset)
            index = next((index for index, row in rows if self._is_same(held, row)), self.cursor)
            self._place_cursor(index)

    def _is_same(self, before: R, now: R) -> bool:
        if self._shape.same is not None:
            return self._shape.same(before, now)
        return self.window.key(before) == self.window.key(now)

    def _tell_current(self) -> None:
        current = self.current
        if current != self._told_current:
            self._told_current = current
            self.post_message(self.CurrentChanged(self))

    def _place_cursor(self, index: int) -> None:
        if index != self.cursor:
            before, self.cursor = self.cursor, index
            self.refresh_line(before + self._header_lines)
            self.refresh_line(index + self._header_lines)

    def _scroll_to_cursor(self) -> None:
        first = self.scroll_offset.y
        if self.cursor < first:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= first + self.page:
            self.scroll_to(y=self.cursor - self.page + 1, animate=False)


class LineTable(LineView[R], can_focus=True):
    """A view that the user controls: keys and mouse move the cursor, mark and open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page down", show=False),
        Binding("home,g", "edge(0)", "first", show=False),
        Binding("end,G", "edge(-1)", "last", show=False),
        Binding("enter", "open", "open", show=False),
    ]

    class CursorMoved(LineView.AboutTable):
        """The user moved the cursor."""

    class RowActivated(LineView.AboutTable):
        """The user pressed Enter on a row, or double-clicked it."""

    class HeaderClicked(LineView.AboutTable):
        def __init__(self, table: LineTable[Any], sort: str) -> None:
            super().__init__(table)
            self.sort = sort

    def move_to(self, index: int) -> None:
        """Move the cursor as the user does."""
        target = max(0, min(index, self.window.total - 1))
        if target != self.cursor:
            self._place_cursor(target)
            self._scroll_to_cursor()
            self.post_message(self.CursorMoved(self))
            self._tell_current()

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor, and move to the next."""
        row = self.current
        if row is not None:
            self.marks ^= {self.window.key(row)}
            self.refresh_line(self.cursor + self._header_lines)
            self.move_to(self.cursor + 1)

    def action_move(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def action_page(self, pages: float) -> None:
        self.move_to(self.cursor + round(pages * self.page))

    def action_edge(self, index: int) -> None:
        self.move_to(index if index >= 0 else self.window.total + index)

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.RowActivated(self))

    def on_click(self, event: events.Click) -> None:
        if event.y < self._header_lines:
            column = column_at(self._columns(), event.x - _GUTTER)
            if column is not None and column.sort:
                self.post_message(self.HeaderClicked(self, column.sort))
            return
        index = event.y - self._header_lines + self.scroll_offset.y
        if index >= self.window.total:
            return
        self.move_to(index)
        if event.chain == _TWICE:
            self.action_open()

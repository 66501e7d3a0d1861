"""Draw the rows of a table: header, cursor, marks, and lines instead of rows in an empty one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_uploader.tui.lines.columns import Column, header, layout, line
from tui_uploader.tui.lines.contrast import deepened, is_mixed
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.row_window import RowWindow
from tui_uploader.tui.lines.spans import segments

R = TypeVar("R")
Cells = Sequence[Sequence[Span]]

GUTTER = 2
"""Cells for the cursor and the mark."""


class Shape(msgspec.Struct, Generic[R], frozen=True):
    """The columns of a table, and the cells of its rows."""

    columns: tuple[Column, ...]
    key: Callable[[R], Hashable]
    """Identifies a row, also when it changes or moves."""
    cells: Callable[[R, Sequence[tuple[Column, int]]], Cells]
    """The spans for each of the visible columns."""
    same: Callable[[R, R], bool] | None = None
    """Whether two rows are the same thing at two times, where its key may change; None: when the keys are equal."""
    whole: Callable[[R], Sequence[Span] | None] = lambda _: None
    """The spans of a row without columns; None for all other rows."""


class DrawnRows(ScrollView, Generic[R]):
    """Draws the visible lines of a window of rows; only those that changed are drawn again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-table--cursor", "line-table--cursor-away"}

    def __init__(self, shape: Shape[R], glyphs: Glyphs, *, header: bool = True, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window: RowWindow[R] = RowWindow(shape.key)
        self.marks: set[Hashable] = set()
        self.cursor = 0
        self.empty: tuple[Span, ...] = ()
        """Lines to show instead of rows in an empty table."""
        self._shape = shape
        self._all_columns = shape.columns
        self._glyphs = glyphs
        self._header_lines = 1 if header else 0
        self._sorted_by = ("", False)

    @property
    def page(self) -> int:
        """Number of rows that fit in the view."""
        return max(1, self.size.height - self._header_lines)

    @property
    def current(self) -> R | None:
        """The row under the cursor; None while it is not in the window."""
        return self.window.row(self.cursor)

    def show_columns(self, columns: tuple[Column, ...]) -> None:
        """Show other columns, or columns of other widths."""
        if columns != self._all_columns:
            self._all_columns = columns
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

    def render_line(self, y: int) -> Strip:
        index = y - self._header_lines + self.scroll_offset.y
        if y < self._header_lines:
            style = self.rich_style
            titles = header(self._columns(), *self._sorted_by, self._glyphs)
            spans = [Span(" " * GUTTER), *(title._replace(style="muted") for title in titles)]
        elif index < self.window.total:
            return self._render_row(index)
        else:
            style = self.rich_style
            line_number = y - self._header_lines - 1
            shown = not self.window.total and 0 <= line_number < len(self.empty)
            spans = [Span(" " * GUTTER), self.empty[line_number]] if shown else []
        return Strip(segments(self, spans, style)).adjust_cell_length(self.size.width, style)

    def _render_row(self, index: int) -> Strip:
        row = self.window.row(index)
        at_cursor, focused = index == self.cursor, self.has_focus
        style, coloured = self.rich_style, True
        if at_cursor:
            name = "line-table--cursor" if focused else "line-table--cursor-away"
            style += self.get_component_rich_style(name, partial=True)
            if focused:
                style, coloured = deepened(style), is_mixed(style)
        marked = row is not None and self.window.key(row) in self.marks
        gutter = (self._glyphs.cursor if at_cursor else " ") + (self._glyphs.mark if marked else " ")
        columns = self._columns()
        cells = self._spans(row, columns) if row is not None else []
        drawn = segments(self, [Span(gutter, "strong"), *cells], style, coloured=coloured, on_bar=at_cursor and focused)
        return Strip(drawn).adjust_cell_length(self.size.width, style)

    def _spans(self, row: R, columns: tuple[tuple[Column, int], ...]) -> Sequence[Span]:
        whole = self._shape.whole(row)
        return line(columns, self._shape.cells(row, columns), self._glyphs) if whole is None else whole

    @property
    def _room(self) -> int:
        """Width without the scroll bar."""
        return self.size.width - (self.styles.scrollbar_size_vertical if self.show_vertical_scrollbar else 0)

    def _columns(self) -> tuple[tuple[Column, int], ...]:
        return layout(self._all_columns, self._room - GUTTER)

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.window.total + self._header_lines)

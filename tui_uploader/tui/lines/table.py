"""A table whose cost does not grow with its rows: it draws the visible lines, from a window of rows.

The owner passes rows in through `put`, as one window of all rows; `WindowWanted` asks for another one when the view
leaves it. Only lines that changed are drawn again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_uploader.tui.lines.columns import column_at
from tui_uploader.tui.lines.drawn_rows import GUTTER, DrawnRows, R, Shape
from tui_uploader.tui.lines.glyphs import Glyphs

__all__ = ["LineTable", "LineView", "Shape"]

_TWICE = 2
"""Clicks of a double click."""


class LineView(DrawnRows[R]):
    """Rows with a cursor that stays on its row."""

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
        super().__init__(shape, glyphs, header=header, id=id)
        self.moved = False
        """The cursor was put on a row on purpose. Until then it stays at the top, whatever rows come there."""
        self._told_current: R | None = None
        """The row of the last `CurrentChanged`."""

    # ------------------------------------------------------------------------------------------------- rows

    def wanted(self) -> tuple[int, int]:
        """Offset and number of the rows to request: those in view, and two pages around."""
        return max(0, self.scroll_offset.y - 2 * self.page), 5 * self.page

    def put(self, offset: int, rows: Sequence[R], total: int, *, follow: bool = True) -> None:
        """Show a new window. The cursor stays on its row, wherever that moved, and on its line if the view can scroll.

        Without `follow` it stays where it is, whatever row comes there.
        """
        first = self.scroll_offset.y
        before = {index: self.window.row(index) for index in self._seen()}
        held, total_before, cursor_before = self.current, self.window.total, self.cursor
        was_seen = self.cursor in self._seen()
        self.window.put(offset, rows, total)
        if self.window.total != total_before:
            self._resize()
        if held is not None and follow:
            self._keep_cursor_on(held)
        self._place_cursor(min(self.cursor, max(0, self.window.total - 1)))
        if was_seen:
            if follow and self.cursor != cursor_before:
                self.scroll_to(y=first + self.cursor - cursor_before, animate=False, immediate=True, force=True)
            self._scroll_to_cursor()
        if 0 in (self.window.total, total_before):
            self.refresh()  # the lines of an empty table are not rows
        for index in self._seen():
            if index not in before or before[index] != self.window.row(index):
                self.refresh_line(index + self._header_lines)
        self._tell_current()

    def go_to(self, index: int) -> None:
        """Put the cursor on this row, which need not be in the window, and show it. Posts no message."""
        self.moved = True
        self._place_cursor(max(0, min(index, self.window.total - 1)))
        self._scroll_to_cursor()
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
        self.moved = False
        self.window.put(0, (), 0)
        self._resize()
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.refresh()
        self._tell_current()

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
            self.scroll_to(y=self.cursor, animate=False, immediate=True, force=True)
        elif self.cursor >= first + self.page:
            self.scroll_to(y=self.cursor - self.page + 1, animate=False, immediate=True, force=True)


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

    class ShiftClicked(LineView.AboutTable):
        """The user clicked a row with Shift held; the cursor has not moved."""

        def __init__(self, table: LineTable[Any], index: int) -> None:
            super().__init__(table)
            self.index = index

    class HeaderClicked(LineView.AboutTable):
        def __init__(self, table: LineTable[Any], sort: str) -> None:
            super().__init__(table)
            self.sort = sort

    def move_to(self, index: int) -> None:
        """Move the cursor as the user does."""
        target = max(0, min(index, self.window.total - 1))
        self.moved = target > 0
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
            self.moved = True

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
            column = column_at(self._columns(), event.x - GUTTER)
            if column is not None and column.sort:
                self.post_message(self.HeaderClicked(self, column.sort))
            return
        index = event.y - self._header_lines + self.scroll_offset.y
        if index >= self.window.total:
            return
        if event.shift:
            self.post_message(self.ShiftClicked(self, index))
            return
        self.move_to(index)
        if event.chain == _TWICE:
            self.action_open()

"""A short list with a cursor for dialogs, drawn line by line. It costs nothing while idle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_uploader.tui.lines.columns import fitted
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import segments


class LineList(ScrollView, can_focus=True):
    """Subclasses provide the number of lines (`length`) and the content of each (`spans`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "move_page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000)", "Top", show=False),
        Binding("end,G", "move(1000000)", "Bottom", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-list--cursor"}

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs

    @property
    def length(self) -> int:
        """Number of lines."""
        raise NotImplementedError

    def spans(self, index: int, width: int) -> Sequence[Span]:
        """The content of line `index`, for `width` cells."""
        raise NotImplementedError

    def changed(self) -> None:
        """Show that the lines have changed."""
        self.virtual_size = Size(self.size.width, self.length)
        self.cursor = min(self.cursor, max(0, self.length - 1))
        self.refresh()

    def refresh_line(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y, self.size.width, 1))

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.length - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        self.refresh_line(before)
        self.refresh_line(now)
        self.scroll_to_region(Region(0, now, 1, 1), animate=False, force=True)

    def on_resize(self) -> None:
        self.changed()

    def render_line(self, y: int) -> Strip:
        index, width = y + self.scroll_offset.y, self.size.width
        if index >= self.length:
            return Strip.blank(width, self.rich_style)
        at_cursor = index == self.cursor and self.has_focus
        line = [Span(self.glyphs.cursor if at_cursor else " "), *self.spans(index, width - 1)]
        base = self.rich_style
        if at_cursor:
            base += self.get_component_rich_style("line-list--cursor", partial=True)
        shown = fitted(line, width, self.glyphs)
        return Strip(segments(self, shown, base, coloured=not at_cursor), width)

    def action_move(self, lines: int) -> None:
        self.cursor += lines

    def action_move_page(self, pages: int) -> None:
        self.cursor += pages * max(1, self.size.height - 1)

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y
        if index < self.length:
            self.clicked(index, event.x)

    def clicked(self, index: int, x: int) -> None:
        """Handle a click on line `index` at cell `x`."""
        self.cursor = index

"""The last line of the screen: the keys of the focused pane, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import Span
from tui_uploader.tui.lines.spans import segments
from tui_uploader.tui.widgets.bar_keys import BarKey

_ALWAYS_SHOWN = 2
_GAP = 2
_MOST_WHEN_NARROW, _NARROW = 8, 100
"""Keys shown at most in a terminal of fewer cells than this."""


def fitting_keys(keys: Sequence[BarKey], width: int) -> list[BarKey]:
    """The first keys that fit into `width` cells, and always the last two: help and quit."""
    last = list(keys[-_ALWAYS_SHOWN:])
    free = width + _GAP - sum(_cells(key) for key in last)  # nothing follows the last one
    shown: list[BarKey] = []
    most = _MOST_WHEN_NARROW - _ALWAYS_SHOWN if width < _NARROW else len(keys)
    for key in keys[:-_ALWAYS_SHOWN][:most]:
        if _cells(key) > free:
            break
        free -= _cells(key)
        shown.append(key)
    return [*shown, *last]


def _cells(key: BarKey) -> int:
    return cell_len(key.key.key_display or "") + 1 + cell_len(cell_text(key.label)) + _GAP


class KeyBar(Widget):
    """Shows keys; a click on one presses it."""

    @dataclass
    class Pressed(Message):
        """The user clicked a key."""

        binding: Binding

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: tuple[BarKey, ...] = ()
        self._note = ""

    def show(self, keys: Sequence[BarKey]) -> None:
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.refresh()

    def show_note(self, note: str) -> None:
        """Show a short note about the screen itself at the right, such as that it redraws less often."""
        if note != self._note:
            self._note = note
            self.refresh()

    @property
    def _free_width(self) -> int:
        return self.size.width - (cell_len(self._note) + 1 if self._note else 0)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        spans: list[Span] = []
        for key in fitting_keys(self._keys, self._free_width) if y == 0 else ():
            label = f" {cell_text(key.label)}"
            spans += [Span(key.key.key_display or "", "key"), Span(label), Span(" " * _GAP)]
        strip = Strip(segments(self, spans, base)).adjust_cell_length(self._free_width, base)
        note = Strip(segments(self, [Span(f" {self._note}", "muted")] if self._note else [], base))
        return Strip.join((strip, note)).adjust_cell_length(self.size.width, base)

    def on_click(self, event: events.Click) -> None:
        x = event.x
        for key in fitting_keys(self._keys, self._free_width):
            if x < _cells(key):
                self.post_message(self.Pressed(key.key))
                return
            x -= _cells(key)

"""One line of text that never blinks, and never holds anything a terminal would obey."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from tui_uploader.text import printable


class TextField(Input):
    """Textual's field, quiet and inert."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str) -> None:
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_resize(self) -> None:
        self._show_end()

    def _show_end(self) -> None:
        """Of a text that is too long, its end if the cursor is there: Textual does so only for single keys."""
        if self.cursor_at_end:
            self.scroll_to(x=self.max_scroll_x, animate=False, force=True)

    def on_paste(self, event: events.Paste) -> None:
        """Of a paste, the first line without anything that does not belong into a line."""
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(first_line(event.text))
        self.call_after_refresh(self._show_end)


def first_line(text: str, limit: int = 4096) -> str:
    """What of a paste may stand in a field of one line."""
    lines = text[:limit].strip().splitlines()
    return "".join(character for character in (lines[0] if lines else "") if printable(character) == character)

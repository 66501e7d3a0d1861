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
        self.cursor_position = len(value)

    def on_paste(self, event: events.Paste) -> None:
        """Of a paste, the first line without anything that does not belong into a line."""
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(first_line(event.text))


def first_line(text: str, limit: int = 4096) -> str:
    """What of a paste may stand in a field of one line."""
    lines = text[:limit].strip().splitlines()
    return "".join(character for character in (lines[0] if lines else "") if printable(character) == character)

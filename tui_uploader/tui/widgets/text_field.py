"""A one-line text field without blinking cursor and without control characters."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from tui_uploader.text import printable


class TextField(Input):
    """Textual's `Input`, which redraws only when the text changes and takes only printable text."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str) -> None:
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_resize(self) -> None:
        self._show_end()

    def _show_end(self) -> None:
        """Scroll to the end of a long text if the cursor is there; Textual does this only for single keys."""
        if self.cursor_at_end:
            self.scroll_to(x=self.max_scroll_x, animate=False, force=True)

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first line of the paste without control characters, in place of what is selected."""
        event.prevent_default()
        event.stop()
        line = first_line(event.text)
        if self.selection.is_empty:
            self.insert_text_at_cursor(line)
        else:
            self.replace(line, *sorted(self.selection))
        self.call_after_refresh(self._show_end)


def first_line(text: str, limit: int = 4096) -> str:
    """The first line of `text` without control characters."""
    lines = text[:limit].strip().splitlines()
    return "".join(character for character in (lines[0] if lines else "") if printable(character) == character)

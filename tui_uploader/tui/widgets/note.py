"""The line of a dialog that says what a field is for, what is wrong, or what is being done."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui_uploader.text import printable


class Note(Static):
    """Plain text: what comes from outside is made printable. A warning has the class `-warning`."""

    def __init__(self, text: str = "") -> None:
        super().__init__(Content(text), id="note")

    def say(self, text: str, *, warning: bool = False) -> None:
        self.set_class(warning, "-warning")
        self.update(Content(printable(text)))

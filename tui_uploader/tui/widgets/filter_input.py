"""The filter field above a list."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterInput(Input):
    """Hidden until it is opened. Posts `Input.Changed` at every change, so that the list follows as the user types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear_and_leave", "no filter", show=False),
        Binding("enter,down", "keep", "keep the filter", show=False),
    ]

    class Finished(Message):
        """The user is done typing and returns to the list."""

    def __init__(self, hint: str, *, id: str | None = None) -> None:
        super().__init__(id=id, placeholder=hint, compact=True)
        self.cursor_blink = False
        self.display = False

    def open(self) -> None:
        self.display = True
        self.focus()

    def clear_and_hide(self) -> None:
        """Remove the filter; called by the list's pane."""
        self.value = ""
        self.display = False

    def action_clear_and_leave(self) -> None:
        self.clear_and_hide()
        self.post_message(self.Finished())

    def action_keep(self) -> None:
        self.display = bool(self.value)
        self.post_message(self.Finished())

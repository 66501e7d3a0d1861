"""The line in which the user types what to look for. It lets go of nothing but what was typed in it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterInput(Input):
    """Hidden until it is opened. Every change is told at once, as `Input.Changed`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "no filter", show=False),
        Binding("enter,down", "keep", "keep the filter", show=False),
    ]

    class Left(Message):
        """The user went back to the list."""

    def __init__(self, hint: str, *, id: str | None = None) -> None:
        super().__init__(id=id, placeholder=hint, compact=True)
        self.cursor_blink = False
        self.display = False

    def open(self) -> None:
        self.display = True
        self.focus()

    def drop(self) -> None:
        """Filter no more, from elsewhere."""
        self.value = ""
        self.display = False

    def action_drop(self) -> None:
        self.drop()
        self.post_message(self.Left())

    def action_keep(self) -> None:
        self.display = bool(self.value)
        self.post_message(self.Left())

"""Radio buttons and a check box, one line each; Space or a click changes them.

Drawn in ASCII, so that they can be read on any terminal and without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

_GAP = "  "


class RadioRow(Widget, can_focus=True):
    """`(x) images  ( ) results`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right,l", "step(1)", "Change", show=False),
        Binding("left,h", "step(-1)", "Change", show=False),
    ]
    selected: reactive[int] = reactive(0)

    class SelectionChanged(Message):
        """Another option was selected."""

    def __init__(self, options: Sequence[str], selected: int = 0, *, id: str) -> None:
        super().__init__(id=id)
        self._options = [*options]
        self.set_reactive(RadioRow.selected, selected)

    def render(self) -> Content:
        marks = ["(x)" if index == self.selected else "( )" for index in range(len(self._options))]
        return Content(_GAP.join(f"{mark} {option}" for mark, option in zip(marks, self._options, strict=True)))

    def select(self, index: int) -> None:
        if index != self.selected:
            self.selected = index
            self.post_message(self.SelectionChanged())

    def offer(self, options: Sequence[str], selected: int) -> None:
        """Show other options; a `selected` of -1: none is."""
        self._options = [*options]
        self.set_reactive(RadioRow.selected, selected)
        self.refresh(layout=True)

    def action_step(self, step: int) -> None:
        first = 0 if step > 0 else len(self._options) - 1
        self.select(first if self.selected < 0 else (self.selected + step) % len(self._options))

    def on_click(self, event: events.Click) -> None:
        end = 0
        for index, option in enumerate(self._options):
            end += len("(x) ") + len(option) + len(_GAP)
            if event.x < end:
                self.select(index)
                return


class CheckBox(Widget, can_focus=True):
    """`[x] start processing automatically`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "flip", "Change", show=False)]
    checked: reactive[bool] = reactive(True)

    class Flipped(Message):
        """The user changed it."""

    def __init__(self, label: str, checked: bool, *, id: str) -> None:
        super().__init__(id=id)
        self._label = label
        self.set_reactive(CheckBox.checked, checked)

    def render(self) -> Content:
        return Content(f"[{'x' if self.checked and not self.is_disabled else ' '}] {self._label}")

    def action_flip(self) -> None:
        self.checked = not self.checked
        self.post_message(self.Flipped())

    def on_click(self) -> None:
        self.action_flip()

"""One of several, and yes or no, in a line each: Space or a click changes them. Drawn in ASCII, so that any terminal
shows them without colour."""

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


class OneOf(Widget, can_focus=True):
    """`(x) images  ( ) results`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right,l", "step(1)", "Change", show=False),
        Binding("left,h", "step(-1)", "Change", show=False),
    ]
    chosen: reactive[int] = reactive(0)

    class Changed(Message):
        """Another one was chosen."""

    def __init__(self, options: Sequence[str], chosen: int = 0, *, id: str) -> None:
        super().__init__(id=id)
        self._options = [*options]
        self.set_reactive(OneOf.chosen, chosen)

    def render(self) -> Content:
        marks = ["(x)" if index == self.chosen else "( )" for index in range(len(self._options))]
        return Content(_GAP.join(f"{mark} {option}" for mark, option in zip(marks, self._options, strict=True)))

    def choose(self, index: int) -> None:
        if index != self.chosen:
            self.chosen = index
            self.post_message(self.Changed())

    def action_step(self, step: int) -> None:
        self.choose((self.chosen + step) % len(self._options))

    def on_click(self, event: events.Click) -> None:
        end = 0
        for index, option in enumerate(self._options):
            end += len("(x) ") + len(option) + len(_GAP)
            if event.x < end:
                self.choose(index)
                return


class Tick(Widget, can_focus=True):
    """`[x] start processing automatically`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "flip", "Change", show=False)]
    on: reactive[bool] = reactive(True)

    def __init__(self, label: str, on: bool, *, id: str) -> None:
        super().__init__(id=id)
        self._label = label
        self.set_reactive(Tick.on, on)

    def render(self) -> Content:
        return Content(f"[{'x' if self.on and not self.is_disabled else ' '}] {self._label}")

    def action_flip(self) -> None:
        self.on = not self.on

    def on_click(self) -> None:
        self.action_flip()

"""Ask before something that cannot be undone, with the numbers at stake. The default answer is no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui_uploader.text import printable
from tui_uploader.tui.messages import HastyKey
from tui_uploader.tui.terminal.resizing import ResizeGuard


class ConfirmScreen(ResizeGuard, ModalScreen[bool]):
    """Returns True for yes. `n`, Esc and Enter (the No button has the focus at first) mean no."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", "other button", show=False),
    ]

    def __init__(self, question: str, stakes: Sequence[str]) -> None:
        super().__init__()
        self.question = question
        self.stakes = tuple(stakes)
        self._no = Button("No (n)", id="no", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(printable(self.question)), classes="dialog-title")
            for line in self.stakes:
                yield Static(Content(printable(line)))
            with Horizontal(classes="dialog-answers"):
                yield self._no
                yield Button("Yes (y)", id="yes", compact=True)

    def on_key(self, event: events.Key) -> None:
        """Ignore answers from text pasted without brackets, and keys typed before the question appeared."""
        if isinstance(event, HastyKey) and event.key != "escape":
            event.stop()
            event.prevent_default()

    def on_mount(self) -> None:
        self._no.focus()

    @on(Button.Pressed)
    def _take_answer(self, event: Button.Pressed) -> None:
        self.action_answer(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)

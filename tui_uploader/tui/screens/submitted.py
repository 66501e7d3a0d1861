"""The notice that projects were submitted for processing, with the estimated times. DONE closes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui_uploader.tui.engine.notifications import Submission, estimate_lines
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.terminal.resizing import ResizeGuard


class SubmittedScreen(ResizeGuard, ModalScreen[None]):
    """One screen for all submissions; more are added while it is open."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "done", "Done")]

    def __init__(self, submissions: Sequence[Submission]) -> None:
        super().__init__()
        self.submissions = tuple(submissions)
        # Not queried: a screen that is closed at once may be mounted without its children.
        self._lines = Static(self._text(), id="submissions")
        self._done = Button("DONE", id="done", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Submitted for processing", classes="dialog-title")
            yield self._lines
            with Horizontal(classes="dialog-answers"):
                yield self._done

    def on_mount(self) -> None:
        self._done.focus()

    def add(self, submissions: Sequence[Submission]) -> None:
        self.submissions += tuple(submissions)
        self._lines.update(self._text())

    def _text(self) -> Content:
        paragraphs = (
            "\n".join((cell_text(submission.name), *(f"  {line}" for line in estimate_lines(submission.processing))))
            for submission in self.submissions
        )
        return Content("\n\n".join(paragraphs))

    @on(Button.Pressed)
    def action_done(self) -> None:
        self.dismiss(None)

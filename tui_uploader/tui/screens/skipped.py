"""The list of files and folders that were skipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.model.uploads import Skipped
from tui_uploader.text import printable
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.wording.uploads import skipped as skipped_words


class SkippedScreen(ResizeGuard, ModalScreen[None]):
    """Each path with the reason why it was skipped; above them what was recognised in an upload of results."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,i", "dismiss(None)", "Close")]

    def __init__(self, skipped: Sequence[Skipped], results: Sequence[str] = ()) -> None:
        super().__init__()
        self._skipped = tuple(skipped)
        self._results = tuple(results)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            if self._results:
                yield Static(Content("Results"), classes="dialog-title")
                yield Static(Content("\n".join((*map(printable, self._results), ""))))
            yield Static(Content(skipped_words(len(self._skipped))), classes="dialog-title")
            for entry in self._skipped:
                yield Static(Content(printable(f"{entry.path}: {entry.reason}")))
            yield Static("\nEsc closes")

"""Lists of sentences under titles: what was skipped, what was recognised, the results of a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.model.projects import Project
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import printable
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.wording.results import result_facts
from tui_uploader.wording.uploads import skipped as skipped_words

Section = tuple[str, Sequence[str]]
"""A title and its lines, not safe for a terminal yet."""


def skipped_section(skipped: Sequence[Skipped]) -> Section:
    """Each path with the reason why it was skipped."""
    return skipped_words(len(skipped)), [f"{entry.path}: {entry.reason}" for entry in skipped]


def results_section(project: Project, now: float) -> Section:
    """Type, name, size and date of each result, below each other."""
    rows = [[cell_text(fact) for fact in result_facts(result, now)] for result in project.results]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  ".join((type.ljust(widths[0]), name.ljust(widths[1]), size.rjust(widths[2]), at)).rstrip()
        for type, name, size, at in rows
    ]
    return f"Results of {cell_text(project.name)}", lines


class ListScreen(ResizeGuard, ModalScreen[None]):
    """One list below the other."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,i", "dismiss(None)", "Close")]

    def __init__(self, *sections: Section) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            for number, (title, lines) in enumerate(self._sections):
                yield Static(
                    Content(printable(title) if not number else f"\n{printable(title)}"), classes="dialog-title"
                )
                for line in lines:
                    yield Static(Content(printable(line)))
            yield Static("\nEsc closes")

"""Everything that is known of one file, or of what an upload passed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.model import FileItem, FileStatus, Skipped
from tui_uploader.text import byte_count, counted, printable

_LABEL_CELLS = 13
_WHAT_HELPS = {
    FileStatus.FAILED: "R tries it again, x removes it from the queue",
    FileStatus.DUPLICATE: "it is not sent again; x removes it from the queue",
    FileStatus.WAITING: "x removes it from the queue",
}


def file_lines(item: FileItem) -> list[tuple[str, str]]:
    """Label and text, for each thing that is known."""
    lines = [
        ("Name", item.name),
        ("Path", item.path),
        ("Status", item.status),
        ("Size", f"{byte_count(item.size)} ({item.size:,} bytes)"),
        ("Sent", f"{byte_count(item.sent)} ({item.sent:,} bytes)"),
    ]
    if item.object is not None:
        lines.append(("In project", item.object))
    if item.reason is not None:
        lines.append(("Why", item.reason))
    if item.duplicate_of is not None:
        lines.append(("Same as", "uploaded before" if item.duplicate_of == item.path else item.duplicate_of))
    if item.status in _WHAT_HELPS:
        lines.append(("What helps", _WHAT_HELPS[item.status]))
    return lines


def skipped_lines(skipped: Sequence[Skipped]) -> list[tuple[str, str]]:
    """What of the paths that were offered is no file of the upload."""
    return [("", f"{entry.path}: {entry.reason}") for entry in skipped]


class DetailsScreen(ModalScreen[None]):
    """A title and labelled lines."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close")]

    def __init__(self, title: str, lines: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._lines = tuple(lines)

    @classmethod
    def of_file(cls, item: FileItem) -> DetailsScreen:
        return cls("File", file_lines(item))

    @classmethod
    def of_skipped(cls, skipped: Sequence[Skipped]) -> DetailsScreen:
        return cls(f"{counted(len(skipped), 'path')} skipped", skipped_lines(skipped))

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Static(Content(self._title), classes="dialog-title")
            for label, text in self._lines:
                spaced = f"{label:<{_LABEL_CELLS}}" if label else ""
                yield Static(Content(f"{spaced}{printable(text)}"))
            yield Static("\nEsc closes")

    def action_close(self) -> None:
        self.dismiss(None)

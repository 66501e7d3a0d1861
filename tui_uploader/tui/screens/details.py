"""Details of one file, or the list of skipped paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, PhotoFacts
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import byte_count, printable
from tui_uploader.tui.pictures.captions import photo_lines
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.wording.files import original, verification
from tui_uploader.wording.uploads import skipped as skipped_words

AskFacts = Callable[[], Awaitable[PhotoFacts]]

_LABEL_CELLS = 13
_NEXT_STEPS = {
    FileStatus.FAILED: "R retries it, x removes it from the queue",
    FileStatus.DUPLICATE: "it is not sent again; x removes it from the queue",
    FileStatus.WAITING: "x removes it from the queue",
}


def file_lines(item: FileItem) -> list[tuple[str, str]]:
    """Label and text of each known fact."""
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
    if proof := verification(item):
        lines.append(("Verified", proof))
    if same := original(item):
        lines.append(("Same as", same))
    if item.status in _NEXT_STEPS:
        lines.append(("Next step", _NEXT_STEPS[item.status]))
    return lines


def skipped_lines(skipped: Sequence[Skipped]) -> list[tuple[str, str]]:
    """Each path with the reason why it was skipped."""
    return [("", f"{entry.path}: {entry.reason}") for entry in skipped]


class DetailsScreen(ResizeGuard, ModalScreen[None]):
    """A title and labelled lines."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close"),
        Binding("v", "view", "View the image", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[tuple[str, str]], ask_facts: AskFacts | None = None) -> None:
        """`ask_facts` asks the engine for the facts of the image, when there is one."""
        super().__init__()
        self._title = title
        self._lines = tuple(lines)
        self._ask_facts = ask_facts

    @classmethod
    def of_file(cls, item: FileItem, ask_facts: AskFacts) -> DetailsScreen:
        return cls("File", file_lines(item), ask_facts)

    @classmethod
    def of_skipped(cls, skipped: Sequence[Skipped]) -> DetailsScreen:
        return cls(skipped_words(len(skipped)), skipped_lines(skipped))

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Static(Content(self._title), classes="dialog-title")
            for label, text in self._lines:
                yield _line(label, text)
            keys = "Esc closes" if self._ask_facts is None else "v shows the image, Esc closes"
            yield Static(f"\n{keys}", id="details-keys")

    def on_mount(self) -> None:
        if self._ask_facts is not None:
            work = self._show_facts(self._ask_facts)
            self.run_worker(work, name="photo facts", group="photo facts", description="photo facts")

    async def _show_facts(self, ask_facts: AskFacts) -> None:
        """Add what the image states about itself, or why that cannot be read, unless the lines say so already."""
        try:
            lines = photo_lines(await ask_facts())
        except UploaderError as error:
            reason = str(error)
            lines = [] if any(text == reason for _, text in self._lines) else [("Image", reason)]
        if self in self.app.screen_stack:  # not closed meanwhile
            await self.query_one(".dialog").mount_all([_line(*line) for line in lines], before="#details-keys")

    async def action_view(self) -> None:
        if self._ask_facts is not None:
            self.dismiss(None)
            await self.app.run_action("app.dialog('show_picture')")

    def action_close(self) -> None:
        self.dismiss(None)


def _line(label: str, text: str) -> Static:
    spaced = f"{label:<{_LABEL_CELLS}}" if label else ""
    return Static(Content(f"{spaced}{printable(text)}"))

"""Help: all keys, generated from the tables that bind them, and the meaning of the signs."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.model.states import FileStatus
from tui_uploader.tui import keys
from tui_uploader.tui.lines.glyphs import Glyphs
from tui_uploader.tui.terminal.resizing import ResizeGuard

_INDENT = 2
_KEY_CELLS = 18
_AROUND, _WIDEST = 10, 100
"""Cells taken by padding and scroll bar; cells of the longest line."""
_MEANINGS = {
    FileStatus.UPLOADED: "uploaded: stored and registered in the project",
    FileStatus.UPLOADING: "uploading: being sent, or stored and being added to the project",
    FileStatus.WAITING: "waiting, for the reason shown",
    FileStatus.DUPLICATE: "duplicate: the project already has the same content; not sent",
    FileStatus.FAILED: "failed, for the reason shown; can be retried",
}


def help_sections(pane: str, glyphs: Glyphs) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections of help, each a title and its lines; the focused pane comes first."""

    def of(bindings: tuple[Binding, ...]) -> list[tuple[str, str]]:
        return [(_key_names(binding), binding.tooltip) for binding in bindings]

    panes = {"projects": keys.IN_PROJECTS, "files": keys.IN_FILES, "uploads": keys.IN_UPLOADS}
    ordered = sorted(panes, key=lambda name: name != pane)
    bar = [
        (glyphs.registered * 3, "registered: the project has it"),
        (glyphs.stored * 3, "stored: the storage confirmed it"),
        (glyphs.sent * 3, "sent: it has left this machine"),
        (glyphs.ahead * 3, "still to be sent"),
    ]
    return [
        *((f"In the {name}", of(panes[name])) for name in ordered),
        ("Everywhere", of(keys.EVERYWHERE)),
        ("Moving", list(keys.MOVING)),
        ("Files", [(glyphs.statuses[status], meaning) for status, meaning in _MEANINGS.items()]),
        ("Progress bars", bar),
    ]


def key_lines(key: str, text: str, width: int) -> Content:
    """The key at the left, its explanation beside it, in lines of `width` cells."""
    beside = textwrap.wrap(text, max(16, width - _KEY_CELLS - _INDENT)) or [""]
    indent = "\n" + " " * (_INDENT + _KEY_CELLS)
    gap = " " * max(1, _KEY_CELLS - cell_len(key))
    return Content.assemble(" " * _INDENT, (key, "bold $text-accent"), gap, indent.join(beside))


def _key_names(binding: Binding) -> str:
    first, *others = binding.key.split(",")
    names = [binding.key_display or first, *(other.capitalize() for other in others)]
    return " ".join(names)


class HelpScreen(ResizeGuard, ModalScreen[None]):
    """Scrolls; the key that opened it also closes it."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "close", "Close"),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]

    def __init__(self, pane: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._pane = pane
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        width = min(_WIDEST, self.app.size.width - _AROUND)
        with VerticalScroll(classes="dialog", id="help"):
            yield Static("Keys", classes="dialog-title")
            for title, lines in help_sections(self._pane, self._glyphs):
                text = Content("\n").join([Content.styled(title, "bold"), *(key_lines(*line, width) for line in lines)])
                yield Static(Content.assemble(text, "\n"))
            yield Static("Esc closes")

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        self.dismiss(None)

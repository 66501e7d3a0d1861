"""Help: all keys, generated from the tables that bind them, and the meaning of the signs. It can be searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

from tui_uploader.model.states import FileStatus
from tui_uploader.tui import keys
from tui_uploader.tui.lines.columns import fitted, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine, segments
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.filter_input import FilterInput

Section = tuple[str, list[tuple[str, str]]]
"""A title; keys or signs, and what they mean."""

_KEY_CELLS, _INDENT, _GAP = 12, 2, 3
_TWO_COLUMNS_FROM = 96
"""Cells."""
_WIDEST_COLUMN = 90
_MOST_LINES = 6
_MEANINGS = {
    FileStatus.UPLOADED: "uploaded: stored and registered in the project",
    FileStatus.UPLOADING: "uploading: being sent, or stored and being added to the project",
    FileStatus.WAITING: "waiting, for the reason shown",
    FileStatus.DUPLICATE: "duplicate: the project already has the same content; not sent",
    FileStatus.FAILED: "failed, for the reason shown; can be retried",
}


def help_sections(pane: str, glyphs: Glyphs, scope: CommandScope | None = None) -> list[Section]:
    """First what can be done to the row under the cursor, then the keys of its pane, then all others."""

    def of(bindings: Sequence[Binding]) -> list[tuple[str, str]]:
        return [(_key_names(binding), binding.tooltip) for binding in bindings]

    panes = {"projects": keys.IN_PROJECTS, "files": keys.IN_FILES, "uploads": keys.IN_UPLOADS}
    ordered = sorted(panes, key=lambda name: name != pane)
    bar = [
        (glyphs.registered * 3, "registered: the project has it"),
        (glyphs.stored * 3, "stored: the storage confirmed it"),
        (glyphs.sent * 3, "sent: it has left this machine"),
        (glyphs.ahead * 3, "still to be sent"),
    ]
    here = row_section(pane, scope) if scope is not None else None
    return [
        *([here] if here is not None else []),
        *((f"In the {name}", of(panes[name])) for name in ordered),
        ("Everywhere", of(keys.EVERYWHERE)),
        ("Moving", list(keys.MOVING)),
        ("Files", [(glyphs.statuses[status], meaning) for status, meaning in _MEANINGS.items()]),
        ("Progress bars", bar),
    ]


def row_section(pane: str, scope: CommandScope) -> Section | None:
    """The keys that apply to what is under the cursor, or selected, as it is now."""
    keyed = (key for key in keys.keys_of(pane) if key.refusal is not refusals.none and key.when(scope))
    lines = [(_key_names(key), key.label(scope, named=True)) for key in keyed]
    return ("What can be done now", lines) if lines else None


def matching(sections: Sequence[Section], text: str) -> list[Section]:
    """The entries that contain `text`, in any case, under their titles."""
    wanted = text.casefold().strip()
    found = []
    for title, entries in sections:
        kept = [entry for entry in entries if wanted in f"{entry[0]} {entry[1]}".casefold()]
        if kept or wanted in title.casefold():
            found.append((title, kept or entries))
    return found


def help_lines(sections: Sequence[Section], width: int, glyphs: Glyphs) -> list[list[Span]]:
    """The lines of the sections, in one column or two."""
    columns = 2 if width >= _TWO_COLUMNS_FROM else 1
    cells = min(_WIDEST_COLUMN, (width - _GAP * (columns - 1)) // columns)
    every = [line for section in sections for line in _section_lines(section, cells)]
    if columns == 1:
        return every
    half = _cut(every)
    left, right = every[:half], every[half:]
    lines = []
    for row in range(max(len(left), len(right))):
        first = fitted(left[row] if row < len(left) else [], cells, glyphs)
        lines.append([*first, Span(" " * _GAP), *(right[row] if row < len(right) else [])])
    return lines


def _section_lines(section: Section, cells: int) -> list[list[Span]]:
    title, entries = section
    lines = [[Span(title, "strong")]]
    for key, text in entries:
        own = [] if cell_len(key) <= _KEY_CELLS else [[Span(f"{' ' * _INDENT}{key}", "key")]]
        lines += own
        for number, piece in enumerate(wrapped(text, cells - _KEY_CELLS - _INDENT - 1, most=_MOST_LINES)):
            label = key if number == 0 and not own else ""
            gap = " " * (_KEY_CELLS - cell_len(label) + 1)
            lines.append([Span(" " * _INDENT), Span(label, "key"), Span(f"{gap}{piece}")])
    return [*lines, []]


def _cut(lines: Sequence[Sequence[Span]]) -> int:
    """The line nearest to the middle at which an entry or a title begins."""
    begins = [at for at, line in enumerate(lines) if len(line) == 1 or (len(line) > 1 and line[1].text)]
    return min(begins, key=lambda at: abs(at - (len(lines) + 1) // 2), default=0)


def _key_names(binding: Binding) -> str:
    first, *others = binding.key.split(",")
    names = [binding.key_display or first, *(other.capitalize() for other in others)]
    return " ".join(names)


class HelpText(ScrollView, can_focus=True):
    """Lines that scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "down", show=False),
        Binding("k", "scroll_up", "up", show=False),
        Binding("ctrl+f,ctrl+d,space", "page_down", "page down", show=False),
        Binding("ctrl+b,ctrl+u", "page_up", "page up", show=False),
        Binding("g", "scroll_home", "top", show=False),
        Binding("G", "scroll_end", "bottom", show=False),
    ]

    def __init__(self, sections: Sequence[Section], glyphs: Glyphs) -> None:
        super().__init__(id="help-text")
        self._all = sections
        self._glyphs = glyphs
        self._text = ""
        self._lines: list[list[Span]] = []

    def search(self, text: str) -> None:
        self._text = text
        self.on_resize()
        self.scroll_to(y=0, animate=False)

    def on_resize(self) -> None:
        sections = matching(self._all, self._text)
        self._lines = help_lines(sections, self.size.width, self._glyphs) if sections else [[Span("No key matches.")]]
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row, base, width = y + self.scroll_offset.y, self.rich_style, self.size.width
        line = self._lines[row] if row < len(self._lines) else []
        return Strip(segments(self, line, base)).adjust_cell_length(width, base)


class HelpScreen(ResizeGuard, ModalScreen[None]):
    """Fills the screen; the key that opened it also closes it."""

    CSS_PATH: ClassVar = ["dialog.tcss", "help.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1,q,enter", "close", "Close"),
        Binding("escape", "back", "Close", show=False),
        Binding("slash", "search", "Search", show=False),
    ]

    def __init__(self, pane: str, glyphs: Glyphs, scope: CommandScope | None = None) -> None:
        super().__init__()
        self._text = HelpText(help_sections(pane, glyphs, scope), glyphs)
        self._filter = FilterInput("part of a key or of its meaning", id="help-filter")
        self._title, self._keys = SpanLine(glyphs, id="help-title"), SpanLine(glyphs, id="help-keys")

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield self._title
            yield self._filter
            yield self._text
            yield self._keys

    def on_mount(self) -> None:
        self._title.show([Span(" Keys", "strong")])
        shown = (("/", "search"), ("j k", "scroll"), ("Esc", "close"))
        self._keys.show([span for key, label in shown for span in (Span(f" {key}", "key"), Span(f" {label} "))])
        self._text.focus()

    def action_search(self) -> None:
        self._filter.open()

    def action_back(self) -> None:
        """Forget the search; without one, close."""
        if self._filter.value:
            self._filter.clear_and_hide()
            self._text.search("")
            self._text.focus()
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self._text.search(event.value)

    @on(FilterInput.Finished)
    def _leave_search(self, event: FilterInput.Finished) -> None:
        event.stop()
        self._text.focus()

"""What happened, one line for each event, in words and names; `t` shows the engine's technical log instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_uploader.errors import UploaderError
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.text import printable
from tui_uploader.tui.engine.past import MOST_EVENTS
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.lines.columns import Column, cell_text, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import SpanLine
from tui_uploader.tui.lines.table import LineTable, Shape
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.filter_input import FilterInput
from tui_uploader.wording.history import timed_sentence

_TAIL_BYTES = 128 * 1024
_CHECK_SECONDS = 2.0
_MOST_LINES = 20
"""Of one wrapped entry."""
_GUTTER = 4
_FILTER_HINT = "part of the line; ! in front: all that do not match"
_NEWS = frozenset(
    {
        EventKind.COMPLETE,
        EventKind.FAILED,
        EventKind.OFFLINE,
        EventKind.SENDING_STOPPED,
        EventKind.SIGN_IN_FAILED,
        EventKind.PROCESSING_REQUESTED,
        EventKind.PROCESSING_STOPPED,
        EventKind.PROCESSING_DONE,
        EventKind.PROCESSING_FAILED,
        EventKind.RESULT_REPLACED,
        EventKind.CARD_FOUND,
        EventKind.HOOK_FAILED,
        EventKind.RECEIPT_FAILED,
        EventKind.CARD_SAFE,
        EventKind.CARD_NOT_SAFE,
        EventKind.PROBLEM,
    }
)
_STYLES = {
    EventKind.FAILED: "error",
    EventKind.PROCESSING_FAILED: "error",
    EventKind.SIGN_IN_FAILED: "error",
    EventKind.PROBLEM: "warning",
    EventKind.HOOK_FAILED: "warning",
    EventKind.RECEIPT_FAILED: "warning",
    EventKind.CARD_NOT_SAFE: "error",
    EventKind.CARD_SAFE: "uploaded",
    EventKind.OFFLINE: "warning",
    EventKind.SENDING_STOPPED: "warning",
    EventKind.COMPLETE: "uploaded",
    EventKind.PROCESSING_DONE: "uploaded",
}


class Entry(msgspec.Struct, frozen=True):
    """One event, or one line of the technical log."""

    text: str
    """Safe for the terminal."""
    style: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of the screen: the whole entry, or a part of it while lines are wrapped."""

    entry: int
    part: int
    text: str
    style: str


def entries_of(events: Sequence[PastEvent], now: float) -> list[Entry]:
    """`events`: oldest first."""
    return [
        Entry(cell_text(without_ornament(timed_sentence(event, now))), _STYLES.get(event.kind, "")) for event in events
    ]


def technical_entries(lines: Sequence[str]) -> list[Entry]:
    return [
        Entry(cell_text(line), "error" if " ERROR " in line else "warning" if " WARNING " in line else "")
        for line in lines
    ]


def lines_of(entries: Sequence[Entry], text: str, width: int | None) -> list[Line]:
    """The lines of the entries that match `text`, wrapped at `width` cells; None: one line each."""
    wanted, inverse = text.removeprefix("!").casefold(), text.startswith("!")
    return [
        Line(number, part, piece, entry.style)
        for number, entry in enumerate(entries)
        if not wanted or (wanted in entry.text.casefold()) is not inverse
        for part, piece in enumerate(wrapped(entry.text, width, most=_MOST_LINES) if width else [entry.text])
    ]


def tail(path: Path, most: int = _TAIL_BYTES) -> list[str]:
    """The last whole lines of a file, at most `most` bytes. Raises OSError."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - most)
        file.seek(start)
        lines = file.read(most).decode("utf-8", "surrogateescape").splitlines()
    return lines[1:] if start else lines


class LogScreen(ResizeGuard, ModalScreen[None]):
    """Follows the end unless the user scrolls up."""

    CSS_PATH: ClassVar = ["dialog.tcss", "log.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close"),
        Binding("q,L,e", "close", "Close"),
        Binding("w", "wrap", "Wrap"),
        Binding("slash", "filter", "Filter"),
        Binding("y", "copy", "Copy"),
        Binding("t", "technical", "Technical log"),
    ]

    def __init__(
        self,
        session: EngineSession,
        path: Path,
        glyphs: Glyphs,
        copy: Callable[[str], None],
        wall: Callable[[], float],
        *,
        only_news: bool = False,
    ) -> None:
        """`path`: the technical log; `only_news`: leave out what the user did and what moved as it should."""
        super().__init__()
        self._session, self._path, self._glyphs, self._copy, self._wall = session, path, glyphs, copy, wall
        self._only_news = only_news
        self._technical = False
        self._wraps = False
        self._entries: list[Entry] = []
        self._last_read: object = None
        """What identified the content when it was last read."""
        self._answer = ""
        shape = Shape[Line]((Column("", 10, share=1),), key=lambda row: (row.entry, row.part), cells=self._cells)
        self.table: LineTable[Line] = LineTable(shape, glyphs, header=False, id="log-table")
        self._title = SpanLine(glyphs, classes="log-title")
        self._filter = FilterInput(_FILTER_HINT, id="log-filter")

    def compose(self) -> ComposeResult:
        with Vertical(classes="log"):
            yield self._title
            yield self._filter
            yield self.table

    async def on_mount(self) -> None:
        self.table.focus()
        self._show_title()
        await self._read_new()
        self.set_interval(_CHECK_SECONDS, self._read_new)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    async def _read_new(self) -> None:
        try:
            await (self._read_technical() if self._technical else self._read_events())
        except OSError as error:
            self._report(f"Cannot read the log: {error.strerror}.")
        except UploaderError as error:
            self._report(str(error))

    def _report(self, problem: str) -> None:
        self.table.show_empty([Span(cell_text(printable(problem)), "muted")])

    async def _read_technical(self) -> None:
        found = self._path.stat()
        if (found.st_size, found.st_mtime_ns) != self._last_read:
            self._last_read = (found.st_size, found.st_mtime_ns)
            self._entries = technical_entries(tail(self._path))
            self._show()

    async def _read_events(self) -> None:
        newest = self._session.status.history if self._session.status is not None else None
        if newest is not None and newest == self._last_read:
            return
        events = await self._session.ask(lambda engine: engine.history(limit=MOST_EVENTS))
        self._last_read = newest
        chosen = [event for event in events if not self._only_news or event.kind in _NEWS]
        self._entries = entries_of(chosen, self._wall())
        self._show()

    def _show(self) -> None:
        table = self.table
        at_end = table.cursor >= table.window.total - 1
        width = max(10, self.app.size.width - _GUTTER) if self._wraps else None
        lines = lines_of(self._entries, self._filter.value, width)
        self.table.show_empty([Span("Nothing matches." if self._entries else "Nothing happened yet.", "muted")])
        table.put(0, lines, len(lines))
        if at_end:
            table.move_to(len(lines) - 1)

    def _show_title(self) -> None:
        if self._technical:
            name = f"Engine log  {printable(os.fspath(self._path))}"
        else:
            name = "Past news" if self._only_news else "Log"
        other = "t events" if self._technical else "t technical"
        keys = f"{self._answer or f'w wrap  / filter  y copy  {other}  Esc close'}"
        self._title.show([Span(cell_text(name), "strong")], [Span(keys)])

    def _cells(self, row: Line, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        del columns
        return [[Span(row.text, row.style)]]

    # ------------------------------------------------------------------------------------------------- keys

    def action_wrap(self) -> None:
        self._wraps = not self._wraps
        self._show()

    def action_filter(self) -> None:
        self._filter.open()

    def action_copy(self) -> None:
        row = self.table.current
        if row is not None:
            self._copy(self._entries[row.entry].text)
            self._answer = "Copied, if your terminal allows"
            self._show_title()

    async def action_technical(self) -> None:
        self._technical = not self._technical
        self._last_read, self._entries, self._answer = None, [], ""
        self.table.start_over()
        self._show_title()
        await self._read_new()

    def action_back(self) -> None:
        """Remove the filter, or close."""
        if self._filter.value:
            self._filter.clear_and_hide()
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)

    @on(Input.Changed)
    def _filter_lines(self) -> None:
        self._show()

    @on(FilterInput.Finished)
    def _leave_filter(self) -> None:
        self.table.focus()

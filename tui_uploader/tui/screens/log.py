"""The end of the engine's log, followed as it grows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.text import printable
from tui_uploader.tui.lines.columns import Column, cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.table import LineTable, Shape
from tui_uploader.tui.terminal.resizing import ResizeGuard

_TAIL_BYTES = 128 * 1024
_CHECK_SECONDS = 2.0


def tail(path: Path, most: int = _TAIL_BYTES) -> list[str]:
    """The last whole lines of a file, at most `most` bytes. Raises OSError."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - most)
        file.seek(start)
        lines = file.read(most).decode("utf-8", "surrogateescape").splitlines()
    return lines[1:] if start else lines


class LogScreen(ResizeGuard, ModalScreen[None]):
    """Follows the end of the log unless the user scrolls up."""

    CSS_PATH: ClassVar = ["dialog.tcss", "log.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,l,q", "close", "Close")]

    def __init__(self, path: Path, glyphs: Glyphs) -> None:
        super().__init__()
        self._path = path
        self._glyphs = glyphs
        self._last_read: tuple[int, int] | None = None
        """Size and modification time of the file when it was last read."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="log"):
            title = f"Engine log: {printable(os.fspath(self._path))}  (Esc closes)"
            yield Static(Content(title), classes="log-title")
            shape = Shape[tuple[int, str]]((Column("", 10, share=1),), key=lambda row: row[0], cells=self._cells)
            yield LineTable(shape, self._glyphs, header=False, id="log-table")

    def on_mount(self) -> None:
        self._read_new()
        self.set_interval(_CHECK_SECONDS, self._read_new)

    def on_resize(self) -> None:
        self.call_after_refresh(self._scroll_to_end)

    @property
    def table(self) -> LineTable[tuple[int, str]]:
        return self.query_one("#log-table", LineTable)

    def _read_new(self) -> None:
        try:
            found = self._path.stat()
            if (found.st_size, found.st_mtime_ns) == self._last_read:
                return
            self._last_read = (found.st_size, found.st_mtime_ns)
            lines = tail(self._path)
        except OSError as error:
            self.table.show_empty([Span(f"Cannot read the log: {error.strerror}.", "muted")])
            return
        table = self.table
        at_end = table.cursor >= table.window.total - 1
        table.put(0, list(enumerate(lines)), len(lines))
        table.show_empty([Span("The log is empty.", "muted")])
        if at_end:
            self._scroll_to_end()

    def _scroll_to_end(self) -> None:
        self.table.move_to(self.table.window.total - 1)

    def _cells(self, row: tuple[int, str], columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        del columns
        text = cell_text(row[1])
        style = "error" if " ERROR " in text else "warning" if " WARNING " in text else ""
        return [[Span(text, style)]]

    def action_close(self) -> None:
        self.dismiss(None)

"""The uploads at the bottom: all that move or moved lately. Hiding them hides lines, and interrupts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from tui_uploader.model import EngineStatus, LinkState, UploadStatus
from tui_uploader.tui.columns import Column
from tui_uploader.tui.glyphs import Glyphs, Span
from tui_uploader.tui.keys import IN_UPLOADS
from tui_uploader.tui.panes.upload_rows import (
    COLUMNS,
    detail_spans,
    link_spans,
    settled_down,
    summary_spans,
    upload_cells,
)
from tui_uploader.tui.widgets.line_table import LineTable, LineView, Shape
from tui_uploader.tui.widgets.spans import SpanLine

_SHARE_OF_SCREEN = 4
_NO_UPLOAD = ("No uploads; u starts one.",)


class UploadsPane(Vertical):
    """Shows the uploads, the link, and of one upload a line more."""

    BINDINGS: ClassVar[list[BindingType]] = list(IN_UPLOADS)

    @dataclass
    class Chosen(Message):
        """The cursor is on another upload."""

        upload: UploadStatus

    @dataclass
    class Opened(Message):
        """The user wants to see the upload's files."""

        upload: UploadStatus

    def __init__(self, glyphs: Glyphs, *, wall: Callable[[], float], id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._wall = wall
        self._status: EngineStatus | None = None
        shape: Shape[UploadStatus] = Shape(COLUMNS, key=lambda upload: upload.upload, cells=self._cells)
        self.table = LineTable(shape, glyphs, header=False, id="uploads-table")
        self._title = SpanLine(glyphs, id="uploads-title", classes="pane-title")
        self._detail = SpanLine(glyphs, id="uploads-detail")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table
        yield self._detail

    def on_mount(self) -> None:
        self.show_link()
        self._fit()
        # A countdown is the one thing here that changes by itself; with the link up this draws nothing.
        self.set_interval(1.0, self.show_link)

    @property
    def current(self) -> UploadStatus | None:
        return self.table.current

    def show_status(self, status: EngineStatus) -> None:
        self._status = status
        newest_first = [settled_down(upload, status.streams) for upload in reversed(status.uploads)]
        self.table.show_empty([Span(line, "muted") for line in _NO_UPLOAD])
        self.table.put(0, newest_first, len(newest_first))
        self._fit()
        self.show_link()
        self.show_detail()

    def show_link(self) -> None:
        """The title: how many there are, and how the link is."""
        link = link_spans(self._status.link, self._wall()) if self._status else []
        down = self._status is not None and self._status.link.state is LinkState.DOWN
        title = [Span("3 Uploads", "strong"), *summary_spans(self._status)]
        if down:
            title, link = [*title, Span("  "), *link], []
        self._title.show(title, link)

    def show_detail(self) -> None:
        self._detail.show([Span("  "), *detail_spans(self.current)] if self.current else [])

    def select(self, upload: int) -> None:
        self.table.select(upload)
        self.show_detail()

    def toggle(self) -> bool:
        """Hide the list, or show it again; the title stays. Whether it is shown now."""
        self.toggle_class("-folded")
        return not self.has_class("-folded")

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """As many lines as there are uploads, but not more than a quarter of the screen."""
        most = max(1, self.app.size.height // _SHARE_OF_SCREEN - 2)
        lines = min(max(2 if not self.table.window.total else 1, self.table.window.total), most)
        self.table.styles.height = lines

    def _cells(self, upload: UploadStatus, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return upload_cells(upload, columns, self._glyphs)

    @on(LineTable.CursorMoved)
    def _choose(self, event: LineTable.CursorMoved) -> None:
        event.stop()
        self.show_detail()
        if self.current is not None:
            self.post_message(self.Chosen(self.current))

    @on(LineTable.Opened)
    def _open(self, event: LineTable.Opened) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    @on(LineView.WindowWanted)
    def _ignore(self, event: LineView.WindowWanted) -> None:
        event.stop()

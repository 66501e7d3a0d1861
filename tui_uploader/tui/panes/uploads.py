"""The uploads pane, at the bottom: active and recent uploads. Hiding it interrupts nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Project
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.tui.keys import IN_UPLOADS
from tui_uploader.tui.lines.columns import Column
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLines
from tui_uploader.tui.lines.table import LineView
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.panes.project_rows import goes_to
from tui_uploader.tui.panes.upload_rows import (
    COLUMNS,
    detail_lines,
    summary_spans,
    upload_cells,
)
from tui_uploader.wording.uploads import without_stale_rate

_SHARE_OF_SCREEN = 4
"""The list takes at most this part of the screen: a quarter."""
_NO_UPLOAD = ("No uploads; u starts one.",)
_MARGIN = 2


class UploadsPane(Pane[UploadStatus]):
    """Shows the uploads, the state of the link, and details of the upload under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = list(IN_UPLOADS)

    class Resized(Message):
        """The height of the pane changed."""

    def __init__(self, glyphs: Glyphs, *, wall: Callable[[], float]) -> None:
        super().__init__(COLUMNS, glyphs, id="uploads", header=False)
        self._wall = wall
        self._status: EngineStatus | None = None
        self._projects: tuple[Project, ...] = ()
        self._detail = SpanLines(glyphs, id="uploads-detail")

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._detail

    def on_mount(self) -> None:
        self.show_title()
        self.fit()

    def show_status(self, status: EngineStatus) -> None:
        self._status = status
        newest_first = [without_stale_rate(upload, status.streams) for upload in reversed(status.uploads)]
        self.table.show_empty([Span(line, "muted") for line in _NO_UPLOAD])
        self.table.put(0, newest_first, len(newest_first))
        self.fit()
        self.show_title()
        self.show_detail()

    def show_title(self) -> None:
        self.title_line.show([Span("[3] Uploads", "strong"), *summary_spans(self._status)])

    def show_detail(self) -> None:
        width = self.app.size.width - 2 * _MARGIN
        upload = self.current
        lines = detail_lines(upload, self._project_of(upload), width) if upload else []
        self._detail.show([[Span(" " * _MARGIN), *spans] for spans in lines])

    def show_projects(self, projects: tuple[Project, ...]) -> None:
        self._projects = projects
        self.show_detail()

    def _project_of(self, upload: UploadStatus) -> Project | None:
        return next((project for project in self._projects if goes_to(upload, project)), None)

    def select(self, upload: int) -> None:
        self.table.select(upload)
        self.show_detail()

    def toggle(self) -> bool:
        """Hide the list, or show it again; the title stays. Return whether it is shown now."""
        self.toggle_class("-folded")
        return not self.has_class("-folded")

    def on_resize(self) -> None:
        self.fit()
        self.show_detail()
        self.post_message(self.Resized())

    def fit(self) -> None:
        """Set the height to one line for each upload, up to a quarter of the screen; all of it while zoomed."""
        if self.is_attached and self.screen.has_class("-zoom-uploads"):
            self.table.styles.height = "1fr"
            return
        most = max(1, self.app.size.height // _SHARE_OF_SCREEN - 2)
        lines = min(max(2 if not self.table.window.total else 1, self.table.window.total), most)
        self.table.styles.height = lines

    def key(self, row: UploadStatus) -> Hashable:
        return row.upload

    def cells(self, row: UploadStatus, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return upload_cells(row, columns, self.glyphs)

    @on(LineView.CurrentChanged)
    def _follow_cursor(self) -> None:
        self.show_detail()

"""The uploads pane, at the bottom: active and recent uploads. Hiding it interrupts nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Project
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import VerificationStatus
from tui_uploader.tui.keys import IN_UPLOADS
from tui_uploader.tui.lines.columns import Column
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLines
from tui_uploader.tui.lines.table import LineTable, LineView
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.panes.project_rows import goes_to
from tui_uploader.tui.panes.upload_details import detail_lines
from tui_uploader.tui.panes.upload_rows import (
    FoldedUploads,
    Ordered,
    Row,
    cells,
    columns,
    ordered,
    rows_of,
    title_words,
)
from tui_uploader.wording.uploads import without_stale_rate

_SHARE_OF_SCREEN = 4
"""The list takes at most this part of the screen: a quarter, with its title and its headings."""
_LINES_AROUND = 3
_NO_UPLOAD = ("No uploads; u starts one.",)
_MARGIN = 2
_HIGH, _MOST_WATCHES = 30, 3
"""Lines of a terminal that has space for more than one line of watched folders, and how many it shows."""


class UploadsPane(Pane[Row]):
    """Shows the uploads, and details of the one under the cursor. If not all fit, those that have ended are folded."""

    BINDINGS: ClassVar[list[BindingType]] = [*IN_UPLOADS, Binding("escape", "fold", "fold", show=False)]

    class Resized(Message):
        """The height of the pane changed."""

    def __init__(self, glyphs: Glyphs, *, wall: Callable[[], float]) -> None:
        super().__init__((), glyphs, id="uploads")
        self._wall = wall
        self._found = Ordered()
        self._projects: tuple[Project, ...] = ()
        self._verifications: tuple[VerificationStatus, ...] = ()
        self._unfolded = False
        self._wanted: int | None = None
        """The upload that was selected last: it is never folded."""
        self._detail = SpanLines(glyphs, id="uploads-detail")
        self._watches = SpanLines(glyphs, id="uploads-watches")

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._detail
        yield self._watches

    def on_mount(self) -> None:
        self._show()

    @property
    def current(self) -> UploadStatus | None:
        row = self.table.current
        return None if isinstance(row, FoldedUploads) else row

    def show_status(self, status: EngineStatus) -> None:
        fresh = [without_stale_rate(upload, status.streams) for upload in status.uploads]
        self._found = ordered(fresh, self._wall())
        self._verifications = status.verifications
        self.table.show_empty([Span(line, "muted") for line in _NO_UPLOAD])
        self._show()
        self._show_watches(status)

    def _show_watches(self, status: EngineStatus) -> None:
        """A line for each watched folder, as many as the height allows."""
        lines: list[list[Span]] = []
        if status.watches:
            from tui_uploader.tui.watches.lines import pane_lines  # not needed for the first frame

            width, most = self.app.size.width - 2 * _MARGIN, 1 if self.app.size.height < _HIGH else _MOST_WATCHES
            lines = pane_lines(status.watches, status.uploads, width, most, self.glyphs)
        self._watches.show([[Span(" " * _MARGIN), *spans] for spans in lines])

    def _show(self, keep: int | None = None) -> None:
        """Put the rows, as many as the height allows, and what stands above and below them.

        `keep`: an upload that is not folded; None: the one under the cursor.
        """
        if keep is None:
            keep = self.current.upload if self.current is not None else self._wanted
        zoomed = self.is_attached and self.screen.has_class("-zoom-uploads")
        height = self.app.size.height
        most = max(1, (height if zoomed else height // _SHARE_OF_SCREEN) - _LINES_AROUND)
        rows = rows_of(self._found, most, keep, unfolded=self._unfolded)
        self.table.styles.height = "1fr" if zoomed else 1 + (min(len(rows), most) or 2)
        self.table.show_columns(columns(self._found, self.app.size.width - _MARGIN, self._wall(), self.glyphs))
        self.table.put(0, rows, len(rows))
        self.title_line.show([Span("[3] Uploads", "strong"), Span(title_words(self._found))])
        self.show_detail()

    def fit(self) -> None:
        """Take as many lines as there are rows, up to a quarter of the screen; all of it while zoomed."""
        self._show()

    def show_detail(self) -> None:
        width = self.app.size.width - 2 * _MARGIN
        upload = self.current
        lines = []
        if upload is not None:
            lines = detail_lines(upload, self._project_of(upload), width, self._wall(), self._verifications)
        self._detail.show([[Span(" " * _MARGIN), *spans] for spans in lines])

    def show_projects(self, projects: tuple[Project, ...]) -> None:
        self._projects = projects
        self.show_detail()

    def _project_of(self, upload: UploadStatus) -> Project | None:
        return next((project for project in self._projects if goes_to(upload, project)), None)

    def select(self, upload: int) -> None:
        self._wanted = upload
        if self.table.window.index_of(upload) is None and any(each.upload == upload for each in self._found.uploads):
            self._show(keep=upload)
        self.table.select(upload)
        self.show_detail()

    def toggle(self) -> bool:
        """Hide the list, or show it again; the title stays. Return whether it is shown now."""
        self.toggle_class("-folded")
        return not self.has_class("-folded")

    def action_fold(self) -> None:
        """Show those that have ended as one row again."""
        self._unfolded = False
        self._show()

    def on_resize(self) -> None:
        self._show()
        self.post_message(self.Resized())

    def key(self, row: Row) -> Hashable:
        return "folded" if row.upload is None else row.upload

    def cells(self, row: Row, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return cells(row, columns, self._found, self._wall(), self.glyphs)

    @on(LineView.CurrentChanged)
    def _follow_cursor(self) -> None:
        self.show_detail()

    @on(LineTable.RowActivated)
    def _unfold(self, event: LineTable.RowActivated) -> None:
        if isinstance(self.table.current, FoldedUploads):
            event.prevent_default()
            event.stop()
            self._unfolded = True
            self._show()

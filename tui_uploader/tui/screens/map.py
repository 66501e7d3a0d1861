"""A live map of the images of an upload, by status.

The engine is asked again only when its status has changed, and less often the slower it answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import astuple
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, Positions
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.engine.session import STATUS_SECONDS, EngineSession
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine, SpanLines, segments
from tui_uploader.tui.pictures.flight_map import FlightMap, bar_spans, distance_words, flight_map, legend_lines
from tui_uploader.tui.terminal.resizing import ResizeGuard

_PAUSE_FACTOR = 10
"""Wait ten times as long as an answer took: the engine spends at most a tenth of its time on the map."""
_READING_SECONDS = 2.0
"""Between two requests while positions are being read, which the status does not report."""
_LONGEST_NAME = 40


class MapArea(Widget):
    """The map, or a sentence instead of it."""

    def __init__(self, resized: Callable[[], object]) -> None:
        super().__init__()
        self._resized = resized
        self._rows: tuple[tuple[Span, ...], ...] = ()
        self._sentence = ""

    def on_resize(self) -> None:
        self._resized()

    def show(self, drawn: FlightMap) -> None:
        if (drawn.rows, "") != (self._rows, self._sentence):
            self._rows, self._sentence = drawn.rows, ""
            self.refresh()

    def show_sentence(self, sentence: str) -> None:
        if ((), sentence) != (self._rows, self._sentence):
            self._rows, self._sentence = (), sentence
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        row: tuple[Span, ...] = self._rows[y] if y < len(self._rows) else ()
        if self._sentence and y == self.size.height // 2:
            row = (Span(f" {cell_text(self._sentence)}", "muted"),)
        return Strip(segments(self, row, base)).adjust_cell_length(width, base)


class MapScreen(ResizeGuard, Screen[None]):
    """Shows the map; `marked` is the file that was under the cursor."""

    CSS_PATH: ClassVar = ["map.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,m", "close", "Close")]

    def __init__(
        self,
        session: EngineSession,
        glyphs: Glyphs,
        upload: int,
        marked: FileItem | None,
        *,
        whole_project: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._session = session
        self._glyphs = glyphs
        self._upload = upload
        self._marked = marked
        self._whole_project = whole_project
        self._clock = clock
        self._positions: Positions | None = None
        self._counts = Counts()
        self._request_wanted = asyncio.Event()
        self._requested_at = clock()
        self._requested_for = Counts()
        self._area = MapArea(self._draw)
        self._summary, self._keys = (SpanLine(glyphs, classes="caption") for _ in range(2))
        self._legend = SpanLines(glyphs, id="legend")

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._area
        yield self._legend
        yield self._keys

    def on_mount(self) -> None:
        self._summary.show([Span(" Map of the flight", "strong")])
        self._area.show_sentence("Reading the positions.")
        self._request_wanted.set()
        self.set_interval(STATUS_SECONDS, self._check_for_changes)
        self.run_worker(self._keep_current(), name="map", group="map", exclusive=True, description="map")

    def action_close(self) -> None:
        self.dismiss(None)

    # ----------------------------------------------------------------------------------------------- requests

    async def _keep_current(self) -> None:
        while True:
            await self._request_wanted.wait()
            self._request_wanted.clear()
            self._requested_at, self._requested_for = self._clock(), self._status_counts()
            await self._request(self._requested_for)
            took = self._clock() - self._requested_at
            await asyncio.sleep(max(self._session.interval, _PAUSE_FACTOR * took))

    def _check_for_changes(self) -> None:
        reading = self._positions is None or self._positions.unread > 0
        due = self._clock() - self._requested_at >= _READING_SECONDS
        if (reading and due) or self._status_counts() != self._requested_for:
            self._request_wanted.set()

    async def _request(self, counts: Counts) -> None:
        marked, whole = self._marked.id if self._marked else None, self._whole_project
        try:
            found = await self._session.ask(lambda engine: engine.positions(self._upload, marked, whole_project=whole))
        except UploaderError as error:
            self._positions = None
            self._area.show_sentence(str(error))
            return
        if (found, counts) != (self._positions, self._counts):
            self._positions, self._counts = found, counts
            self._draw()

    def _status(self) -> UploadStatus | None:
        """The upload's status; None after it was dismissed."""
        uploads = self._session.status.uploads if self._session.status else ()
        return next((upload for upload in uploads if upload.upload == self._upload), None)

    def _status_counts(self) -> Counts:
        """Of the upload, or of all uploads of its project."""
        status = self._status()
        if status is None or self._session.status is None:
            return Counts()
        if not self._whole_project or status.project is None:
            return status.counts
        every = [upload.counts for upload in self._session.status.uploads if upload.project == status.project]
        return Counts(*(sum(numbers) for numbers in zip(*map(astuple, every), strict=True)))

    # ---------------------------------------------------------------------------------------------------- drawing

    def _draw(self) -> None:
        found, (width, height) = self._positions, self._area.size
        if found is None or not width or not height:
            return
        drawn = flight_map(found, width, height, self._glyphs)
        status = self._status()
        title = [Span(" Map of the flight", "strong"), Span(f"  {cell_text(status.project_name)}" if status else "")]
        self._legend.show(legend_lines(self._counts, found, self._glyphs, self.size.width))
        if drawn is None:
            self._summary.show(title)
            self._area.show_sentence(_why_empty(found))
            self._show_keys([])
            return
        extent = f"  {distance_words(drawn.width)} x {distance_words(drawn.height)} "
        self._summary.show([*title, Span(f"  {counted(found.located, 'image')}")], [Span(extent)])
        self._area.show(drawn)
        self._show_keys(bar_spans(drawn.bar, self._glyphs))

    def _show_keys(self, bar: list[Span]) -> None:
        here: list[Span] = []
        if self._marked is not None and self._positions is not None:
            name = clipped_name(cell_text(self._marked.name), _LONGEST_NAME, self._glyphs.cut)
            where = "" if self._positions.current else " has no position"
            here = [Span(f"   {self._glyphs.mark}", "key"), Span(f" {name}{where}")]
        self._keys.show([*bar, *here], [Span("Esc", "key"), Span(" close ")])


def _why_empty(found: Positions) -> str:
    if found.unread:
        return f"No positions yet; {counted(found.unread, 'file')} still to be read."
    if found.unlocated:
        return "No positions: the EXIF data of these images has no GPS position."
    return "This upload has no images."

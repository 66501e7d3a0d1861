"""The map of a flight, and how far its upload is; it goes on while it is looked at.

The engine is asked again only when its status tells of news, and the slower it answers, the less often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.errors import UploaderError
from tui_uploader.model import Counts, FileItem, Positions, UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.engine.session import STATUS_SECONDS, EngineSession
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine, segments
from tui_uploader.tui.pictures.flight_map import FlightMap, bar_spans, distance_words, flight_map, legend_spans
from tui_uploader.tui.terminal.resizing import ResizeGuard

_REST = 10
"""The engine works on answers for a tenth of the time at most."""
_READING_SECONDS = 2.0
"""Between two questions while files are read: that is no news of the status."""
_LONGEST_NAME = 40


class MapArea(Widget):
    """The map, or a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[tuple[Span, ...], ...] = ()
        self._said = ""

    def show(self, drawn: FlightMap) -> None:
        if (drawn.rows, "") != (self._rows, self._said):
            self._rows, self._said = drawn.rows, ""
            self.refresh()

    def say(self, sentence: str) -> None:
        if ((), sentence) != (self._rows, self._said):
            self._rows, self._said = (), sentence
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        row: tuple[Span, ...] = self._rows[y] if y < len(self._rows) else ()
        if self._said and y == self.size.height // 2:
            row = (Span(f" {cell_text(self._said)}", "muted"),)
        return Strip(segments(self, row, base)).adjust_cell_length(width, base)


class MapScreen(ResizeGuard, Screen[None]):
    """`marked` is the file under the cursor."""

    CSS_PATH: ClassVar = ["map.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,m", "close", "Close")]

    def __init__(
        self,
        session: EngineSession,
        glyphs: Glyphs,
        upload: int,
        marked: FileItem | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._session = session
        self._glyphs = glyphs
        self._upload = upload
        self._marked = marked
        self._clock = clock
        self._found: Positions | None = None
        self._counts = Counts()
        self._wanted = asyncio.Event()
        self._asked_at = clock()
        self._asked_for = Counts()
        self._area = MapArea()
        self._summary, self._legend, self._keys = (SpanLine(glyphs, classes="caption") for _ in range(3))

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._area
        yield self._legend
        yield self._keys

    def on_mount(self) -> None:
        self._summary.show([Span(" Map of the flight", "strong")])
        self._area.say("Looking up the positions.")
        self._wanted.set()
        self.set_interval(STATUS_SECONDS, self._look_for_news)
        self.run_worker(self._keep_shown(), name="map", group="map", exclusive=True, description="map")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def action_close(self) -> None:
        self.dismiss(None)

    # ----------------------------------------------------------------------------------------------- what is new

    async def _keep_shown(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._asked_at, self._asked_for = self._clock(), self._status_counts()
            await self._ask(self._asked_for)
            took = self._clock() - self._asked_at
            await asyncio.sleep(max(self._session.interval, _REST * took))

    def _look_for_news(self) -> None:
        reads_on = self._found is None or self._found.unread > 0
        due = self._clock() - self._asked_at >= _READING_SECONDS
        if (reads_on and due) or self._status_counts() != self._asked_for:
            self._wanted.set()

    async def _ask(self, counts: Counts) -> None:
        marked = self._marked.id if self._marked else None
        try:
            found = await self._session.ask(lambda engine: engine.positions(self._upload, marked))
        except UploaderError as error:
            self._found = None
            self._area.say(str(error))
            return
        if (found, counts) != (self._found, self._counts):
            self._found, self._counts = found, counts
            self._draw()

    def _status(self) -> UploadStatus | None:
        """None: it was dismissed."""
        uploads = self._session.status.uploads if self._session.status else ()
        return next((upload for upload in uploads if upload.upload == self._upload), None)

    def _status_counts(self) -> Counts:
        status = self._status()
        return status.counts if status else Counts()

    # ---------------------------------------------------------------------------------------------------- drawing

    def _draw(self) -> None:
        found, (width, height) = self._found, self._area.size
        if found is None or not width or not height:
            return
        drawn = flight_map(found, width, height, self._glyphs)
        status = self._status()
        title = [Span(" Map of the flight", "strong"), Span(f"  {cell_text(status.project_name)}" if status else "")]
        self._legend.show(legend_spans(self._counts, found, self._glyphs))
        if drawn is None:
            self._summary.show(title)
            self._area.say(_why_empty(found))
            self._show_keys([])
            return
        extent = f"  {distance_words(drawn.width)} x {distance_words(drawn.height)} "
        self._summary.show([*title, Span(f"  {counted(found.located, 'image')}")], [Span(extent)])
        self._area.show(drawn)
        self._show_keys(bar_spans(drawn.bar, self._glyphs))

    def _show_keys(self, bar: list[Span]) -> None:
        here: list[Span] = []
        if self._marked is not None and self._found is not None:
            name = clipped_name(cell_text(self._marked.name), _LONGEST_NAME, self._glyphs.cut)
            where = "" if self._found.current else " has no position"
            here = [Span(f"   {self._glyphs.mark}", "key"), Span(f" {name}{where}")]
        self._keys.show([*bar, *here], [Span("Esc", "key"), Span(" close ")])


def _why_empty(found: Positions) -> str:
    if found.unread:
        return f"No image with a position yet; {counted(found.unread, 'file')} to be read."
    if found.unlocated:
        return "None of the images tells where it was taken: their EXIF has no GPS position."
    return "There are no images in this upload."

"""One image over the whole screen, with keys for the previous and the next file.

A picture is drawn once and not again until the user asks for another, so that each crosses the connection once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, FileQuery
from tui_uploader.text import byte_count
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.engine.session import SLOW_STATUS_SECONDS, EngineSession
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine, segments
from tui_uploader.tui.pictures.captions import photo_lines
from tui_uploader.tui.pictures.cells import (
    MOST_BYTES,
    MOST_BYTES_SLOW,
    CellPicture,
    Colour,
    Rows,
    cell_picture,
    picture_style,
)
from tui_uploader.tui.pictures.decode import NoPicture
from tui_uploader.tui.pictures.process import PictureProcess
from tui_uploader.tui.terminal.resizing import ResizeGuard

if TYPE_CHECKING:
    from PIL.Image import Image

_LEAST_PIXELS = 480
"""Least width and height kept of a picture, so that it need not be read again when the terminal grows."""
_LONGEST_NAME = 40


class CellArea(Widget):
    """A centred picture, or a sentence instead of it."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []
        self._sentence: Span | None = None

    def show(self, picture: CellPicture) -> None:
        self._strips, self._sentence = strips(picture.rows, self.rich_style), None
        self.refresh()

    def show_sentence(self, sentence: str, style: str = "muted") -> None:
        self._strips, self._sentence = [], Span(cell_text(sentence), style)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if self._sentence is not None:
            spans = [Span(" "), self._sentence] if y == self.size.height // 2 else []
            return Strip(segments(self, spans, base)).adjust_cell_length(width, base)
        top = (self.size.height - len(self._strips)) // 2
        if not 0 <= y - top < len(self._strips):
            return Strip.blank(width, base)
        strip = self._strips[y - top]
        left = Strip.blank(max(0, width - strip.cell_length) // 2, base)
        return Strip.join((left, strip)).adjust_cell_length(width, base)


def strips(rows: Rows, base: Style) -> list[Strip]:
    """`rows` as Textual strips; `base` is the style of cells without colours of their own."""
    known: dict[tuple[Colour | None, Colour | None], Style] = {}

    def style(ink: Colour | None, paper: Colour | None) -> Style:
        found = known.get((ink, paper))
        if found is None:
            own = Style(color=Color.from_rgb(*ink) if ink else None, bgcolor=Color.from_rgb(*paper) if paper else None)
            found = known[ink, paper] = base + own
        return found

    return [Strip([Segment(run.text, style(run.ink, run.paper)) for run in row]) for row in rows]


class PictureScreen(ResizeGuard, Screen[int]):
    """Shows the image of one file after the other; returns the row of the last one."""

    CSS_PATH: ClassVar = ["picture.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,v", "close", "Close"),
        Binding("right,down,j,space,n,pagedown", "step(1)", "Next", show=False),
        Binding("left,up,k,p,pageup", "step(-1)", "Previous", show=False),
        Binding("home,g", "go(0)", "First", show=False),
        Binding("end,G", "go(-1)", "Last", show=False),
    ]

    def __init__(
        self,
        session: EngineSession,
        glyphs: Glyphs,
        upload: int,
        query: FileQuery,
        index: int,
        item: FileItem,
        total: int,
    ) -> None:
        """`query` gives filter and order of the list (its window is ignored); `item` is row `index` of it."""
        super().__init__()
        self._session = session
        self._glyphs = glyphs
        self._upload = upload
        self._query = query
        self._index, self._item, self._total = index, item, total
        self._shown_index = index
        """The row of `_item`; `_index` is the row that the user wants."""
        self._decoded: tuple[FileItem, Image] | None = None
        self._decoder = PictureProcess()
        self._redraw_wanted = asyncio.Event()
        self._area = CellArea()
        self._title, self._facts, self._keys = (SpanLine(glyphs, classes="caption") for _ in range(3))

    def compose(self) -> ComposeResult:
        yield self._area
        yield self._title
        yield self._facts
        yield self._keys

    def on_mount(self) -> None:
        self._show_title()
        self._ask_facts()
        self._area.show_sentence("Reading the picture.")
        self.run_worker(self._keep_current(), name="picture", group="picture", exclusive=True, description="picture")

    def on_unmount(self) -> None:
        self._decoder.close()

    def on_resize(self) -> None:
        self._redraw_wanted.set()

    def action_step(self, files: int) -> None:
        self._go_to(self._index + files)

    def action_go(self, index: int) -> None:
        self._go_to(index if index >= 0 else self._total + index)

    def action_close(self) -> None:
        self.dismiss(self._shown_index)

    def _go_to(self, index: int) -> None:
        index = max(0, min(index, self._total - 1))
        if index != self._index:
            self._index = index
            self._redraw_wanted.set()

    # --------------------------------------------------------------------------------------- reading and drawing

    async def _keep_current(self) -> None:
        """Read and draw one file at a time, always the newest: a held key must not start a reader for every file."""
        while True:
            await self._redraw_wanted.wait()
            self._redraw_wanted.clear()
            try:
                await self._fetch_item()
                await self._draw()
            except (NoPicture, UploaderError) as error:
                self._decoded = None
                self._area.show_sentence(str(error), "warning")
                self._show_keys("")

    async def _fetch_item(self) -> None:
        """Fetch the file at the wanted row. Raises UploaderError."""
        index = self._index
        if index == self._shown_index:
            return
        query = replace(self._query, offset=index, limit=1)
        window = await self._session.ask(lambda engine: engine.files(self._upload, query))
        self._total = window.total
        if window.files:
            self._item, self._shown_index = window.files[0], index
        self._show_title()
        self._ask_facts()

    def _ask_facts(self) -> None:
        """Ask the engine beside the decoding: neither waits for the other."""
        self._facts.show([])
        work = self._show_facts(self._item)
        self.run_worker(work, name="photo facts", group="photo facts", exclusive=True, description="photo facts")

    async def _show_facts(self, item: FileItem) -> None:
        try:
            facts = await self._session.ask(lambda engine: engine.photo_facts(self._upload, item.id))
        except UploaderError as error:
            self._facts.show([Span(f" {cell_text(str(error))}", "muted")])
        else:
            self._facts.show([Span(f" {'  '.join(cell_text(text) for _, text in photo_lines(facts))}")])

    async def _draw(self) -> None:
        """Raises NoPicture."""
        item, (width, height) = self._item, self._area.size
        if not width or not height:
            return
        if self._decoded is None or self._decoded[0].id != item.id:
            self._show_keys("reading")
            most = max(_LEAST_PIXELS, width), max(_LEAST_PIXELS, 2 * height)
            self._decoded = item, await in_own_thread(partial(self._decoder.picture, item.path, most))
        decoded = self._decoded[1]
        slow = self._session.interval >= SLOW_STATUS_SECONDS
        how = picture_style(
            ascii_only=self.app.has_class("-ascii"),
            no_color=self.app.has_class("-plain"),
            colours=self.app.console.color_system,
        )
        most_bytes = MOST_BYTES_SLOW if slow else MOST_BYTES
        picture = await in_own_thread(partial(cell_picture, decoded, width, height, how, most_bytes))
        if self._redraw_wanted.is_set():
            return  # another file or another size is wanted by now
        self._area.show(picture)
        smaller = ", smaller for a slow connection" if slow else ""
        self._show_keys(f"picture {byte_count(picture.bytes)} to this terminal{smaller}")

    def _show_title(self) -> None:
        item = self._item
        name = clipped_name(cell_text(item.name), _LONGEST_NAME, self._glyphs.cut)
        status = Span(f" {self._glyphs.statuses[item.status]} ", item.status)
        position = f"{self._shown_index + 1:,} of {self._total:,} "
        self._title.show([status, Span(name, "strong"), Span(f"  {byte_count(item.size)}")], [Span(position)])

    def _show_keys(self, note: str) -> None:
        keys = (("Left Right", "previous, next"), ("Esc", "close"))
        spans = [span for key, label in keys for span in (Span(f" {key}", "key"), Span(f" {label} "))]
        self._keys.show(spans, [Span(f"{note} ", "muted")] if note else [])

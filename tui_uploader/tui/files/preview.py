"""The picture, the facts and a small map of the file under the cursor, beside the files of a wide terminal.

It is drawn only after the cursor has rested on a file, for each file once, and never on a slow connection. What changes
while a file is uploaded is left to the row of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Vertical

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, PhotoFacts
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.engine.session import SLOW_STATUS_SECONDS, EngineSession
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLines
from tui_uploader.tui.pictures.area import CellArea
from tui_uploader.tui.pictures.captions import end_words, fact_column
from tui_uploader.tui.pictures.cells import cell_picture, dots_in, picture_style
from tui_uploader.tui.pictures.decode import NoPicture
from tui_uploader.tui.pictures.flight_map import flight_map
from tui_uploader.tui.pictures.parts import View, end_of_file
from tui_uploader.tui.pictures.process import PictureProcess

CELLS = 58
"""Width."""
MOST_BYTES = 16_000
"""For one picture: it is drawn unasked."""
_FACT_LINES, _MAP_LINES = 9, 8


class Preview(Vertical):
    """Follows the cursor of the files pane when it rests."""

    def __init__(self, session: EngineSession, glyphs: Glyphs, resized: Callable[[], object]) -> None:
        """`resized` is to call `show` again."""
        super().__init__(id="preview")
        self._resized = resized
        self._session = session
        self._glyphs = glyphs
        self._shown: FileItem | None = None
        self._decoder = PictureProcess()
        self._area = CellArea(id="preview-picture")
        self._facts, self._map = SpanLines(glyphs, id="preview-facts"), SpanLines(glyphs, id="preview-map")

    def compose(self) -> ComposeResult:
        yield self._area
        yield self._facts
        yield self._map

    def on_unmount(self) -> None:
        self._decoder.close()

    def on_resize(self) -> None:
        self._shown = None
        self._resized()

    def show(self, upload: int, item: FileItem | None, *, whole_project: bool) -> None:
        """Show the file, if it is another one. `upload`: any of those whose files are listed."""
        slow = self._session.interval >= SLOW_STATUS_SECONDS
        if slow or not self.size.width or self.app.screen is not self.screen:
            return
        if item is None:
            self._clear()
        elif self._shown is None or self._shown.id != item.id:
            self._shown = item
            work = self._draw(upload, whole_project, item)
            self.run_worker(work, name="preview", group="preview", exclusive=True, description="preview")

    def _clear(self) -> None:
        self._shown = None
        self._area.show_sentence("")
        for lines, number in ((self._facts, _FACT_LINES), (self._map, _MAP_LINES)):
            lines.show([[] for _ in range(number)])

    async def _draw(self, upload: int, whole_project: bool, item: FileItem) -> None:
        facts, trouble = None, ""
        try:
            facts = await self._session.ask(lambda engine: engine.photo_facts(item.upload or upload, item.id))
        except UploaderError as error:
            trouble = str(error)
        lines = preview_lines(item, facts, trouble, self._glyphs)
        self._facts.show([*lines, *([] for _ in range(_FACT_LINES - len(lines)))])  # the picture keeps its size
        await self._draw_picture(item)
        await self._draw_map(upload, whole_project, item)

    async def _draw_picture(self, item: FileItem) -> None:
        width, height = self._area.size
        how = picture_style(
            ascii_only=self.app.has_class("-ascii"),
            no_color=self.app.has_class("-plain"),
            colours=self.app.console.color_system,
        )
        if not width or not height:
            return
        try:
            part = await in_own_thread(partial(self._decoder.picture, item.path, View(dots_in(width, height, how))))
        except NoPicture as error:
            self._area.show_sentence(str(error), "warning")
            return
        from PIL import Image

        image = Image.frombytes("RGB", part.size, part.pixels)
        picture = await in_own_thread(partial(cell_picture, image, width, height, how, MOST_BYTES))
        end = end_of_file(part, len(picture.rows))
        self._area.show(picture, None if end is None else (end, end_words(part)))

    async def _draw_map(self, upload: int, whole_project: bool, item: FileItem) -> None:
        try:
            found = await self._session.ask(
                lambda engine: engine.positions(upload, item.id, whole_project=whole_project)
            )
        except UploaderError:
            return  # the facts say what is wrong
        drawn = flight_map(found, CELLS - 2, _MAP_LINES, self._glyphs) if found.points else None
        rows = [[Span(" "), *row] for row in drawn.rows] if drawn is not None else []
        self._map.show([*rows, *([] for _ in range(_MAP_LINES - len(rows)))])


def preview_lines(item: FileItem, facts: PhotoFacts | None, trouble: str, glyphs: Glyphs) -> list[list[Span]]:
    """The name, and what the image states: nothing that changes while it is uploaded."""
    name = clipped_name(cell_text(item.name), CELLS - 1, glyphs.cut)
    stated = fact_column(replace(item, reason=None), facts, trouble, CELLS, glyphs)[1:]
    return [[Span(f" {name}", "strong")], *stated][:_FACT_LINES]

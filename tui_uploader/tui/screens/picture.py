"""One image over the whole screen, as a whole or pixel by pixel, with its facts and the commands on its file.

A picture is drawn once and not again until the user asks for another part of it, or another one: each crosses the
connection once.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Protocol

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, FileQuery, PhotoFacts
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.text import byte_count
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.engine.session import SLOW_STATUS_SECONDS, STATUS_SECONDS, EngineSession
from tui_uploader.tui.lines.glyphs import Glyphs
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.pictures.area import CellArea
from tui_uploader.tui.pictures.captions import end_words, zoom_words
from tui_uploader.tui.pictures.cells import (
    MOST_BYTES,
    MOST_BYTES_SLOW,
    STYLE_NAMES,
    CellPicture,
    PictureStyle,
    cell_picture,
    dots_in,
    picture_style,
)
from tui_uploader.tui.pictures.decode import NoPicture
from tui_uploader.tui.pictures.file_steps import FileSteps, Place, Steps
from tui_uploader.tui.pictures.parts import Part, View, cropped, end_of_file, middle, moved, next_zoom
from tui_uploader.tui.pictures.picture_lines import BESIDE_FROM, PictureLines
from tui_uploader.tui.pictures.process import PictureProcess
from tui_uploader.tui.terminal.resizing import ResizeGuard


class FileActions(Protocol):
    """What can be done to the file that is shown: the commands of the files pane."""

    def retry(self, item: FileItem) -> None: ...

    def remove(self, item: FileItem) -> None: ...

    def undo(self, item: FileItem) -> None: ...

    def toggle_mark(self, item: FileItem) -> None: ...

    def is_marked(self, item: FileItem) -> bool: ...


class PictureScreen(ResizeGuard, Screen[Place]):
    """Shows the image of one file after the other; returns the place of the last one."""

    CSS_PATH: ClassVar = ["picture.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,v", "close", "Close"),
        Binding("right,pagedown", "step(1)", "Next", show=False),
        Binding("left,pageup", "step(-1)", "Previous", show=False),
        Binding("home,g", "go(0)", "First", show=False),
        Binding("end,G", "go(-1)", "Last", show=False),
        Binding("n", "step(0, 1)", "Next problem", show=False),
        Binding("N", "step(0, -1)", "Previous problem", show=False),
        Binding("z", "zoom(1)", "Zoom", show=False),
        Binding("Z", "zoom(-1)", "Zoom back", show=False),
        Binding("l,shift+right", "pan(1, 0)", "Right", show=False),
        Binding("h,shift+left", "pan(-1, 0)", "Left", show=False),
        Binding("j,down,shift+down", "pan(0, 1)", "Down", show=False),
        Binding("k,up,shift+up", "pan(0, -1)", "Up", show=False),
        Binding("space", "select", "Select", show=False),
        Binding("R", "file('retry')", "Retry", show=False),
        Binding("x,delete", "file('remove')", "Remove", show=False),
        Binding("U", "file('undo')", "Undo", show=False),
        Binding("y", "copy_path", "Copy the path", show=False),
    ]

    def __init__(
        self, session: EngineSession, glyphs: Glyphs, upload: int, query: FileQuery, place: Place, actions: FileActions
    ) -> None:
        """`query` gives filter and order of the list (its window is ignored)."""
        super().__init__()
        self._session = session
        self._glyphs = glyphs
        self._upload = upload
        self._list = FileSteps(session, upload, query)
        self._place = place
        self._actions = actions
        self._steps = Steps()
        self._stale = True
        """The file, or its row, may have changed."""
        self._facts: PhotoFacts | None = None
        self._facts_trouble = ""
        self._view = View((1, 1))
        self._drawn: tuple[int, View] | None = None
        self._part: Part | None = None
        self._released: int | None = None
        """The file whose picture is to be drawn although the connection is slow."""
        self._counts = Counts()
        self._decoder = PictureProcess()
        self._work_wanted = asyncio.Event()
        self._area = CellArea()
        self._lines = PictureLines(glyphs)

    def compose(self) -> ComposeResult:
        yield self._lines.title
        with Horizontal(id="picture"):
            yield self._area
            yield self._lines.beside
        yield self._lines.below
        yield self._lines.note
        yield self._lines.keys

    def on_mount(self) -> None:
        self._ask_facts()
        self._area.show_sentence("Reading the picture.")
        self._counts = self._status_counts()
        self.set_interval(STATUS_SECONDS, self._check_for_changes)
        self.run_worker(self._keep_current(), name="picture", group="picture", exclusive=True, description="picture")

    def on_unmount(self) -> None:
        self._decoder.close()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE_FROM, "-beside")
        self._show_lines()
        self.call_after_refresh(self._work_wanted.set)

    # -------------------------------------------------------------------------------------------------- keys

    def action_step(self, files: int = 0, problems: int = 0) -> None:
        """Steps of one kind add up while the files are fetched; another kind starts anew."""
        before = self._steps
        steps = Steps(files=before.files + files) if files else Steps(problems=before.problems + problems)
        self._steps = steps
        self._work_wanted.set()

    def action_go(self, edge: int) -> None:
        self._steps = Steps(edge=edge)
        self._work_wanted.set()

    def action_zoom(self, steps: int) -> None:
        part, view = self._part, self._view
        if part is None:
            return
        zoom = next_zoom(part.full, view.most, view.zoom, steps)
        if zoom == view.zoom:
            self._lines.say("All pixels of this picture are shown already.")
            return
        self._view = replace(view, zoom=zoom, centre=middle(part) if part.zoom and zoom else None)
        self._work_wanted.set()

    def action_pan(self, across: int, down: int) -> None:
        """Move the part that is shown; of a whole picture there is no other part, and the keys go through the files."""
        part, view = self._part, self._view
        if not view.zoom:
            self.action_step(across or down)
        elif part is not None:
            self._view = replace(view, centre=moved(part, view.centre or middle(part), across, down))
            self._work_wanted.set()

    def action_select(self) -> None:
        """Select the file; on a slow connection the first press draws its picture."""
        if self._held_back:
            self._released = self._place.item.id
            self._work_wanted.set()
            return
        self._actions.toggle_mark(self._place.item)
        self._show_lines()

    def action_file(self, name: str) -> None:
        getattr(self._actions, name)(self._place.item)

    def action_copy_path(self) -> None:
        path = self._place.item.path
        self.app.copy_to_clipboard(path)
        self._lines.say(f"Path (copied if your terminal allows): {path}")

    def action_close(self) -> None:
        self.dismiss(self._place)

    # --------------------------------------------------------------------------------------- reading and drawing

    def _check_for_changes(self) -> None:
        """Look again at a file that is on its way, and at any other when the upload changed."""
        counts = self._status_counts()
        if counts != self._counts or self._place.item.status in (FileStatus.WAITING, FileStatus.UPLOADING):
            self._counts, self._stale = counts, True
            self._work_wanted.set()

    def _status_counts(self) -> Counts:
        uploads = self._session.status.uploads if self._session.status else ()
        here = self._place.item.upload or self._upload
        return next((upload.counts for upload in uploads if upload.upload == here), Counts())

    async def _keep_current(self) -> None:
        """Read and draw one file at a time, always the newest: a held key must not start a reader for every file."""
        while True:
            await self._work_wanted.wait()
            self._work_wanted.clear()
            try:
                await self._fetch_item()
            except UploaderError as error:
                self._lines.say(str(error))
            try:
                await self._draw()
            except NoPicture as error:
                self._drawn, self._part = (self._place.item.id, self._view), None
                self._area.show_sentence(str(error), "warning")
                self._lines.show_note(self.size.width, "")

    async def _fetch_item(self) -> None:
        """Fetch the file that is wanted now. Raises UploaderError."""
        steps, self._steps = self._steps, Steps()
        stale, self._stale = self._stale, False
        before = self._place
        if steps:
            self._place = await self._list.moved(before, steps)
        elif stale:
            self._place = await self._list.again(before)
        if self._place.item.id != before.item.id:
            self._ask_facts()
        elif self._place.item.status != before.item.status and (self._part is None or self._part.rows is not None):
            self._drawn = None  # a damaged file may have been copied again
        if self._place != before:
            self._show_lines()

    def _ask_facts(self) -> None:
        """Ask the engine beside the decoding: neither waits for the other."""
        self._facts, self._facts_trouble = None, ""
        self._show_lines()
        work = self._fetch_facts(self._place.item)
        self.run_worker(work, name="photo facts", group="photo facts", exclusive=True, description="photo facts")

    async def _fetch_facts(self, item: FileItem) -> None:
        upload = item.upload or self._upload
        try:
            self._facts = await self._session.ask(lambda engine: engine.photo_facts(upload, item.id))
        except UploaderError as error:
            self._facts_trouble = str(error)
        self._show_lines()

    @property
    def _slow(self) -> bool:
        return self._session.interval >= SLOW_STATUS_SECONDS

    @property
    def _held_back(self) -> bool:
        """Whether the connection is slow and the user did not ask for this picture."""
        item = self._place.item.id
        return self._slow and self._released != item and (self._drawn is None or self._drawn[0] != item)

    async def _draw(self) -> None:
        """Raises NoPicture."""
        item, (width, height) = self._place.item, self._area.size
        if not width or not height:
            return
        if self._held_back:
            self._drawn = self._part = None
            self._area.show_sentence(
                f"Slow connection: Space draws the picture, {byte_count(MOST_BYTES_SLOW)} at most."
            )
            self._lines.show_note(self.size.width, "")
            return
        how = style_of(self.app)
        self._view = view = replace(self._view, most=dots_in(width, height, how))
        if self._drawn == (item.id, view):
            return
        part = await in_own_thread(partial(self._decoder.picture, item.path, view))
        most_bytes = MOST_BYTES_SLOW if self._slow else MOST_BYTES
        picture = await in_own_thread(partial(_in_cells, part, (width, height), how, most_bytes))
        if self._work_wanted.is_set() and self._steps:
            return  # another file is wanted by now
        self._part = part = cropped(part, picture.dots)
        self._drawn = item.id, view
        end = end_of_file(part, len(picture.rows))
        self._area.show(picture, None if end is None else (end, end_words(part)))
        smaller = ", smaller for a slow connection" if self._slow else ""
        sent = f"picture {byte_count(picture.bytes)} to this terminal{smaller}"
        self._lines.show_note(self.size.width, zoom_words(part, picture.dots), sent, STYLE_NAMES[how])
        self._show_lines()

    # ---------------------------------------------------------------------------------------------------- lines

    def _show_lines(self) -> None:
        width, place = self.app.size.width, self._place
        self._lines.show_file(place, width, marked=self._actions.is_marked(place.item), zoomed=bool(self._view.zoom))
        self._lines.show_facts(place.item, self._facts, self._facts_trouble, width)

    def show_notice(self, notice: Noticed) -> None:
        """What became of a command stands on the line of notes until the next picture."""
        self._lines.say(notice.text)
        self._stale = True
        self._work_wanted.set()


def _in_cells(part: Part, cells: tuple[int, int], how: PictureStyle, most_bytes: int) -> CellPicture:
    from PIL import Image

    image = Image.frombytes("RGB", part.size, part.pixels)
    return cell_picture(image, *cells, how, most_bytes, exact=bool(part.zoom))


def style_of(app: App[Any]) -> PictureStyle:
    """The way to draw pictures on the terminal of the app."""
    return picture_style(
        ascii_only=app.has_class("-ascii"), no_color=app.has_class("-plain"), colours=app.console.color_system
    )

"""Details of one file, with the keys that work on it, and the previous and the next file."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileItem, PhotoFacts
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import byte_count, printable
from tui_uploader.tui.files.rows import uploaded_words
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.pictures.captions import photo_lines
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.wording.files import holding, not_an_image, original, reason, result_words, shown_status, verification
from tui_uploader.wording.uploads import end

if TYPE_CHECKING:
    from tui_uploader.tui.screens.main import MainScreen

_LABEL_CELLS = 13
_LOOK_SECONDS = 0.25


def file_lines(item: FileItem, upload: UploadStatus | None, now: float) -> list[tuple[str, str]]:
    """Label and text of each known fact. `upload`: that of the file, where the engine still reports it."""
    every = (
        ("Name", item.name),
        ("Path", item.path),
        ("Result", result_words(item)),
        ("Status", shown_status(item)),
        ("Why", holding(item) or (reason(item) if item.duplicate_of is None else None)),
        ("Copy of", original(item)),
        ("Next step", next_step(item)),
        ("Size", f"{byte_count(item.size)} ({item.size:,} bytes)"),
        ("Sent", f"{byte_count(item.sent)} ({item.sent:,} bytes)"),
        ("In project", item.object),
        ("Uploaded", uploaded_words(item.uploaded_at, datetime.fromtimestamp(now).date())),
        ("Verified", verification(item)),
        ("Upload", upload.project_name if upload is not None else None),
        ("Receipt", upload.receipt if upload is not None else None),
        ("The upload", end(upload.eta, now) if upload is not None and upload.eta is not None else None),
    )
    return [(label, text) for label, text in every if text]


def next_step(item: FileItem) -> str | None:
    """What the user can do about the file."""
    match item.status:
        case FileStatus.FAILED if item.damaged:
            return "Copy it again from the card, then R retries it; or x removes it from the queue."
        case FileStatus.FAILED:
            return "R retries it; x removes it from the queue."
        case FileStatus.DUPLICATE:
            return "It is not sent again; x removes it from the list."
        case FileStatus.WAITING:
            return "x removes it from the queue."
    return None


def key_line(item: FileItem) -> str:
    """The keys that work on this file."""
    retry = "R retry   " if item.status is FileStatus.FAILED else ""
    remove = "" if item.status in (FileStatus.UPLOADED, FileStatus.UPLOADING) else "x remove   "
    view = "" if not_an_image(item.name) else "v view   "
    return f"{retry}{remove}{view}Space select   y copy path   n N next, previous file   Esc close"


class FileDetailsScreen(ResizeGuard, ModalScreen[None]):
    """Follows its file, and goes to the next one in the order of the list behind it."""

    CSS_PATH: ClassVar = ["dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close"),
        Binding("R", "command('retry_selected')", "Retry", show=False),
        Binding("x,delete", "remove", "Remove", show=False),
        Binding("v", "view", "View the image", show=False),
        Binding("y", "command('copy_path')", "Copy the path", show=False),
        Binding("space", "select", "Select", show=False),
        Binding("n,right,j", "step(1)", "Next", show=False),
        Binding("N,left,k", "step(-1)", "Previous", show=False),
    ]

    def __init__(self, main: MainScreen, item: FileItem, *, wall: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._main = main
        self._item = item
        self._facts: list[tuple[str, str]] = []
        self._said = ""
        """The answer to a command, which the screen behind cannot show now."""
        self._wall = wall
        self._body = Static(id="details-body")
        self._keys = Static(id="details-keys")

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield self._body
            yield self._keys

    def on_mount(self) -> None:
        self._show()
        self._ask_facts()
        self.set_interval(_LOOK_SECONDS, self._look_again)

    def _show(self) -> None:
        item = self._item
        selected = item.id in self._main.files.table.marks
        title = "File, selected" if selected else "File"
        upload = self._main.panes.upload_of(item)
        lines = [*file_lines(item, upload, self._wall()), *self._facts]
        known = dict(lines)
        text = "\n".join(f"{label:<{_LABEL_CELLS}}{printable(known[label])}" for label in known)
        self._body.update(Content.assemble((title, "bold"), f"\n\n{text}"))
        said = f"\n{self._said}" if self._said else ""
        self._keys.update(Content(f"{said}\n{key_line(item)}"))

    def show_notice(self, notice: Noticed) -> None:
        self._said = printable(notice.text)
        self._show()

    def _look_again(self) -> None:
        """The file as it is now, if it is still under the cursor."""
        now = self._main.files.current_file
        if now is not None and now.id == self._item.id and now != self._item:
            self._item = now
            self._show()

    def _ask_facts(self) -> None:
        work = self._fetch_facts(self._item)
        self.run_worker(work, name="photo facts", group="photo facts", exclusive=True, description="photo facts")

    async def _fetch_facts(self, item: FileItem) -> None:
        """Add what the image states about itself, or why that cannot be read, unless the lines say so already."""
        try:
            facts: PhotoFacts = await self._main.photo_facts(item)
            lines = photo_lines(facts)
        except UploaderError as error:
            why = str(error)
            lines = [] if item.reason is not None and item.reason in why else [("Image", why)]
        if item.id == self._item.id:
            self._facts = lines
            self._show()

    def _show_file(self, item: FileItem) -> None:
        self._item, self._facts, self._said = item, [], ""
        self._show()
        self._ask_facts()

    # ------------------------------------------------------------------------------------- actions

    def action_command(self, name: str) -> None:
        self._main.command_on(name, self._item)

    def action_remove(self) -> None:
        if self._main.command_on("remove_selected", self._item):
            self.dismiss(None)

    async def action_view(self) -> None:
        if why := not_an_image(self._item.name):
            self.app.post_message(Noticed(f"{printable(self._item.name)} {why}"))
            return
        self.dismiss(None)
        await self.app.run_action("app.dialog('show_picture')")

    def action_select(self) -> None:
        self._main.files.toggle(self._item.id)
        self._show()

    def action_step(self, files: int) -> None:
        self._main.files.step_from(self._item, files, self._show_file)

    def action_close(self) -> None:
        self.dismiss(None)

"""The list of watched folders: what each is doing, with keys to add one, to remove one, and to go to its upload."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.errors import UploaderError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.watches import Watch
from tui_uploader.text import printable
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.tui.lines.list import LineList
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.watches.lines import detail_words, ordered, row_spans
from tui_uploader.wording.watches import removed

Remove = Callable[[int], Awaitable[Watch]]
"""Stops watching; raises UploaderError."""
AddAnother = Callable[[], object]
"""Opens the dialog for another folder."""

_LOOK_SECONDS = 0.5
_KEYS = "a watch another folder   x stop watching   Enter its upload   Esc close"
_NONE = (
    "No folder is watched.",
    "",
    "a watches one, such as the place where memory cards appear: new images in it are then uploaded automatically.",
)


class WatchList(LineList):
    """One row for each watch."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.open", "Its upload", show=False),
        Binding("x,delete", "screen.remove", "Stop watching", show=False),
    ]

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(glyphs, id=id)
        self.watches: tuple[Watch, ...] = ()
        self._uploads: Sequence[UploadStatus] = ()

    @property
    def length(self) -> int:
        return len(self.watches)

    @property
    def current(self) -> Watch | None:
        return self.watches[self.cursor] if self.cursor < len(self.watches) else None

    def show(self, watches: Sequence[Watch], uploads: Sequence[UploadStatus]) -> None:
        """The cursor stays on its watch, wherever that moves."""
        before = self.current
        self.watches, self._uploads = tuple(watches), uploads
        same = (at for at, each in enumerate(watches) if before is not None and each.watch == before.watch)
        self.cursor = next(same, self.cursor)
        self.changed()

    def spans(self, index: int, width: int) -> Sequence[Span]:
        return row_spans(self.watches[index], self._uploads, width, self.glyphs)


class WatchesScreen(ResizeGuard, ModalScreen[int | None]):
    """Returns the upload to go to; None: none."""

    CSS_PATH: ClassVar = ["../lines/list.tcss", "watches.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,W", "dismiss(None)", "Close"),
        Binding("a", "another", "Watch another folder"),
    ]

    def __init__(
        self,
        status: Callable[[], EngineStatus | None],
        remove: Remove,
        another: AddAnother,
        glyphs: Glyphs,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`status`: the newest."""
        super().__init__()
        self._status, self._remove, self._another = status, remove, another
        self._glyphs, self._wall = glyphs, wall
        self._list = WatchList(glyphs, id="watch-list")
        self._details, self._said = Static(id="watch-details"), Static(id="said")
        self._shown: tuple[object, ...] = ()
        self._gone: set[int] = set()
        """Removed, and perhaps still in the newest status."""

    def compose(self) -> ComposeResult:
        with Vertical(id="watches"):
            yield Static("Watched folders", id="title")
            yield self._list
            yield self._details
            yield self._said
            yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        self._list.focus()
        self._show()
        self.set_interval(_LOOK_SECONDS, self._show)
        self.watch(self._list, "cursor", self._show_details, init=False)

    def _show(self) -> None:
        """Draw what changed."""
        status = self._status()
        known = status.watches if status is not None else ()
        uploads = status.uploads if status is not None else ()
        watches = ordered([watch for watch in known if watch.watch not in self._gone])
        mine = [upload for upload in uploads if any(upload.upload == watch.upload for watch in watches)]
        state = (tuple(watches), tuple((upload.upload, upload.state) for upload in mine))
        if state != self._shown or not self._list.length:
            self._shown = state
            self._list.show(watches, mine)
            self._list.display = bool(watches)
            self._show_details()

    def _show_details(self) -> None:
        watch, status = self._list.current, self._status()
        uploads = status.uploads if status is not None else ()
        lines = detail_words(watch, uploads, self._wall()) if watch is not None else list(_NONE)
        text = "\n".join(printable(without_ornament(line)) for line in lines)
        if str(self._details.content) != text:
            self._details.update(Content(text))

    def _say(self, text: str) -> None:
        self._said.update(Content(printable(without_ornament(text))))

    def show_notice(self, notice: Noticed) -> None:
        """What the main screen, which is covered, would say."""
        self._say(notice.text)

    def action_another(self) -> None:
        self._another()

    def action_open(self) -> None:
        watch = self._list.current
        if watch is not None and watch.upload is None:
            self._say("No upload yet: it has found no images.")
        elif watch is not None:
            self.dismiss(watch.upload)

    def action_remove(self) -> None:
        if self._list.current is not None:
            self.run_worker(self._stop(self._list.current), name="remove watch", group="remove watch")

    async def _stop(self, watch: Watch) -> None:
        try:
            await self._remove(watch.watch)
        except UploaderError as error:
            self._say(str(error))
        else:
            self._gone.add(watch.watch)
            self._say(removed(watch))
            self._show()

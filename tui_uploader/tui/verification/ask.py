"""Ask the user which card, folder or file to verify."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui_uploader.errors import UploaderError
from tui_uploader.model.verification import VerificationStatus
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.paths.path_field import PathField
from tui_uploader.tui.add_files.paths.resolve_paths import ResolvedPaths, resolve_paste, resolve_typed, typed_warning
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.messages import HastyKey
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.note import Note

Start = Callable[[tuple[str, ...]], Awaitable[VerificationStatus]]
"""Starts the verification of absolute paths. Raises UploaderError."""

_MOST_CANDIDATES = 20
_ABOUT = "Every file in it is read again, and compared with what is in the cloud. Nothing is changed on the card."
_KEYS = "Enter verify   Tab complete   Esc cancel"


class AskPathScreen(ResizeGuard, ModalScreen[VerificationStatus | None]):
    """Returns the verification that was started; None if cancelled. Stays open, with the path, if that fails."""

    CSS_PATH: ClassVar = ["ask.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "cancel", "Cancel")]

    def __init__(self, proposed: str, here: str, home: str, start: Start) -> None:
        """`proposed`: the path to begin with; `here`: where relative paths start. All absolute."""
        super().__init__()
        self._here, self._home, self._start = here, home, start
        self._path = PathField(proposed, here, home, id="path")
        self._candidates = Static(id="candidates")
        self._note = Note(_KEYS)

    def compose(self) -> ComposeResult:
        with Vertical(id="ask-path"):
            yield Static("May this card be wiped?", id="title")
            yield Static(Content(_ABOUT), id="about")
            with Horizontal(id="row"):
                yield Static("Path", id="label")
                yield self._path
            yield self._candidates
            yield self._note

    def on_mount(self) -> None:
        self._path.focus()

    def on_key(self, event: events.Key) -> None:
        """Enter counts only if a person pressed it: not within pasted text."""
        if isinstance(event, HastyKey) and event.key == "enter":
            event.stop()
            event.prevent_default()
            self._note.say("Read the path, then press Enter.", warning=True)

    @on(Input.Changed)
    def _forget_note(self) -> None:
        self._note.say(_KEYS)
        self._candidates.display = False

    @on(PathField.Candidates)
    def _show_candidates(self, message: PathField.Candidates) -> None:
        shown = "  ".join(cell_text(name) for name in message.names[:_MOST_CANDIDATES])
        self._candidates.update(Content(shown))
        self._candidates.display = bool(shown)

    @on(PathField.Dropped)
    def _take_dropped(self, message: PathField.Dropped) -> None:
        look_up = partial(resolve_paste, message.text, self._home)
        self.run_worker(self._verify(look_up), name="verify", group="verify", exclusive=True)

    def action_done_choosing(self) -> None:
        look_up = partial(resolve_typed, self._path.value.strip() or self._here, self._here, self._home)
        self.run_worker(self._verify(look_up), name="verify", group="verify", exclusive=True)

    async def _verify(self, look_up: Callable[[], ResolvedPaths]) -> None:
        self._note.say("Looking at the card.")
        resolved = await in_own_thread(look_up)
        if warning := typed_warning(resolved):
            self._note.say(warning, warning=True)
            return
        try:
            status = await self._start(tuple(found.path for found in resolved.found))
        except UploaderError as error:
            self._note.say(str(error), warning=True)
        else:
            self.dismiss(status)

    def action_cancel(self) -> None:
        self.dismiss(None)

"""The dialog for another watched folder."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui_uploader.errors import UploaderError, UsageError
from tui_uploader.model.watches import DEFAULT_NAME, DEFAULT_QUIET_SECONDS, Watch, WatchRequest
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import CheckBox
from tui_uploader.tui.widgets.note import Note
from tui_uploader.tui.widgets.text_field import TextField

AddWatch = Callable[[WatchRequest], Awaitable[Watch]]
"""Watches a folder from now on; raises UploaderError."""

_KEYS = "Enter watch  Tab next field  Space change  Esc cancel"
_MINUTE = 60.0
_HINTS = {
    "watched": "The folder in which images appear, such as the place where memory cards are mounted.",
    "name": "Name of the project of each card. {card}, {date}, {site} and {camera} are filled in.",
    "quiet": "Minutes without new images before processing starts.",
}


def watch_request(path: str, home: Path | None, **settings: object) -> WatchRequest:
    """For a typed path, which may begin with `~`. Raises UsageError for an empty one."""
    typed = path.strip()
    if not typed:
        raise UsageError("Type the path of the folder to watch.")
    if home is not None and (typed == "~" or typed.startswith("~/")):
        typed = f"{home}{typed[1:]}"
    return WatchRequest(typed, **settings)  # type: ignore[arg-type]


def quiet_seconds(typed: str) -> float:
    """Raises UsageError for what is no number of minutes."""
    if not re.fullmatch(r"\d{1,4}([.,]\d{1,2})?", typed.strip(), re.ASCII):
        raise UsageError("The time without new images is a number of minutes, such as 10.")
    return float(typed.strip().replace(",", ".")) * _MINUTE


class NewWatchScreen(ResizeGuard, ModalScreen[Watch | None]):
    """Returns the new watch; None if cancelled. Stays open while the engine refuses it."""

    CSS_PATH: ClassVar = ["../widgets/choices.tcss", "watches.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Watch"),
        Binding("escape", "cancel", "Cancel"),
    ]

    def __init__(self, add: AddWatch, account: str | None, home: Path | None) -> None:
        super().__init__()
        self._add, self._account, self._home = add, account, home
        self._path = TextField(placeholder="/media/card", id="watched")
        self._template = TextField(DEFAULT_NAME, id="name")
        self._process = CheckBox("process automatically, after", True, id="process")
        self._quiet = TextField(f"{DEFAULT_QUIET_SECONDS / _MINUTE:g}", id="quiet")
        self._verify = CheckBox("check whether the card may be wiped, when all is in the cloud", False, id="verify")
        self._note = Note()

    def compose(self) -> ComposeResult:
        with Vertical(id="new-watch"):
            yield Static("Watch a folder", id="title")
            for label, field in (("Folder", self._path), ("Project", self._template)):
                with Horizontal(classes="row"):
                    yield Static(label, classes="label")
                    yield field
            with Horizontal(classes="row"):
                yield Static("Then", classes="label")
                yield self._process
                yield self._quiet
                yield Static(" min without new images")
            with Horizontal(classes="row"):
                yield Static("", classes="label")
                yield self._verify
            yield self._note
            with Horizontal(classes="row", id="buttons"):
                yield Button("Watch", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        self._path.focus()

    def on_descendant_focus(self) -> None:
        """Show what the focused field is for."""
        hint = _HINTS.get(self.focused.id or "") if self.focused is not None else None
        if hint is not None:
            self._note.say(hint)

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        self.run_worker(self._save(), name="new watch", group="new watch", exclusive=True)

    async def _save(self) -> None:
        try:
            request = watch_request(
                self._path.value,
                self._home,
                name=self._template.value.strip() or DEFAULT_NAME,
                account=self._account,
                auto_process=self._process.checked,
                quiet_seconds=quiet_seconds(self._quiet.value),
                verify_after=self._verify.checked,
            )
            watch = await self._add(request)
        except UploaderError as error:
            self._note.say(str(error), warning=True)
        else:
            self.dismiss(watch)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)

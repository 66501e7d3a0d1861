"""The field for a path: Tab completes it and tells what it may become; files dropped onto it are passed on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_uploader.model import ProjectKind
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.folder_counts import MOST_ENTRIES, listed
from tui_uploader.tui.add_files.path_completion import completed, folder_and_start, inert_part, meant_path
from tui_uploader.tui.add_files.resolve_paths import is_drop
from tui_uploader.tui.widgets.text_field import TextField


class PathField(TextField):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False),
        Binding("down", "app.focus_next", "To the folders", show=False),
    ]

    @dataclass
    class Candidates(Message):
        """What Tab found."""

        names: tuple[str, ...]
        """Empty when there is no choice, or nothing at all."""

    @dataclass
    class Dropped(Message):
        text: str

    def __init__(self, folder: str, here: str, home: str, *, id: str) -> None:
        self._placed = _start_of(folder)
        super().__init__(self._placed, id=id)
        self.kind = ProjectKind.IMAGES
        """Files of this kind are completed, beside folders."""
        self._here, self._home = here, home
        self._told = ""

    def place(self, folder: str) -> None:
        """Start from `folder`; that alone does not mean that somebody wants to upload it."""
        self._placed = _start_of(folder)
        self.value = self._placed
        self.cursor_position = len(self.value)

    @property
    def was_typed(self) -> bool:
        """Somebody wrote what is in the field."""
        return bool(self.value.strip()) and self.value != self._placed

    @property
    def folder(self) -> str:
        """Absolute path of the folder that is being typed in."""
        return meant_path(folder_and_start(self.value)[0], self._here, self._home)

    def on_paste(self, event: events.Paste) -> None:
        if is_drop(event.text):
            event.prevent_default()
            event.stop()
            self.post_message(self.Dropped(event.text))
        else:
            super().on_paste(event)

    def action_complete(self) -> None:
        self._complete()

    @work(group="completion", exclusive=True, description="complete a path")
    async def _complete(self) -> None:
        """Where nothing can be added, or the choice was told before, Tab does what it does elsewhere: it goes on."""
        typed = self.value
        look = partial(listed, self.folder, self.kind, hidden=True, files=True, most=MOST_ENTRIES)
        listing = await in_own_thread(look)
        if self.value != typed:  # typed on meanwhile
            return
        names = [f"{entry.name}/" if entry.is_folder else entry.name for entry in listing.entries]
        completion = completed(typed, names)
        self.value = completion.text
        self.cursor_position = len(self.value)
        self.post_message(self.Candidates(completion.candidates))
        if completion.text == typed and (not completion.candidates or self._told == typed):
            self.screen.focus_next()
        self._told = completion.text


def _start_of(folder: str) -> str:
    return inert_part(folder if folder.endswith("/") else f"{folder}/")

"""The path field: Tab completes the path, then chooses it; files dropped onto the field are passed on to the dialog."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_uploader.model.projects import ProjectKind
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.paths.folder_counts import MOST_ENTRIES, list_folder
from tui_uploader.tui.add_files.paths.path_completion import absolute_path, complete, folder_and_start, printable_start
from tui_uploader.tui.add_files.paths.resolve_paths import is_drop
from tui_uploader.tui.widgets.text_field import TextField


class PathField(TextField):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False),
        Binding("enter", "screen.done_choosing", "Choose", show=False),
        Binding("down", "app.focus_next", "To the folders", show=False),
    ]

    @dataclass
    class Candidates(Message):
        """The names that match after Tab."""

        names: tuple[str, ...]
        """Empty if there is only one or none."""

    @dataclass
    class Dropped(Message):
        """Files were dropped onto the field."""

        text: str

    def __init__(self, folder: str, here: str, home: str, *, id: str) -> None:
        self._prefilled = _as_prefix(folder)
        super().__init__(self._prefilled, id=id)
        self.kind = ProjectKind.IMAGES
        """Kind of the files that are completed, besides folders."""
        self._here, self._home = here, home
        self._listed_for = ""
        """The text for which the candidates were last shown."""

    def prefill(self, folder: str) -> None:
        """Fill in `folder` as a starting point; it does not count as typed."""
        self._prefilled = _as_prefix(folder)
        self.value = self._prefilled
        self.cursor_position = len(self.value)
        self._listed_for = ""

    @property
    def was_typed(self) -> bool:
        """Whether the user changed the field."""
        return bool(self.value.strip()) and self.value != self._prefilled

    @property
    def folder(self) -> str:
        """Absolute path of the folder part of the text."""
        return absolute_path(folder_and_start(self.value)[0], self._here, self._home)

    @property
    def absolute(self) -> str:
        """Absolute path of the text."""
        return absolute_path(self.value, self._here, self._home)

    def insert_text_at_cursor(self, text: str) -> None:
        """An absolute path replaces the folder that was filled in."""
        if not self.was_typed and self.cursor_at_end and text.startswith(("/", "~")):
            self.value = ""
        super().insert_text_at_cursor(text)

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
        """Complete a name that was begun, or show those that it may become. Tab does this once for each text.

        With a whole path it chooses that, as Enter does; with nothing typed it moves on, as elsewhere.
        """
        typed = self.value
        if not self.was_typed:
            self.screen.focus_next()
            return
        if typed.endswith("/") or self._listed_for == typed:
            await self.run_action("screen.done_choosing")
            return
        list_names = partial(list_folder, self.folder, self.kind, hidden=True, files=True, most=MOST_ENTRIES)
        listing = await in_own_thread(list_names)
        if self.value != typed:  # typed on meanwhile
            return
        names = [f"{entry.name}/" if entry.is_folder else entry.name for entry in listing.entries]
        completion = complete(typed, names)
        self.value = completion.text
        self.cursor_position = len(self.value)
        self._listed_for = completion.text
        self.post_message(self.Candidates(completion.candidates))
        if completion.text == typed and not completion.candidates:
            await self.run_action("screen.done_choosing")


def _as_prefix(folder: str) -> str:
    return printable_start(folder if folder.endswith("/") else f"{folder}/")

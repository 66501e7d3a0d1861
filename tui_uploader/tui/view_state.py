"""What the user looked at, kept from one attachment to the next in a small private file.

What is read back may have been changed by anything: it is checked, bounded, and at worst forgotten.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec.structs import replace

from tui_uploader.model.engine import EngineStatus
from tui_uploader.ownership import private
from tui_uploader.tui.files.views import FilesView, Number, Text
from tui_uploader.tui.screens.main import MainScreen

_FILE = "view.json"
_LARGEST = 256 * 1024
"""Bytes of a file that is read at all."""
_MOST_PROJECTS = 200
_SAVE_SECONDS = 60.0
_PANES = ("projects", "files", "uploads")


class ViewState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that is kept."""

    seen: Annotated[float, msgspec.Meta(ge=0, le=4e9)] | None = None
    """When the screen was last shown, in seconds since the epoch; None: never."""
    pane: Text = "files"
    """The focused pane."""
    upload: Number | None = None
    """The upload under the cursor."""
    told: Annotated[tuple[Text, ...], msgspec.Meta(max_length=100)] = ()
    """Keys of former versions about which the user was told."""
    projects: Mapping[Text, FilesView] = {}
    """How the files of each project are shown, the one that was shown last at the end."""


def read_view(folder: Path) -> ViewState:
    """What was kept in `folder`; nothing if there is no such file, or it is not one of ours."""
    try:
        with (folder / _FILE).open("rb") as file:
            content = file.read(_LARGEST + 1)
        return msgspec.json.decode(content, type=ViewState) if len(content) <= _LARGEST else ViewState()
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return ViewState()


def write_view(folder: Path, view: ViewState) -> None:
    """Keep it in a file that only its user can read, replaced as a whole. Where that fails, it is forgotten."""
    newest = dict(list(view.projects.items())[-_MOST_PROJECTS:])
    content = msgspec.json.encode(replace(view, projects=newest))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{_FILE}-", dir=private(folder))  # its mode is 0600
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(folder / _FILE)
    except OSError:
        Path(name).unlink(missing_ok=True)


class ViewKeeper:
    """Brings back what the user looked at, and keeps it now and then, and at the end."""

    def __init__(self, folder: Path, main: MainScreen, wall: Callable[[], float]) -> None:
        self._folder = folder
        self._main = main
        self._wall = wall
        self._read: ViewState | None = None
        self._saved_at = wall()

    @property
    def last_seen(self) -> float | None:
        """When the user saw the screen before this time; None: never."""
        return self._read.seen if self._read is not None else None

    def follow(self, status: EngineStatus) -> None:
        """After the screen has shown `status`: bring the view back at the first one, else keep it now and then."""
        if self._read is None:
            self._read = read_view(self._folder)
            self._restore(self._read, status)
        elif self._wall() - self._saved_at >= _SAVE_SECONDS:
            self.save()

    def _restore(self, view: ViewState, status: EngineStatus) -> None:
        main = self._main
        main.told.update(view.told)
        main.files.views.update(view.projects)
        main.files.restore_view()
        # What was added in the meantime is more important than what the user looked at.
        added = any(view.seen is None or upload.added_at > view.seen for upload in status.uploads)
        if added:
            return
        if view.upload is not None and any(upload.upload == view.upload for upload in status.uploads):
            main.panes.show_upload(view.upload)
        if view.pane in _PANES and view.pane != main.pane:
            main.action_focus_pane(view.pane)

    def save(self) -> None:
        """Does nothing before the view was brought back: it would be lost."""
        if self._read is None:
            return
        self._saved_at = self._wall()
        main = self._main
        upload = main.uploads.current
        write_view(
            self._folder,
            ViewState(
                seen=self._saved_at,
                pane=main.pane,
                upload=upload.upload if upload is not None else None,
                told=tuple(sorted(main.told)),
                projects=main.files.current_views(),
            ),
        )

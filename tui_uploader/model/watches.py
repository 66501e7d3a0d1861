"""Watched folders: new images in them are uploaded automatically."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tui_uploader.model.projects import Target

DEFAULT_NAME = "{card} {date}"
"""Template for the names of projects, see `WatchRequest.name`."""
DEFAULT_QUIET_SECONDS = 600.0


class WatchState(StrEnum):
    ABSENT = "absent"
    """The path does not exist: its card is not plugged in."""
    WATCHING = "watching"
    """Everything in the folder is added; new files will be."""
    ADDING = "adding"
    """New files were found, and are added when nothing has written to them for a moment."""
    VERIFYING = "verifying"
    """Everything is in the cloud, and the card is read again to prove that it may be wiped."""
    BLOCKED = "blocked"
    """It needs a person; see `reason`."""


class WatchRequest(msgspec.Struct, frozen=True):
    path: str
    """Absolute path of a folder, which may not exist yet."""
    target: Target | None = None
    """None: a new project for each card, named by `name`."""
    name: str = DEFAULT_NAME
    """Template: `{site}` (nearest folder above the images that no camera has made, inside the watched one), `{date}`
    (when the first image was taken, YYYY-MM-DD), `{camera}`, `{card}` (label of the card, or name of the watched
    folder). Values that are not known are left out."""
    account: str | None = None
    """None: the account of the default login."""
    auto_process: bool = True
    quiet_seconds: float = DEFAULT_QUIET_SECONDS
    """Processing starts when no new image has come for this long."""
    verify_after: bool = False
    """Verify the card when everything is in the cloud, and tell whether it may be wiped."""


class Watch(msgspec.Struct, frozen=True):
    """A watched folder, as front ends show it."""

    watch: int
    path: str
    state: WatchState
    since: float
    """When the watch was created."""
    project_name: str = ""
    """Of the upload that the card in it goes to now; else the template or the project that was named."""
    upload: int | None = None
    """The upload that the card in it goes to now."""
    verify_after: bool = False
    auto_process: bool = True
    quiet_seconds: float = DEFAULT_QUIET_SECONDS
    polled: bool = False
    """The file system tells nothing about changes, so the folder is looked at every few seconds."""
    cards: int = 0
    """Different cards that were uploaded by it."""
    verification: int | None = None
    """The newest verification of the card in it."""
    reason: str | None = None
    """Why it is blocked, or else what the user should know: a sentence."""

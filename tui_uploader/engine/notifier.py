"""Wakes each worker when something changes that it works on.

A commit of the journal says which stages files came to or left, and which uploads and projects changed; everything
else that changes is announced by the part of the engine that owns it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from enum import Enum, auto

from tui_uploader.engine.journal.summary import Commit
from tui_uploader.model.states import FileStage


class Topic(Enum):
    """What can change besides the files in a stage."""

    UPLOADS = auto()
    """State or settings of an upload, or the paths that are still to be walked for it."""
    WORK = auto()
    """An upload got something to do, or has nothing left to do."""
    PROJECTS = auto()
    ACCOUNTS = auto()
    """A login, a problem with an account, or the state of a link."""
    BANDWIDTH = auto()
    """The permission to send, the rate limit, or the number of streams."""
    STORAGE = auto()
    """The storage of a project accepts files again."""
    SOURCES = auto()
    """A memory card or disk stopped responding, or responds again."""
    TRANSFERS = auto()
    """A transfer began or ended."""
    HISTORY = auto()
    """An event was written."""
    STATUS = auto()
    """Facts that are only shown to the user."""


Subject = Topic | FileStage
"""A stage changes when files come to it or leave it."""


class Notifier:
    """Made before the workers, and passed down to all that has changes to announce. Belongs to one event loop."""

    def __init__(self) -> None:
        self._subscriptions: list[tuple[asyncio.Event, frozenset[Subject]]] = []
        self._watchers: set[asyncio.Event] = set()
        self._end_pauses: list[Callable[[], None]] = []

    def subscribe(self, *subjects: Subject) -> asyncio.Event:
        """Return an event that is set whenever one of the subjects changes."""
        event = asyncio.Event()
        self._subscriptions.append((event, frozenset(subjects)))
        return event

    def unsubscribe(self, event: asyncio.Event) -> None:
        self._subscriptions = [each for each in self._subscriptions if each[0] is not event]

    @contextlib.contextmanager
    def watching(self) -> Iterator[asyncio.Event]:
        """Provide an event that is set whenever anything changes."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            yield event
        finally:
            self._watchers.discard(event)

    def notify(self, *subjects: Subject) -> None:
        """Set the events of those that subscribed to one of the subjects, and of all watchers."""
        for event, wanted in self._subscriptions:
            if not wanted.isdisjoint(subjects):
                event.set()
        for event in self._watchers:
            event.set()

    def notify_all(self) -> None:
        self.notify(*Topic, *FileStage)

    def committed(self, commit: Commit) -> None:
        """Announce the changes that a commit of the journal made."""
        self.notify(*subjects_of(commit))

    def on_retry(self, end_pauses: Callable[[], None]) -> None:
        """Have every `retry_now` call `end_pauses`."""
        self._end_pauses.append(end_pauses)

    def retry_now(self) -> None:
        """End all pauses after failures."""
        for end_pauses in self._end_pauses:
            end_pauses()
        self.notify_all()


def subjects_of(commit: Commit) -> set[Subject]:
    """The subjects that a commit changed: pure."""
    subjects: set[Subject] = set(commit.stages)
    if commit.projects:
        subjects.add(Topic.PROJECTS)
    if commit.before.history != commit.after.history:
        subjects.add(Topic.HISTORY)
    for upload in commit.uploads:
        if commit.before.upload(upload) != commit.after.upload(upload):
            subjects.add(Topic.UPLOADS)
        if commit.before.busy(upload) != commit.after.busy(upload):
            subjects.add(Topic.WORK)
    return subjects

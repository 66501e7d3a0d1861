"""One watched folder: a worker that looks at it when something may have changed, and decides what to do next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from functools import partial

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import ProjectRecord, UploadRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.journal.tables import sources, watches
from tui_uploader.engine.journal.tables.watches import CardRecord, WatchRecord
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.verification.verifier import Verifier
from tui_uploader.engine.watches.additions import FileAdder, Progress
from tui_uploader.engine.watches.alarm import MOST_FOLDERS, FolderAlarm
from tui_uploader.engine.watches.arrival import Arrivals
from tui_uploader.engine.watches.card_verification import CardVerification
from tui_uploader.engine.watches.listing import Place, folders_below, place_at
from tui_uploader.errors import (
    EngineError,
    NoSuchPath,
    SourceUnreadable,
    SourceVanished,
    TooManyImages,
    UploaderError,
)
from tui_uploader.intake.disks import tells_its_changes
from tui_uploader.intake.volumes import Volume
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.text import counted, printable

log = logging.getLogger(__name__)

_LOOK_AT_PLACE = 3.0
"""Seconds between two looks at what is mounted at the path."""
_POLL = 5.0
"""Seconds between two looks into a folder whose file system does not report changes."""
_LONG_POLL = 900.0
"""The same where it does: for what is behind links, and for reports that were lost."""
_RETRY = 30.0
"""Seconds after which a watch that is blocked tries again."""
_SCAN_SHARE, _SHARE_OF_RESTLESS = 20, 3
"""Looks into a folder with many files take at most a 20th of the time, and a third while files are being written."""


@dataclass(slots=True)
class _There:
    """The folder that is at the path now."""

    place: Place
    volume: Volume
    card: CardRecord | None = None
    progress: Progress = field(default_factory=Progress.none)
    alarm: FolderAlarm | None = None


class WatchedFolder:
    """A worker. `status` may be asked at any time."""

    def __init__(
        self,
        context: EngineContext,
        projects: Projects,
        verifier: Verifier,
        threads: SourceThreads,
        record: WatchRecord,
        cards: set[int],
    ) -> None:
        """`cards`: numbers of the cards that came since the watch was created."""
        self.record = record
        self.wakeup = context.notifier.subscribe(Topic.UPLOADS, Topic.WORK, Topic.ACCOUNTS)
        self.looked = asyncio.Event()
        """Set after the first look."""
        self._context = context
        self._threads = threads
        self._path = record.path
        self._arrivals = Arrivals(context, projects, threads, record)
        self._adder = FileAdder(context, threads, record)
        self._afterwards = CardVerification(context, verifier, record)
        self._there: _There | None = None
        self._cards = cards
        self._polled = False
        self._adding = False
        self._blocked: str | None = None
        self._changed = True
        """Something in the folder may have changed since the last look."""
        self._next_look = 0.0
        self._after_start = True

    # ------------------------------------------------------------------------------------------------- status

    def status(self) -> Watch:
        request, there = self.record.request, self._there
        card = there.card if there is not None else None
        upload = None if card is None else self._context.summary.upload(card.upload)
        project = None if upload is None else self._context.summary.projects[upload.project]
        blocked = self._silence() or self._blocked or _obstacle(upload)
        note = None if project is None or not request.auto_process else _not_processed(self._context.summary, project)
        return Watch(
            watch=self.record.id,
            path=self._path,
            state=self._state(blocked, card),
            since=self.record.created_at,
            project_name=_target_name(self.record) if project is None else project.name,
            upload=None if upload is None else upload.id,
            verify_after=request.verify_after,
            auto_process=request.auto_process,
            quiet_seconds=request.quiet_seconds,
            polled=self._polled,
            cards=len(self._cards),
            verification=None if card is None else card.verification,
            reason=blocked or note,
        )

    def _silence(self) -> str | None:
        if not self._threads.hangs(self._path):
            return None
        return (
            f"{printable(self._path)} does not respond: its card, disk or network folder hangs. The engine waits for "
            "it. If it stays silent, take the card out and put it back in."
        )

    def _state(self, blocked: str | None, card: CardRecord | None) -> WatchState:
        if blocked is not None:
            return WatchState.BLOCKED
        if self._there is None:
            return WatchState.ABSENT
        if self._adding or self._there.progress.restless:
            return WatchState.ADDING
        verifying = card is not None and self._afterwards.running(card)
        return WatchState.VERIFYING if verifying else WatchState.WATCHING

    # --------------------------------------------------------------------------------------------------- work

    async def step(self) -> float | None:
        before = self.status()
        try:
            await self._look()
            await self._verify()
            self._blocked = None
        except (SourceVanished, NoSuchPath):
            self._leave()
        except EngineError:
            raise
        except UploaderError as error:
            if str(error) != self._blocked:
                log.warning("Watch %d of %s: %s", self.record.id, printable(self._path), error)
            self._blocked = str(error)
        finally:
            self.looked.set()
            if self.status() != before:
                self._context.notifier.notify(Topic.STATUS)
        return self._pause()

    def close(self) -> None:
        self._leave()
        self._context.notifier.unsubscribe(self.wakeup)

    async def _look(self) -> None:
        now = self._context.clocks.monotonic()
        due = self._changed or now >= self._next_look
        there = await self._at_place()
        if there is None or not (due or self._changed):
            return
        self._changed = False
        began = time.monotonic()
        await self._watch_folders(there)
        await self._add(there)
        took = time.monotonic() - began
        pause = max(_POLL if self._polled else _LONG_POLL, took * _SCAN_SHARE)
        if there.progress.restless:
            pause = max(self._context.unfinished.unchanged_seconds, took * _SHARE_OF_RESTLESS)
        self._next_look = self._context.clocks.monotonic() + pause

    async def _at_place(self) -> _There | None:
        """The folder that is there now."""
        volume = self._context.sources.volume_of(self._path)
        place = await self._threads.run_briefly(self._path, place_at, self._path)
        if self._there is not None and (place != self._there.place or volume != self._there.volume):
            self._leave()
        if place is not None and self._there is None:
            self._there = _There(place, volume)
        return self._there

    def _leave(self) -> None:
        """The folder is not there any more, or another one is."""
        if self._there is not None and self._there.alarm is not None:
            self._there.alarm.stop()
        self._there, self._changed, self._polled = None, True, False

    # -------------------------------------------------------------------------------------------- its changes

    async def _watch_folders(self, there: _There) -> None:
        """Be told of changes in the folder, where the system can; else look every few seconds."""
        alarm = there.alarm
        if alarm is not None and alarm.failure is not None and not self._polled:
            log.info("%s is looked at every few seconds: %s", printable(self._path), printable(alarm.failure, 200))
            self._polled = True
        if self._polled:
            return
        folders = None
        if tells_its_changes(there.volume):
            folders = await self._threads.run(self._path, folders_below, self._path, MOST_FOLDERS)
        if folders is None:
            self._polled = True
        elif alarm is None or alarm.folders != frozenset(folders):
            if alarm is not None:
                alarm.stop()
            there.alarm = FolderAlarm(folders, self._wake)

    def _wake(self) -> None:
        self._changed = True
        self.wakeup.set()

    # -------------------------------------------------------------------------------------------- its content

    async def _add(self, there: _There) -> None:
        if there.card is None:
            arrival = await self._arrivals.identify(
                there.progress.restless, partial(self._is_still, there), after_start=self._after_start
            )
            there.progress.restless = dict(arrival.restless)
            there.card = arrival.card
            if there.card is None:
                return
            self._cards.add(there.card.id)
            if not self._after_start:
                there.card = await self._afterwards.returned(there.card)
        self._after_start = False
        if self._upload_of(there.card).state is UploadState.CANCELLED:
            return
        self._adding = True
        self._context.notifier.notify(Topic.STATUS)
        number = there.card.id
        try:
            added = await self._adder.add_new(there.card, there.progress, partial(self._is_still, there))
        except (SourceVanished, NoSuchPath, SourceUnreadable) as error:
            await self._note_incomplete(there.card.upload, error)
            raise
        finally:
            self._adding = False
        if added:
            before = there.card.verification
            there.card = await self._context.journal.read(lambda connection: watches.card(connection, number))
            await self._afterwards.outdated(before)

    def _upload_of(self, card: CardRecord) -> UploadRecord:
        upload = self._context.summary.upload(card.upload)
        assert upload is not None, "an upload with files stays"
        return upload

    async def _verify(self) -> None:
        """Verify the card once all of it is in the cloud."""
        there = self._there
        if there is None or there.card is None or self._changed or there.progress.restless:
            return
        if self.record.request.verify_after and self._upload_of(there.card).state is UploadState.COMPLETE:
            there.card = await self._afterwards.verified(there.card)

    async def _is_still(self, there: _There) -> bool:
        """Whether no other card came since: all that was read is then of the one that was there."""
        volume = self._context.sources.volume_of(self._path)
        return volume == there.volume and await self._threads.run(self._path, place_at, self._path) == there.place

    async def _note_incomplete(self, upload: int, error: UploaderError) -> None:
        with contextlib.suppress(EngineError):
            await self._context.journal.write(
                lambda connection: sources.note_failed_walk(connection, upload, self._path, error.kind, str(error))
            )

    def _pause(self) -> float:
        now = self._context.clocks.monotonic()
        if self._blocked is not None:
            return _RETRY
        if self._there is None:
            return _LOOK_AT_PLACE
        return max(0.0, min(_LOOK_AT_PLACE, self._next_look - now))


def _target_name(record: WatchRecord) -> str:
    target = record.request.target
    return record.request.name if target is None else getattr(target, "name", "") or getattr(target, "id_or_name", "")


def _obstacle(upload: UploadRecord | None) -> str | None:
    """Why no new files of the card are uploaded, which only the user can change: a sentence."""
    if upload is None:
        return None
    if upload.state is UploadState.CANCELLED:
        return (
            f"Upload {upload.id} was cancelled, so new images of this card are not added. To continue it: "
            f"tui-uploader resume {upload.id}"
        )
    if upload.state is UploadState.PAUSED and upload.notice_kind == TooManyImages.__name__:
        return upload.notice
    return None


def _not_processed(summary: Summary, project: ProjectRecord) -> str | None:
    """Why the newest images are not processed automatically: a sentence."""
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if not project.was_processed or project.processed_images is None or images <= project.processed_images:
        return None
    name = printable(project.name)
    return (
        f"Processing of {name} was started before its newest {counted(images - project.processed_images, 'image')} "
        f"came. What came later is uploaded, and processed only when you start it: tui-uploader process "
        f"{project.remote_id} --again"
    )

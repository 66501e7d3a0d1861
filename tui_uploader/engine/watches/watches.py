"""Commands on watched folders, and the tasks that look after them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from tui_uploader.engine import worker
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import UploadRecord
from tui_uploader.engine.journal.tables import history, watches
from tui_uploader.engine.journal.tables.watches import WatchRecord
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.verification.verifier import Verifier
from tui_uploader.engine.watches.folder import WatchedFolder
from tui_uploader.engine.watches.listing import resolved
from tui_uploader.engine.watches.naming import check_template
from tui_uploader.engine.watches.places import refusal
from tui_uploader.errors import LinkError, NoSuchWatch, UsageError
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.watches import Watch, WatchRequest
from tui_uploader.settings import Directories, home_folder
from tui_uploader.text import printable

_SHORTEST_QUIET, _LONGEST_QUIET = 1.0, 7 * 86_400.0
_FIRST_LOOK = 2.0
"""Seconds that an answer waits for the first look at the folder."""
_AFTER_START = 30.0
"""Seconds in which uploads of watched folders are not completed, because images may have come meanwhile."""
_THREADS = 2
"""For each file system."""


class Watches:
    """Every method raises errors of `errors` and nothing else."""

    def __init__(self, context: EngineContext, projects: Projects, verifier: Verifier) -> None:
        self._context = context
        self._projects = projects
        self._verifier = verifier
        self._own: list[str] = []
        self._threads = SourceThreads(
            _THREADS, partial(context.notifier.notify, Topic.STATUS), context.sources.volume_of
        )
        self._folders: dict[int, WatchedFolder] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()

    def __bool__(self) -> bool:
        """Whether a folder is watched: then the engine keeps running."""
        return bool(self._folders)

    async def start(self, directories: Directories) -> None:
        """Watch what was watched before. To be called before uploads can be completed."""
        self._own = [os.fspath(each) for each in (directories.config, directories.data, directories.state)]
        for record in await self._context.journal.read(watches.every_watch):
            await self._begin(record, self._context.clocks.wall())

    async def close(self) -> None:
        for number in list(self._folders):
            await self._end(number)
        self._threads.close()

    # ----------------------------------------------------------------------------------------------- commands

    async def add(self, request: WatchRequest) -> Watch:
        """Watch a folder from now on; if it is watched already, change the settings.

        Raises UsageError for a folder that cannot be watched, NoSuchProject, NotSignedIn.
        """
        check_template(request.name)
        if not math.isfinite(request.quiet_seconds) or not (_SHORTEST_QUIET <= request.quiet_seconds <= _LONGEST_QUIET):
            raise UsageError("The quiet period is a time from 1 second to 7 days, such as 10m.")
        await self._check_target(request)
        async with self._changing:
            request = replace(request, path=await self._checked_path(request.path))
            now = self._context.clocks.wall()
            known = request.path in self._watched()

            def add(connection: sqlite3.Connection) -> WatchRecord:
                record = watches.add(connection, request, now)
                if not known:
                    event = PastEvent(0, now, EventKind.WATCH_ADDED, detail=request.path)
                    history.record(connection, now, [event])
                return record

            record = await self._context.journal.write(add)
            await self._end(record.id)
            folder = await self._begin(record, now)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_LOOK):
                await folder.looked.wait()
        self._context.notifier.notify(Topic.STATUS)
        return folder.status()

    async def remove(self, watch: int) -> Watch:
        """Stop watching a folder; what was added stays in its uploads. Raises NoSuchWatch."""
        async with self._changing:
            folder = self._folders.get(watch)
            if folder is None:
                raise NoSuchWatch(f"There is no watch {watch}. `tui-uploader watch list` lists them.")
            status, now = folder.status(), self._context.clocks.wall()

            def remove(connection: sqlite3.Connection) -> None:
                watches.remove(connection, watch)
                event = PastEvent(0, now, EventKind.WATCH_REMOVED, detail=folder.record.path)
                history.record(connection, now, [event])

            filled = self._uploads_of(watch)
            await self._end(watch)
            await self._context.journal.write(remove)
            for upload in filled:
                self._context.quiet.end(upload.id)
        self._context.notifier.notify(Topic.STATUS, Topic.UPLOADS, Topic.WORK)
        return status

    def list(self) -> tuple[Watch, ...]:
        return tuple(folder.status() for _, folder in sorted(self._folders.items()))

    # -------------------------------------------------------------------------------------------------- tasks

    async def _begin(self, record: WatchRecord, now: float) -> WatchedFolder:
        cards = await self._context.journal.read(lambda connection: watches.cards(connection, record.path))
        since = {card.id for card in cards if card.found_at >= record.created_at}
        for upload in self._uploads_of(record.id):
            last = max((card.last_file_at for card in cards if card.upload == upload.id), default=now)
            quiet = record.request.quiet_seconds
            left = quiet - max(0.0, now - last)  # the wall clock may have been set
            self._context.quiet.begin(upload.id, min(quiet, max(left, _AFTER_START)))
        folder = WatchedFolder(self._context, self._projects, self._verifier, self._threads, record, since)
        self._folders[record.id] = folder
        self._tasks[record.id] = asyncio.create_task(
            worker.run(f"watch {record.id}", folder, self._context.faults), name=f"watch-{record.id}"
        )
        return folder

    async def _end(self, number: int) -> None:
        folder, task = self._folders.pop(number, None), self._tasks.pop(number, None)
        if folder is None or task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._context.faults.recovered(f"watch {number}")
        folder.close()

    def _uploads_of(self, watch: int) -> Sequence[UploadRecord]:
        return [upload for upload in self._context.summary.uploads.values() if upload.watch == watch]

    # -------------------------------------------------------------------------------------------------- checks

    def _watched(self) -> dict[str, int]:
        return {folder.record.path: number for number, folder in self._folders.items()}

    async def _check_target(self, request: WatchRequest) -> None:
        """Raises UsageError, NoSuchProject, NotSignedIn."""
        self._context.accounts.chosen(request.account)
        if request.target is None:
            return
        with contextlib.suppress(LinkError):  # the first card will tell
            await self._projects.for_upload(request.target, request.account, ProjectKind.IMAGES)
        known = await self._projects.known(request.target, request.account, ProjectKind.IMAGES)
        if known is not None and self._context.summary.projects[known].kind is not ProjectKind.IMAGES:
            name = printable(self._context.summary.projects[known].name)
            raise UsageError(f"{name} is a project of results; a watched folder uploads images.")

    async def _checked_path(self, given: str) -> str:
        """The path without `.` and empty steps. Raises UsageError for a folder that cannot be watched."""
        if not given.startswith("/") or "\0" in given:
            raise UsageError("The engine takes only absolute paths: its working folder is not yours.")
        plain = os.path.normpath(given)
        plain = plain[1:] if plain.startswith("//") else plain
        real, is_file = plain, False
        with contextlib.suppress(TimeoutError, OSError, RuntimeError):
            async with asyncio.timeout(_FIRST_LOOK):
                real = await self._threads.run(given, resolved, given)
                is_file = await self._threads.run(real, Path(real).is_file)
        path = real if ".." in Path(given).parts else plain  # where that leads only the file system knows
        if is_file:
            raise UsageError(
                f"{printable(path)} is a file. Name a folder to watch, or upload the file without --watch."
            )
        home = home_folder()
        others = {other: number for other, number in self._watched().items() if other != path}
        reason = refusal(path, real, home=None if home is None else str(home), own=self._own, watched=others)
        if reason is not None:
            raise UsageError(reason)
        return path

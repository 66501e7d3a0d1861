"""Check found files: read each once, inspect it, and choose the name under which it is uploaded."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.journal.tables import deduplication, file_parts, files, known_contents
from tui_uploader.engine.journal.tables.known_contents import KnownContent
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.image_limit import hold_if_too_many
from tui_uploader.engine.results.grouping import ResultGroups, fail_rest
from tui_uploader.engine.scheduling.concurrency import may_read_ahead
from tui_uploader.engine.scheduling.worker_failures import QUIET_TRIES, FailureCounts, given_up
from tui_uploader.engine.sources.read import Reading, facts_of_damaged, read_file
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.sources.unfinished import GiveUp, HasZeroTail, ObserveAgain, ZeroTailRule, zero_tail_reason
from tui_uploader.errors import (
    EngineError,
    SourceChanged,
    SourceDamaged,
    SourceRefused,
    UnforeseenFailure,
    UploaderError,
)
from tui_uploader.file_kinds import extension_of
from tui_uploader.intake.fingerprint import ReadingStopped
from tui_uploader.intake.observation import observe
from tui_uploader.intake.scan import Candidate
from tui_uploader.intake.volumes import Volume
from tui_uploader.model.projects import MAX_IMAGES, ProjectKind
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.text import printable

log = logging.getLogger(__name__)

_WORKER = "file check"
_READERS = 2
"""For each file system."""
_ORDER_SECONDS = 5.0
"""How long a file waits until those found before it, perhaps on another card, are read."""
_AT_ONCE = 16
_MAX_DEFERRED = 2000
"""Files that are waited for at once; more are observed as these are read."""
_TIFF = (".tif", ".tiff")
_READ_IN = (UploadState.PREPARING, UploadState.ACTIVE)
_LARGE = 256 * 1024**2
"""Bytes of a file whose reading is stopped when it is taken out of the queue: it takes a second or more."""


class Checker:
    """Checks found files, two at a time on each file system, taking turns between uploads."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(FileStage.FOUND, FileStage.READY, Topic.UPLOADS, Topic.SOURCES)
        self._threads = SourceThreads(_READERS, volume_of=context.sources.volume_of)
        self._under_way: dict[int, tuple[int, Volume]] = {}
        """By file: its project and its file system."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest: dict[int, asyncio.Task[None]] = {}
        self._faults: FailureCounts[int] = FailureCounts(context.clocks.monotonic)
        self._groups = ResultGroups(context)
        self.readings: dict[int, Reading] = {}
        """By file: what is being read now."""

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        await self._stop_unwanted()
        next_try = await self._groups.settle_waiting()
        deferred = self._context.unfinished.deferred
        if len(deferred) < _MAX_DEFERRED:
            for row, read_before in await self._next_rows(now):
                self._begin(row, read_before)
        dues = [*(each.until for each in deferred.values()), *self._faults.resting.values()]
        dues += [] if next_try is None else [next_try]
        return min(dues) - now if dues else None

    async def _stop_unwanted(self) -> None:
        """Stop reading files whose upload does not run any more, and large ones that were taken out of the queue."""
        uploads = self._context.summary.uploads
        for reading in self.readings.values():
            upload = uploads.get(reading.upload)
            if upload is None or upload.state not in _READ_IN:
                reading.stopped = True
        large = [file for file, reading in self.readings.items() if reading.size >= _LARGE]
        if large:
            gone = await self._context.journal.read(
                lambda connection: [file for file in large if not files.is_found(connection, file)]
            )
            for file in gone:
                if file in self.readings:
                    self.readings[file].stopped = True

    async def close(self) -> None:
        for reading in self.readings.values():
            reading.stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.close()

    def silent_disk(self, project: int) -> Volume | None:
        """Return the memory card or disk that does not answer and that files of the project are read from."""
        hanging = self._context.sources.hanging()
        return next((disk for owner, disk in self._under_way.values() if owner == project and disk in hanging), None)

    def _to_read(self, now: float) -> list[UploadRecord]:
        """Uploads with unread files whose account needs more to send: one that is stalled holds up no other."""
        summary = self._context.summary
        running = [upload for upload in summary.uploads.values() if upload.state in _READ_IN]
        ready: Counter[str] = Counter()
        for upload in running:
            ready[self._account_of(upload)] += summary.bytes(upload.id, FileStage.READY)
        goodput = self._context.progress.goodput(now)
        return [
            upload
            for upload in running
            if summary.files(upload.id, FileStage.FOUND) and may_read_ahead(ready[self._account_of(upload)], goodput)
        ]

    def _account_of(self, upload: UploadRecord) -> str:
        return self._context.summary.projects[upload.project].account

    async def _next_rows(self, now: float) -> list[tuple[FileRecord, KnownContent | None]]:
        """The next files to check, and what is known of their content from an earlier check.

        A project whose large files keep the readers of a file system busy gets no more of that file system until those
        are read.
        """
        busy = self._busy_volumes()
        waiting = {
            upload.id: [volume.point for volume in busy[upload.project] if not volume.is_root]
            for upload in self._to_read(now)
            if not any(volume.is_root for volume in busy[upload.project])
        }
        if not waiting:
            return []
        passing_over = (
            *self._under_way,
            *self._context.unfinished.deferred,
            *self._faults.resting,
            *self._groups.checked,
        )

        def next_in_turns(connection: sqlite3.Connection) -> list[tuple[FileRecord, KnownContent | None]]:
            heads = [
                files.unchecked(connection, upload, _AT_ONCE, passing_over, but_in)
                for upload, but_in in waiting.items()
            ]
            chosen = itertools.islice(_in_turns(heads), _AT_ONCE)
            return [(row, known_contents.find(connection, row.path)) for row in chosen]

        rows = await self._context.journal.read(next_in_turns)
        # A path may lead to a busy file system by a symbolic link.
        return [(row, read_before) for row, read_before in rows if self._volume_of(row) not in busy[row.project]]

    def _busy_volumes(self) -> defaultdict[int, set[Volume]]:
        """By project: the file systems whose readers it keeps busy, and those that hang."""
        counts = Counter(self._under_way.values())
        hanging = [volume for volume in self._context.sources.hanging() if not volume.is_root]
        busy: defaultdict[int, set[Volume]] = defaultdict(lambda: set(hanging))
        for (project, volume), number in counts.items():
            if number > _READERS:
                busy[project].add(volume)
        return busy

    def _volume_of(self, row: FileRecord) -> Volume:
        return self._context.sources.volume_of(row.path)

    def _begin(self, row: FileRecord, read_before: KnownContent | None) -> None:
        """Read files side by side, settle them in order: of two with one content, the first found is the original."""
        task = asyncio.create_task(self._check(row, read_before, self._latest.get(row.project)), name=f"check-{row.id}")
        self._under_way[row.id] = (row.project, self._volume_of(row))
        self._latest[row.project] = task
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._end(row, task))

    def _end(self, row: FileRecord, task: asyncio.Task[None]) -> None:
        del self._under_way[row.id]
        self._tasks.discard(task)
        if self._latest.get(row.project) is task:
            del self._latest[row.project]
        self.wakeup.set()

    async def _check(
        self, row: FileRecord, read_before: KnownContent | None, before: asyncio.Task[None] | None
    ) -> None:
        try:
            try:
                await self._check_content(row, read_before, before)
            except EngineError:
                raise
            except SourceChanged:
                await self._note_change(row)
            except SourceRefused as error:
                if not self._context.unfinished.defer_refused(row):
                    await self._give_up(row, error)
            except UploaderError as error:
                await self._give_up(row, error)
            self._context.faults.recovered(_WORKER)
            self._faults.passed(row.id)
        except UnforeseenFailure as error:
            await self._note_fault(row, error)
        except UploaderError as error:
            await self._context.faults.failed(_WORKER, error)
        except Exception as error:
            log.exception("Unexpected error while checking a file")
            await self._note_fault(row, error)

    async def _check_content(
        self, row: FileRecord, read_before: KnownContent | None, before: asyncio.Task[None] | None
    ) -> None:
        project = self._context.summary.projects[row.project]
        if not await self._may_be_read(row, project.kind):
            return
        reading = self.readings[row.id] = Reading(row.upload, row.size)
        try:
            checked = await self._threads.run(row.path, read_file, row, project.kind, read_before, reading.observe)
        except ReadingStopped:
            return
        finally:
            del self.readings[row.id]
        if before is not None:
            await asyncio.wait({before}, timeout=_ORDER_SECONDS)
        candidate, content = checked.candidate, checked.content
        if content is None:
            await self._settle(row, lambda connection: _note_changed(connection, row.id, candidate))
            if not self._context.unfinished.has_observed(row, candidate):
                await self._note_change(row)
            return
        if row.result_type is not None:
            await self._groups.note(row, checked)
            self._context.unfinished.note_read(row.id)
            return

        def settle(connection: sqlite3.Connection) -> None:
            deduplication.settle_check(connection, row.id, candidate, content, checked.parts)
            if project.kind is ProjectKind.IMAGES and deduplication.images_held(connection, project.id) > MAX_IMAGES:
                # Files that looked like known images of the project turned out to be new ones.
                hold_if_too_many(connection, row.upload)

        await self._settle(row, settle)
        self._context.unfinished.note_read(row.id)

    async def _may_be_read(self, row: FileRecord, kind: ProjectKind) -> bool:
        """Whether no program is still writing the file. Raises SourceRefused when its copy was interrupted."""
        zero_tail = _zero_tail_rule(row, kind)
        unfinished = self._context.unfinished
        if zero_tail is not ZeroTailRule.REFUSE and not unfinished.needs_observation(row):
            return True
        observation = await self._threads.run(row.path, observe, row.path, row.real)
        match unfinished.note_observation(row, observation, zero_tail):
            case ObserveAgain():
                return False
            case GiveUp(reason):
                await self._give_up(row, SourceChanged(reason))
                return False
            case HasZeroTail(zeros):
                raise SourceDamaged(zero_tail_reason(row.path, zeros))
        return True

    async def _settle(self, row: FileRecord, change: Callable[[sqlite3.Connection], None]) -> None:
        """Write down the result of a check. A file that returns to the queue unchanged keeps the parts already sent."""
        if row.multipart is None:
            await self._context.journal.write(change)
            return
        kept: list[int] = []

        def settle(connection: sqlite3.Connection) -> None:
            change(connection)
            kept.append(file_parts.stored_bytes_of(connection, row.id))

        await self._context.journal.write(
            settle, then=lambda: self._context.progress.set_parts(row.upload, row.id, kept[-1])
        )

    async def _note_change(self, row: FileRecord) -> None:
        """The file changed after it was observed: it is deferred, or fails if it has changed too often."""
        too_often = self._context.unfinished.note_change(row)
        if too_often is not None:
            await self._give_up(row, SourceChanged(too_often.reason))

    async def _note_fault(self, row: FileRecord, error: Exception) -> None:
        """Retry a file whose check meets a fault of the program; then let it fail."""
        doing = f"check {printable(row.path)}"
        if self._faults.failed(row.id) > QUIET_TRIES:
            self._faults.passed(row.id)
            with contextlib.suppress(EngineError):  # it is retried, and fails then
                await self._give_up(row, given_up(error, doing))

    async def _give_up(self, row: FileRecord, error: UploaderError) -> None:
        facts = None
        if isinstance(error, SourceDamaged) and self._context.summary.projects[row.project].kind is ProjectKind.IMAGES:
            facts = await self._threads.run(row.path, facts_of_damaged, row)

        def fail(connection: sqlite3.Connection) -> None:
            if files.file(connection, row.id).stage is FileStage.FOUND:
                if facts is not None:
                    known_contents.remember(connection, row.candidate, facts)
                if isinstance(error, SourceRefused):
                    file_parts.forget(connection, row.id)
                files.fail(connection, row.id, error.kind, str(error))
                fail_rest(connection, row)

        await self._context.journal.write(fail)


def _zero_tail_rule(row: FileRecord, kind: ProjectKind) -> ZeroTailRule:
    """A JPEG has an end marker, and zeros after it do no harm. Maps have zeros where nothing was measured."""
    if kind is ProjectKind.RESULTS:
        return ZeroTailRule.WAIT
    return ZeroTailRule.REFUSE if extension_of(row.path) in _TIFF and not row.accepted else ZeroTailRule.IGNORE


def _note_changed(connection: sqlite3.Connection, file: int, candidate: Candidate) -> None:
    if files.file(connection, file).stage is FileStage.FOUND:
        files.note_change(connection, file, candidate)


def _in_turns(queues: Sequence[Sequence[FileRecord]]) -> Iterator[FileRecord]:
    """One of each upload, then the next of each."""
    for turn in itertools.zip_longest(*queues):
        yield from (row for row in turn if row is not None)

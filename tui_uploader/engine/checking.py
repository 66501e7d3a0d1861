"""From paths to files that may be sent: walks folders, reads every file once, and decides under which name it goes."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tui_uploader.engine.core import Core, unforeseen
from tui_uploader.engine.journal import files, uploads
from tui_uploader.engine.journal.files import Content, FileRow
from tui_uploader.engine.journal.summary import UploadRow, read_summary
from tui_uploader.engine.pacing import may_read_ahead
from tui_uploader.errors import EngineError, SourceChanged, TooManyImages, UploaderError
from tui_uploader.intake.fingerprint import fingerprint
from tui_uploader.intake.inspect import inspect_image, inspect_result
from tui_uploader.intake.scan import Candidate, ScanBatch, candidate_of, scan
from tui_uploader.model import MAX_IMAGES, FileStage, ProjectKind, UploadEvent, UploadState
from tui_uploader.text import counted

log = logging.getLogger(__name__)

_ROOM = "intake"
_READERS = 2
_AT_ONCE = 16
_QUEUED = (FileStage.FOUND, FileStage.READY, FileStage.SENDING, FileStage.STORED, FileStage.REGISTERED)


class Scanner:
    """Walks the paths of uploads, in threads, one walk an upload."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._walks: dict[int, asyncio.Task[int]] = {}

    async def step(self) -> None:
        """Begin the walks that were asked for, or that an end of the engine interrupted."""
        for upload in self._core.summary.uploads.values():
            if upload.unscanned and upload.state is not UploadState.CANCELLED:
                self.walk(upload.id)

    def walk(self, upload: int) -> asyncio.Task[int]:
        """The walk of the upload, which returns how many candidates it found."""
        running = self._walks.get(upload)
        if running is None or running.done():
            running = asyncio.create_task(self._walk(upload), name=f"scan-{upload}")
            self._walks[upload] = running
            running.add_done_callback(_log_failure)
        return running

    async def close(self) -> None:
        for walk in self._walks.values():
            walk.cancel()
        await asyncio.gather(*self._walks.values(), return_exceptions=True)

    async def _walk(self, upload_id: int) -> int:
        upload = self._core.summary.uploads[upload_id]
        project = self._core.summary.projects[upload.project]
        paths = await self._core.journal.read(lambda connection: uploads.unscanned(connection, upload_id))
        found = 0
        try:
            batches = scan(paths, project.kind)
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                found += len(batch.candidates)
                await self._core.journal.write(_keeping(batch, upload_id, project.id))
        finally:
            # A path that cannot be walked is told to the user once, not walked for ever.
            await self._core.journal.write(lambda connection: _end_walk(connection, upload_id, paths))
        return found


def _end_walk(connection: sqlite3.Connection, upload_id: int, paths: Sequence[str]) -> None:
    """The service's limit is told before anything is sent; the user decides what goes."""
    uploads.mark_scanned(connection, upload_id, paths)
    summary = read_summary(connection)
    project = summary.projects[summary.uploads[upload_id].project]
    images = summary.project_files(project.id, *_QUEUED)
    if project.kind is not ProjectKind.IMAGES or images <= MAX_IMAGES:
        return
    message = (
        f"{counted(images, 'image')} are more than the {MAX_IMAGES:,} that one project takes. "
        "Nothing is being sent. Remove some and resume, or split them over several projects."
    )
    uploads.move_upload(connection, upload_id, UploadEvent.PAUSE, unless_impossible=True)
    uploads.set_notice(connection, upload_id, TooManyImages.__name__, message)


def _keeping(batch: ScanBatch, upload: int, project: int) -> Callable[[sqlite3.Connection], None]:
    def keep(connection: sqlite3.Connection) -> None:
        files.add_candidates(connection, upload, project, batch.candidates)
        files.add_skipped(connection, upload, ((skipped.path, skipped.reason) for skipped in batch.skipped))

    return keep


def _log_failure(walk: asyncio.Task[int]) -> None:
    if not walk.cancelled() and walk.exception() is not None:
        log.warning("A walk ended early: %s", walk.exception())


class Checker:
    """Reads found files, two at a time, taking turns between uploads."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._threads = ThreadPoolExecutor(_READERS, "intake")
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._latest: asyncio.Task[None] | None = None

    async def step(self) -> float | None:
        if len(self._under_way) > _READERS or not self._may_read():
            return None
        for row, known in await self._next_rows():
            task = asyncio.create_task(self._check(row, known, self._latest), name=f"check-{row.id}")
            self._under_way[row.id] = self._latest = task
        return None

    async def close(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _may_read(self) -> bool:
        core = self._core
        ready = sum(core.summary.bytes(upload.id, FileStage.READY) for upload in self._running())
        return may_read_ahead(ready, core.live.goodput(core.clocks.monotonic()))

    def _running(self) -> list[UploadRow]:
        states = (UploadState.PREPARING, UploadState.ACTIVE)
        return [upload for upload in self._core.summary.uploads.values() if upload.state in states]

    async def _next_rows(self) -> list[tuple[FileRow, Content | None]]:
        """Files to look at, and what is known of their content from an earlier time."""
        waiting = [upload.id for upload in self._running() if self._core.summary.files(upload.id, FileStage.FOUND)]
        if not waiting:
            return []
        taken = tuple(self._under_way)

        def next_in_turns(connection: sqlite3.Connection) -> list[tuple[FileRow, Content | None]]:
            heads = [files.unchecked(connection, upload, _AT_ONCE, taken) for upload in waiting]
            chosen = itertools.islice(_in_turns(heads), _AT_ONCE)
            return [(row, files.known_content(connection, row.candidate)) for row in chosen]

        return await self._core.journal.read(next_in_turns)

    async def _check(self, row: FileRow, known: Content | None, before: asyncio.Task[None] | None) -> None:
        """Files are read side by side and settled in turn: of two with one content, the first found is the original."""
        try:
            try:
                await self._look_at(row, known, before)
            except (EngineError, SourceChanged):
                raise
            except UploaderError as error:
                await self._give_up(row, error)
            self._core.recovered(_ROOM)
        except SourceChanged:
            pass  # it stays found, and is looked at again
        except UploaderError as error:
            await self._core.trouble(_ROOM, error)
        except Exception as error:
            log.exception("Checking a file met something unforeseen")
            await self._core.trouble(_ROOM, unforeseen(error))
        finally:
            del self._under_way[row.id]
            self._core.ring()

    async def _look_at(self, row: FileRow, known: Content | None, before: asyncio.Task[None] | None) -> None:
        kind = self._core.summary.projects[row.project].kind
        loop = asyncio.get_running_loop()
        candidate, content = await loop.run_in_executor(self._threads, _read, row.candidate, kind, known)
        if before is not None:
            await asyncio.wait({before})
        if content is None:
            await self._core.journal.write(lambda connection: files.note_change(connection, row.id, candidate))
        else:
            await self._core.journal.write(
                lambda connection: files.settle_check(connection, row.id, candidate, content)
            )

    async def _give_up(self, row: FileRow, error: UploaderError) -> None:
        def fail(connection: sqlite3.Connection) -> None:
            if files.file(connection, row.id).stage is FileStage.FOUND:
                files.fail(connection, row.id, error.kind, str(error))

        await self._core.journal.write(fail)


def _in_turns(queues: Sequence[Sequence[FileRow]]) -> Iterator[FileRow]:
    """One of each upload, then the next of each."""
    for turn in itertools.zip_longest(*queues):
        yield from (row for row in turn if row is not None)


def _read(expected: Candidate, kind: ProjectKind, known: Content | None) -> tuple[Candidate, Content | None]:
    """The file as it is on disk now, and its content if it is still the `expected` one and of use.

    Raises SourceError.
    """
    found = candidate_of(expected.path)
    if found != expected:
        return found, None
    if known is not None:
        return found, known
    inspect = inspect_image if kind is ProjectKind.IMAGES else inspect_result
    if found.size == 0:
        inspect(found.path)  # says why nothing of it can be used
    read = fingerprint(found)
    inspect(found.path)
    return found, Content(read.identity, read.crc32)

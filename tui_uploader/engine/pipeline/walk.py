"""Walks the paths that were added to uploads, and writes down what is in them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import known_contents, sources, uploads, walked
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.image_limit import hold_if_too_many
from tui_uploader.engine.scheduling.worker_failures import FailureCounts, WorkerKey, cause_of, is_quiet, unforeseen
from tui_uploader.engine.sources.recognise import Recognised, recognise
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import (
    EngineError,
    NoSuchPath,
    SourceUnreadable,
    SourceVanished,
    UnforeseenFailure,
    UploaderError,
)
from tui_uploader.intake.scan import ScanBatch, scan
from tui_uploader.model import Skipped, UploadState
from tui_uploader.text import printable

log = logging.getLogger(__name__)

_WALKER = WorkerKey("walk")
_WALKS_AT_ONCE = 4
"""In each file system."""
_TURN_SECONDS = 10.0
"""Paths of one upload are walked one after the other, but none waits longer than this for the one before it."""

_HANGS_AFTER = 60.0
"""Seconds without a single batch: the largest folder of a slow card takes less."""

Result = TypeVar("Result")
_Source = tuple[int, str]
"""Upload and path."""


class Scanner:
    """Walks the paths of uploads, in threads, each by itself: the failure of one is its own.

    A path stays to be walked until it was walked to its end: a stop of the engine, a full disk or a card that is not
    there yet only put that off. What failed is tried again, with growing pauses.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(Topic.UPLOADS)
        self._threads = SourceThreads(_WALKS_AT_ONCE, volume_of=context.sources.volume_of)
        self._walks: dict[_Source, asyncio.Task[UploaderError | None]] = {}
        self._latest: dict[int, asyncio.Task[UploaderError | None]] = {}
        self._failures: FailureCounts[_Source] = FailureCounts(context.clocks.monotonic)
        context.notifier.on_retry(self._failures.end_pauses)

    async def step(self) -> float | None:
        """Begin the walks that were asked for, or that did not come to their end before."""
        open_uploads = [
            upload.id
            for upload in self._context.summary.uploads.values()
            if upload.unscanned and upload.state is not UploadState.CANCELLED
        ]
        if not open_uploads:
            self._context.faults.recovered(_WALKER.name)
            return None

        def unscanned(connection: sqlite3.Connection) -> list[_Source]:
            return [(upload, path) for upload in open_uploads for path in sources.unscanned(connection, upload)]

        rests = []
        for source in await self._context.journal.read(unscanned):
            if source in self._walks:
                continue
            if rest := self._failures.rest(source):
                rests.append(rest)
            else:
                self.walk(*source)
        return min(rests, default=None)

    def walk(self, upload: int, path: str) -> asyncio.Task[UploaderError | None]:
        """The walk of a path of the upload. Its result is why it did not come to its end; it is tried again then."""
        source = (upload, path)
        if source not in self._walks:
            walk = asyncio.create_task(self._walk(source, self._latest.get(upload)), name=f"scan-{upload}")
            self._walks[source] = self._latest[upload] = walk
            walk.add_done_callback(lambda _: self._end(source, walk))
        return self._walks[source]

    async def close(self) -> None:
        walks = list(self._walks.values())
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)
        self._threads.close()

    def _end(self, source: _Source, walk: asyncio.Task[UploaderError | None]) -> None:
        del self._walks[source]
        if self._latest.get(source[0]) is walk:
            del self._latest[source[0]]
        self.wakeup.set()

    async def _walk(self, source: _Source, before: asyncio.Task[UploaderError | None] | None) -> UploaderError | None:
        """The edge of a task: a failure is logged, shown, and becomes its result."""
        if before is not None:
            await asyncio.wait({before}, timeout=_TURN_SECONDS)
        failure: UploaderError
        try:
            await self._walk_to_the_end(*source)
        except UnforeseenFailure as error:
            failure = unforeseen(error, f"look through {printable(source[1])}")
        except UploaderError as error:
            failure = error
        except Exception as error:
            log.exception("A walk met something unforeseen")
            failure = unforeseen(error, f"look through {printable(source[1])}")
        else:
            self._failures.passed(source)
            self._context.faults.recovered(_WALKER.name)
            return None
        await self._note(source, failure)
        return failure

    async def _walk_to_the_end(self, upload: int, path: str) -> None:
        of_upload = self._context.summary.upload(upload)
        assert of_upload is not None, "an upload with paths stays"
        project = self._context.summary.projects[of_upload.project]
        named = await self._context.journal.read(lambda connection: sources.added(connection, upload))
        batches = scan([path], project.kind, named=named)
        batch = await self._ask((upload, path), partial(next, batches, None))
        await self._context.journal.write(lambda connection: sources.begin_walk(connection, upload, path))
        found = False
        while batch is not None:
            found = found or bool(batch.candidates)
            where = [candidate.path for candidate in batch.candidates]
            read_before = await self._context.journal.read(partial(known_contents.find_all, paths=where))
            recognised = await self._ask((upload, path), partial(recognise, batch.candidates, read_before))
            await self._keep(replace(batch, candidates=recognised.candidates), recognised, (upload, path), project.id)
            batch = await self._ask((upload, path), partial(next, batches, None))
        await self._context.journal.write(lambda connection: end_walk(connection, upload, path, found=found))

    async def _ask(self, source: _Source, question: Callable[[], Result]) -> Result:
        """The answer to a question about the path. A card that hangs is told while it is waited for."""
        upload, path = source
        asking = asyncio.create_task(self._threads.run(path, question), name=f"walk-{upload}")
        try:
            answered, _ = await asyncio.wait({asking}, timeout=_HANGS_AFTER)
            if answered:
                return asking.result()
            silence = _silent(path)
            log.warning("The walk for upload %d waits: %s", upload, silence)
            await self._context.journal.write(
                lambda connection: sources.note_failed_walk(connection, upload, path, silence.kind, str(silence))
            )
            answer = await asking
            await self._context.journal.write(lambda connection: sources.forget_failure(connection, upload, path))
            return answer
        finally:
            asking.cancel()

    async def _keep(self, batch: ScanBatch, recognised: Recognised, source: _Source, project: int) -> None:
        """Write the batch down. An entry that the journal cannot hold is told as skipped, and keeps no other out."""
        try:
            await self._context.journal.write(_keeping(batch, recognised, source, project))
        except UnforeseenFailure as error:
            if not batch.candidates:
                raise
            for part in _parted(batch, error):
                await self._keep(part, recognised, source, project)

    async def _note(self, source: _Source, error: UploaderError) -> None:
        """What concerns the path is shown with its upload; what concerns the journal, with all."""
        upload, path = source
        log.warning("The walk of %s for upload %d ended early: %s", printable(path), upload, error)
        failures = self._failures.failed(source)
        if is_quiet(error, failures):
            return
        if isinstance(error, EngineError) and not isinstance(error, UnforeseenFailure):
            self._context.faults.show(_WALKER, error)
            return
        shown = _away(path) if isinstance(error, (NoSuchPath, SourceVanished)) else error
        with contextlib.suppress(EngineError):  # it is noted with the next failure
            await self._context.journal.write(
                lambda connection: sources.note_failed_walk(connection, upload, path, shown.kind, str(shown))
            )


def end_walk(connection: sqlite3.Connection, upload_id: int, path: str, *, found: bool) -> None:
    """The path is walked. The service's limit is told before anything is sent; the user decides what goes.

    Raises SourceVanished when nothing was `found` where a walk that was cut short had found files: a mount point stays
    when its card is out.
    """
    if not found and sources.was_cut_short(connection, upload_id, path):
        raise SourceVanished(f"{printable(path)} is empty, but was not when the engine looked through it before.")
    uploads.mark_scanned(connection, upload_id, [path])
    hold_if_too_many(connection, upload_id)


def _keeping(
    batch: ScanBatch, recognised: Recognised, source: _Source, project: int
) -> Callable[[sqlite3.Connection], None]:
    upload, path = source

    def keep(connection: sqlite3.Connection) -> None:
        for candidate in batch.candidates:
            if candidate.path in recognised.replaced:
                known_contents.forget(connection, candidate.path, recognised.replaced[candidate.path])
            elif candidate.path in recognised.sampled:
                known_contents.recognise(connection, candidate, recognised.identities[candidate.path])
        walked.add_candidates(connection, upload, project, batch.candidates, recognised.identities)
        walked.add_skipped(connection, upload, ((skipped.path, skipped.reason) for skipped in batch.skipped))
        if batch.candidates:
            sources.note_found(connection, upload, path)

    return keep


def _parted(batch: ScanBatch, error: UnforeseenFailure) -> tuple[ScanBatch, ...]:
    """Halves of a batch that the journal did not take because of `error`; a single file is told as left out."""
    candidates = batch.candidates
    if len(candidates) == 1:
        reason = f"left out: the engine's journal cannot hold what the file system says of it ({cause_of(error)})"
        return (ScanBatch((), (*batch.skipped, Skipped(candidates[0].path, reason))),)
    middle = len(candidates) // 2
    return ScanBatch(candidates[:middle], batch.skipped), ScanBatch(candidates[middle:], ())


def _silent(path: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{printable(path)} does not answer: its card, disk or network folder hangs. The engine waits for it, and goes "
        "on by itself; until then the upload is not complete. If this stays, take the card out and put it back."
    )


def _away(path: str) -> SourceVanished:
    return SourceVanished(
        f"{printable(path)} could not be looked through to its end: its card or disk is out, or not mounted. Put it "
        "back, and the engine goes on with it by itself within a minute; until then the upload is not complete. "
        "To do without it, cancel the upload."
    )

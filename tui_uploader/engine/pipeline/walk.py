"""Walk the paths of uploads to their ends, and write down what is found."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import known_contents, sources, uploads, walked
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.image_limit import hold_if_too_many
from tui_uploader.engine.pipeline.path_walk import PathWalk, WalkedBatch
from tui_uploader.engine.scheduling.worker_failures import FailureCounts, WorkerKey, cause_of, is_quiet, unforeseen
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import (
    EngineError,
    NoSuchPath,
    SourceUnreadable,
    SourceVanished,
    UnforeseenFailure,
    UploaderError,
)
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import printable

log = logging.getLogger(__name__)

_WORKER = WorkerKey("path walk")
_WALKS_AT_ONCE = 4
"""In each file system."""
_TURN_SECONDS = 10.0
"""Paths of one upload are walked one after the other, but none waits longer than this for the one before it."""
_HANGS_AFTER = 60.0
"""Seconds without a single batch: the largest folder of a slow card takes less."""

_Source = tuple[int, str]
"""Upload and path."""


class Walker:
    """Walks each path in a task of its own: the failure of one does not affect the others.

    A path remains to be walked until a walk has come to its end: a stop of the engine, a full disk or a missing card
    only postpone that. A failed walk is repeated, after growing pauses.
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
        """Begin the walks that did not come to their end before."""
        open_uploads = [
            upload.id
            for upload in self._context.summary.uploads.values()
            if upload.unscanned and upload.state is not UploadState.CANCELLED
        ]
        if not open_uploads:
            self._context.faults.recovered(_WORKER.name)
            return None

        def unscanned(connection: sqlite3.Connection) -> list[_Source]:
            return [(upload, path) for upload in open_uploads for path in sources.unscanned(connection, upload)]

        pauses = []
        for source in await self._context.journal.read(unscanned):
            if source in self._walks:
                continue
            if pause := self._failures.rest(source):
                pauses.append(pause)
            else:
                self._start(source, None)
        return min(pauses, default=None)

    def begin(self, path: str, kind: ProjectKind, named: Sequence[str]) -> PathWalk:
        """A walk for an upload that does not exist yet. Links may lead to the `named` paths."""
        return PathWalk(path, kind, named, self._threads, self._context.journal)

    def continue_for(self, upload: int, begun: PathWalk) -> asyncio.Task[UploaderError | None]:
        """Continue a walk, now for an upload. The result is the failure that ended it early; it will be repeated."""
        source = (upload, begun.path)
        if source in self._walks:
            begun.close()
        else:
            self._start(source, begun)
        return self._walks[source]

    async def stop(self, upload: int, paths: Sequence[str]) -> None:
        """Cancel the walks of paths of an upload and wait for their end."""
        await self._cancel([walk for path in paths if (walk := self._walks.get((upload, path))) is not None])

    async def close(self) -> None:
        await self._cancel(list(self._walks.values()))
        self._threads.close()

    async def _cancel(self, walks: Sequence[asyncio.Task[UploaderError | None]]) -> None:
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)

    def _start(self, source: _Source, begun: PathWalk | None) -> None:
        upload = source[0]
        task = asyncio.create_task(self._walk(source, begun, self._latest.get(upload)), name=f"walk-{upload}")
        self._walks[source] = self._latest[upload] = task
        task.add_done_callback(lambda _: self._end(source, task))

    def _end(self, source: _Source, task: asyncio.Task[UploaderError | None]) -> None:
        del self._walks[source]
        if self._latest.get(source[0]) is task:
            del self._latest[source[0]]
        self.wakeup.set()

    async def _walk(
        self, source: _Source, begun: PathWalk | None, before: asyncio.Task[UploaderError | None] | None
    ) -> UploaderError | None:
        """The edge of a task: a failure is logged, shown, and becomes its result."""
        if before is not None:
            await asyncio.wait({before}, timeout=_TURN_SECONDS)
        failure: UploaderError
        try:
            await self._walk_to_end(source, begun)
        except UnforeseenFailure as error:
            failure = unforeseen(error, f"look through {printable(source[1])}")
        except UploaderError as error:
            failure = error
        except Exception as error:
            log.exception("Unexpected error during a walk")
            failure = unforeseen(error, f"look through {printable(source[1])}")
        else:
            self._failures.passed(source)
            self._context.faults.recovered(_WORKER.name)
            return None
        await self._note(source, failure)
        return failure

    async def _walk_to_end(self, source: _Source, begun: PathWalk | None) -> None:
        upload, path = source
        of_upload = self._context.summary.upload(upload)
        assert of_upload is not None, "an upload with paths stays"
        project = self._context.summary.projects[of_upload.project]
        named = await self._context.journal.read(lambda connection: sources.added(connection, upload))
        walk = begun or self.begin(path, project.kind, named)
        try:
            while not walk.ended:
                await self._write_batches(source, project.id, walk)
                await self._answered(source, walk.advance())
            await self._write_batches(source, project.id, walk)
        finally:
            walk.close()
        found = walk.found_files
        await self._context.journal.write(lambda connection: end_walk(connection, upload, path, found=found))

    async def _write_batches(self, source: _Source, project: int, walk: PathWalk) -> None:
        if not walk.in_journal and (walk.batches or walk.ended):
            await self._context.journal.write(lambda connection: sources.begin_walk(connection, *source))
            walk.in_journal = True
        while walk.batches:
            await self._write(walk.batches[0], source, project)
            del walk.batches[0]

    async def _write(self, batch: WalkedBatch, source: _Source, project: int) -> None:
        """Write the batch. A file that the journal cannot hold is reported as skipped, and does not affect others."""
        try:
            await self._context.journal.write(lambda connection: write_batch(connection, batch, *source, project))
        except UnforeseenFailure as error:
            if not batch.candidates:
                raise
            for part in _split(batch, error):
                await self._write(part, source, project)

    async def _answered(self, source: _Source, work: Coroutine[Any, Any, None]) -> None:
        """Wait for `work` on the path; a card that hangs is reported meanwhile."""
        upload, path = source
        working = asyncio.create_task(work, name=f"walk-{upload}")
        try:
            answered, _ = await asyncio.wait({working}, timeout=_HANGS_AFTER)
            if answered:
                return working.result()
            silence = _not_responding(path)
            log.warning("The walk for upload %d waits: %s", upload, silence)
            await self._context.journal.write(
                lambda connection: sources.note_failed_walk(connection, upload, path, silence.kind, str(silence))
            )
            await working
            await self._context.journal.write(lambda connection: sources.forget_failure(connection, upload, path))
        finally:
            working.cancel()

    async def _note(self, source: _Source, error: UploaderError) -> None:
        """A failure of the path is shown with its upload; one of the journal, with all uploads."""
        upload, path = source
        log.warning("The walk of %s for upload %d ended early: %s", printable(path), upload, error)
        failures = self._failures.failed(source)
        if is_quiet(error, failures):
            return
        if isinstance(error, EngineError) and not isinstance(error, UnforeseenFailure):
            self._context.faults.show(_WORKER, error)
            return
        shown = _missing(path) if isinstance(error, (NoSuchPath, SourceVanished)) else error
        with contextlib.suppress(EngineError):  # the next failure is noted again
            await self._context.journal.write(
                lambda connection: sources.note_failed_walk(connection, upload, path, shown.kind, str(shown))
            )


def write_batch(connection: sqlite3.Connection, batch: WalkedBatch, upload: int, path: str, project: int) -> None:
    """Queue the files of a batch, and note the entries that were skipped; nothing if its addition was undone."""
    wanted, addition = sources.walked_for(connection, upload, path)
    if not wanted:
        return
    recognised = batch.recognised
    for candidate in batch.candidates:
        if candidate.path in recognised.replaced:
            known_contents.forget(connection, candidate.path, recognised.replaced[candidate.path])
        elif candidate.path in recognised.sampled:
            known_contents.recognise(connection, candidate, recognised.identities[candidate.path])
    walked.add_candidates(connection, upload, project, batch.candidates, recognised.identities, addition)
    walked.add_skipped(connection, upload, ((skipped.path, skipped.reason) for skipped in batch.skipped))
    if batch.candidates:
        sources.note_found(connection, upload, path)


def end_walk(connection: sqlite3.Connection, upload_id: int, path: str, *, found: bool) -> None:
    """The path is walked. The service's image limit is checked before anything is sent; the user decides what to do.

    Raises SourceVanished when nothing was `found` where an interrupted walk had found files: a mount point remains when
    its card is taken out.
    """
    if not found and sources.was_cut_short(connection, upload_id, path):
        raise SourceVanished(f"{printable(path)} is empty, but an earlier walk found files there.")
    uploads.mark_scanned(connection, upload_id, [path])
    hold_if_too_many(connection, upload_id)


def _split(batch: WalkedBatch, error: UnforeseenFailure) -> tuple[WalkedBatch, ...]:
    """Halves of a batch that the journal did not take because of `error`; a single file becomes a skipped one."""
    candidates = batch.candidates
    if len(candidates) == 1:
        reason = f"skipped: the engine's journal cannot hold what the file system reports of it ({cause_of(error)})"
        return (replace(batch, candidates=(), skipped=(*batch.skipped, Skipped(candidates[0].path, reason))),)
    middle = len(candidates) // 2
    return replace(batch, candidates=candidates[:middle]), replace(batch, candidates=candidates[middle:], skipped=())


def _not_responding(path: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{printable(path)} does not respond: its card, disk or network folder hangs. The engine waits for it and then "
        "continues automatically; until then the upload is not complete. If it keeps hanging, take the card out and "
        "put it back in."
    )


def _missing(path: str) -> SourceVanished:
    return SourceVanished(
        f"{printable(path)} could not be read completely: its card or disk is not connected or not mounted. Put it "
        "back in, and the engine continues within a minute; until then the upload is not complete. To do without it, "
        "cancel the upload."
    )

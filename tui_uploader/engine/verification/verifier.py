"""Runs the verifications of the engine, each in a task of its own, and continues them after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import verifications
from tui_uploader.engine.journal.tables.verifications import VerificationRecord
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.scheduling.worker_failures import unforeseen_in
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.verification.card_threads import CardThreads
from tui_uploader.engine.verification.contents import READERS
from tui_uploader.engine.verification.progress import Progress
from tui_uploader.engine.verification.run import VerificationRun
from tui_uploader.errors import EngineError, NoSuchVerification, UnforeseenFailure, UploaderError
from tui_uploader.model.verification import VerificationState, VerificationStatus

log = logging.getLogger(__name__)

_NAME = "verification"
_KEPT = 20
"""Ended verifications whose files are kept."""
_TICK_SECONDS = 0.25
_MOST_FAULTS = 3


class Verifier:
    """Belongs to one event loop."""

    def __init__(self, context: EngineContext, settle: float) -> None:
        """`settle`: seconds since the newest change of a file, after which a verification reads it."""
        self._context = context
        self._settle = settle
        self._running: dict[int, Progress] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ended: dict[int, VerificationStatus] = {}
        self._starting = asyncio.Lock()

    async def load(self) -> None:
        """Continue the verifications that were interrupted, and remember those that ended."""
        for record in await self._context.journal.read(verifications.everything):
            if record.state is VerificationState.RUNNING:
                self._begin(record)
            elif record.status is not None:
                self._ended[record.id] = record.status

    async def start(self, paths: Sequence[str], project: int | None, watch: int | None) -> VerificationStatus:
        """Return the one that runs, if there is one of the same paths and project, or begin another."""
        async with self._starting:
            for progress in self._running.values():
                if set(progress.record.paths) == set(paths) and progress.record.project == project:
                    return self._status(progress)
            now = self._context.clocks.wall()
            record = await self._context.journal.write(
                lambda connection: verifications.add(connection, paths, project, now, watch)
            )
            self._begin(record)
            return self.status(record.id)

    async def cancel(self, number: int) -> VerificationStatus:
        """Raises NoSuchVerification. One that has ended stays as it is."""
        progress = self._running.get(number)
        if progress is not None:
            now = self._context.clocks.wall()
            cancelled = replace(
                self._status(progress),
                state=VerificationState.CANCELLED,
                ended_at=now,
                scanning=False,
                rate=0.0,
                seconds_left=None,
            )
            if await self._context.journal.write(lambda connection: verifications.end(connection, cancelled)):
                self._tasks[number].cancel()
                await asyncio.gather(self._tasks[number], return_exceptions=True)
                self._note_end(number, cancelled)
        return self.status(number)

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def status(self, number: int) -> VerificationStatus:
        """Raises NoSuchVerification."""
        if number in self._running:
            return self._status(self._running[number])
        if number not in self._ended:
            raise NoSuchVerification(f"There is no verification {number}, or it is no longer kept.")
        return self._ended[number]

    def shown(self) -> tuple[VerificationStatus, ...]:
        """Those that run, and the newest of each set of paths, by number."""
        newest = {frozenset(status.paths): status for _, status in sorted(self._ended.items())}
        ended = [status for status in newest.values() if status.verification not in self._running]
        running = [self._status(progress) for progress in self._running.values()]
        return tuple(sorted([*ended, *running], key=lambda status: status.verification))

    async def close(self) -> None:
        """Stop all runs; `load` continues them."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _status(self, progress: Progress) -> VerificationStatus:
        names = {project.id: project.name for project in self._context.summary.projects.values()}
        return progress.status(self._context.clocks.monotonic(), names)

    def _begin(self, record: VerificationRecord) -> None:
        self._running[record.id] = Progress(record)
        self._tasks[record.id] = asyncio.create_task(self._run(record), name=f"verify-{record.id}")

    def _note_end(self, number: int, status: VerificationStatus | None) -> None:
        self._running.pop(number, None)
        self._tasks.pop(number, None)
        if status is not None:
            self._ended[number] = status
        self._context.notifier.notify(Topic.STATUS, Topic.WORK)

    async def _run(self, record: VerificationRecord) -> None:
        """The edge of a task: a failure is logged, shown, and the verification is run again."""
        ticking = asyncio.create_task(self._tick(record.id), name=f"verify-{record.id}-tick")
        try:
            status = await self._run_to_end(record)
            self._note_end(record.id, status)
            with contextlib.suppress(EngineError):  # the next one deletes more
                await self._forget_old()
        finally:
            ticking.cancel()

    async def _run_to_end(self, record: VerificationRecord) -> VerificationStatus | None:
        faults = 0
        while True:
            progress = self._running[record.id] = Progress(record)
            threads = SourceThreads(READERS + 1, volume_of=self._context.sources.volume_of)
            run = VerificationRun(self._context, CardThreads(threads), progress, self._settle)
            error: UploaderError
            try:
                if faults >= _MOST_FAULTS:
                    status = await run.fail("The verification failed because of a fault in the program; see its log.")
                else:
                    status = await run.run()
                self._context.faults.recovered(_NAME)
                return status
            except UnforeseenFailure as failure:
                error = failure
                faults += 1
            except UploaderError as failure:
                error = failure
            except Exception as failure:
                log.exception("Unexpected error during verification %d", record.id)
                error = unforeseen_in(_NAME, failure)
                faults += 1
            finally:
                threads.close()
            await self._context.faults.failed(_NAME, error)

    async def _tick(self, number: int) -> None:
        """Let front ends know of the progress."""
        while number in self._running:
            self._running[number].note_time(self._context.clocks.monotonic())
            self._context.notifier.notify(Topic.STATUS)
            await asyncio.sleep(_TICK_SECONDS)

    async def _forget_old(self) -> None:
        while (
            number := await self._context.journal.write(lambda connection: verifications.forget_some(connection, _KEPT))
        ) is not None:
            self._ended.pop(number, None)

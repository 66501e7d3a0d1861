"""Send ready files: pick the next file, run its transfer, handle its failure."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import Counter
from collections.abc import Collection
from functools import partial

from tui_uploader.engine.accounts.accounts import SignedIn
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.journal.tables import deduplication, file_parts, files
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.pipeline.ready_files import ReadyFiles
from tui_uploader.engine.pipeline.transfer import Transfer
from tui_uploader.engine.results.naming import give_other_name
from tui_uploader.engine.scheduling.failures import FileFailures
from tui_uploader.engine.scheduling.retry import RetryAction
from tui_uploader.engine.scheduling.worker_failures import QUIET_TRIES, FailureCounts, given_up, unforeseen
from tui_uploader.engine.sources.modified import modified_since_check
from tui_uploader.engine.sources.unfinished import changed_too_often
from tui_uploader.errors import (
    ChecksumRefused,
    CloudBusy,
    CloudFault,
    CloudUnintelligible,
    EngineError,
    NameTaken,
    Remedy,
    SourceChanged,
    StoredDamaged,
    UnforeseenFailure,
    UploaderError,
)
from tui_uploader.intake.volumes import Volume
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileEvent, FileStage, UploadState
from tui_uploader.text import printable

log = logging.getLogger(__name__)

_WORKER = "send"
_SCAN_GRACE = 2.0
_COMPLETION_GRACE = 2.0
"""Time to complete a file whose last part has just arrived, although no other file may begin."""


def parts_are_wrong(error: UploaderError) -> bool:
    return error.remedy in (Remedy.CHECK_FILE, Remedy.RESTART_FILE)


def give_up(connection: sqlite3.Connection, file_id: int, error: UploaderError) -> None:
    """Let the file fail. Stored parts are kept for the next attempt, unless they are the cause."""
    if parts_are_wrong(error):
        file_parts.forget(connection, file_id)
    if isinstance(error, StoredDamaged):
        deduplication.give_up_name(connection, files.file(connection, file_id))
    files.fail(connection, file_id, error.kind, str(error))


def check_again(connection: sqlite3.Connection, row: FileRecord, error: UploaderError) -> None:
    """Have the file checked again. A damaged object stays in the storage under a name that is not used again."""
    if isinstance(error, StoredDamaged):
        deduplication.give_up_name(connection, row)
    files.doubt(connection, row.id)


class Sender:
    """Runs the transfers of ready files."""

    def __init__(self, context: EngineContext, projects: Projects) -> None:
        self._context = context
        self._projects = projects
        self.wakeup = context.notifier.subscribe(
            FileStage.READY, Topic.UPLOADS, Topic.ACCOUNTS, Topic.BANDWIDTH, Topic.STORAGE, Topic.SOURCES
        )
        context.notifier.on_retry(self._end_pauses)
        self.failures = FileFailures(context.clocks.monotonic, context.clocks.random)
        self._faults: FailureCounts[int] = FailureCounts(context.clocks.monotonic)
        self._tasks: dict[int, tuple[int, asyncio.Task[None]]] = {}
        self._paths: dict[int, str] = {}
        """Paths of the files that are being sent."""
        self._silent_disks: dict[int, Volume] = {}
        self._tried: dict[int, int] = {}
        """The uploads of the files that are being sent, or were and are postponed."""
        self._ready = ReadyFiles(context)
        self._to_hold: set[int] = set()
        self._preparing_since: dict[int, float] = {}
        self._refusals = 0
        self._idle_since: float | None = None

    # ------------------------------------------------------------------------------------------------ filling

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        for file in self._to_hold - self._tasks.keys():
            await self._hold(file)
        running = {upload.id for upload in self._context.summary.uploads.values() if self._may_send(upload, now)}
        kept = self._tasks.keys() | self.failures.postponed.keys()
        self._tried = {file: upload for file, upload in self._tried.items() if file in kept}
        self._stop_those_not_in(running)
        self._stop_those_that_hang()
        if self._context.governor.closed:
            running.clear()
        held_in = self._hold_what_waits(now)
        if running:
            await self._ready.refill(running, exclude=(*self._tasks, *self.failures.postponed))
            for row in await self._pick(running):
                self._begin(row)
        return self._next_due(now) if held_in is None else held_in

    def _end_pauses(self) -> None:
        """Let all postponed files be tried at once."""
        self.failures.end_pauses()
        self._context.storage.end_pauses()

    def take_refusals(self) -> int:
        """Return the number of 429 and 503 replies since the last call."""
        refusals, self._refusals = self._refusals, 0
        return refusals

    async def stop(self, upload: int, files: Collection[int] | None = None) -> None:
        """Cancel the transfers of an upload, or only of some files of it, and wait for their end."""
        self._ready.forget(upload)
        going = [
            task for file, (owner, task) in self._tasks.items() if owner == upload and (files is None or file in files)
        ]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def close(self) -> None:
        for upload in {owner for owner, _ in self._tasks.values()}:
            await self.stop(upload)

    def _may_send(self, upload: UploadRecord, now: float) -> bool:
        if upload.state is UploadState.PREPARING:
            # A long walk does not delay its first files; a short one may still find more images than allowed.
            since = self._preparing_since.setdefault(upload.id, now)
            if now - since < _SCAN_GRACE:
                return False
        elif upload.state is UploadState.ACTIVE:
            self._preparing_since.pop(upload.id, None)
        else:
            return False
        project = self._context.summary.projects[upload.project]
        account = self._context.account_of(project)
        return account is not None and account.usable and self._context.storage.rest(project.id) is None

    def _stop_those_not_in(self, running: set[int]) -> None:
        """Cancel the transfers of paused and cancelled uploads; those over a dead link end by their own deadlines."""
        for upload, task in self._tasks.values():
            found = self._context.summary.uploads.get(upload)
            active = found is not None and found.state in (UploadState.ACTIVE, UploadState.PREPARING)
            if upload not in running and not active:
                task.cancel()

    def _stop_those_that_hang(self) -> None:
        """Cancel the transfers from a memory card that does not answer: its files wait until it does."""
        sources = self._context.sources
        hanging = sources.hanging()
        self._silent_disks = {upload: disk for upload, disk in self._silent_disks.items() if disk in hanging}
        if not hanging:
            return
        for file, path in self._paths.items():
            if sources.hangs(path):
                upload, task = self._tasks[file]
                self._silent_disks[upload] = sources.volume_of(path)
                task.cancel()
        self._ready.drop_hanging()

    def silent_disk(self, upload: int) -> Volume | None:
        """Return the memory card or disk that does not answer and that files of the upload wait for."""
        return self._silent_disks.get(upload)

    def postponed_in(self, upload: int) -> int:
        """Number of files of the upload that wait for another attempt."""
        postponed = self.failures.postponed
        return sum(owner == upload and file in postponed for file, owner in self._tried.items())

    def _hold_what_waits(self, now: float) -> float | None:
        """While sending is not allowed, cancel the transfers: at once in a pause, else when all bodies have been sent.

        Returns the seconds until the next check; None: sending is allowed, or nothing is being sent.
        """
        governor = self._context.governor
        if not governor.closed or not self._tasks:
            self._idle_since = None
            return None
        if self._context.progress.running or self._idle_since is None:
            self._idle_since = now
        if governor.shut or now - self._idle_since >= _COMPLETION_GRACE:
            for _, task in self._tasks.values():
                task.cancel()
        return _COMPLETION_GRACE

    def _next_due(self, now: float) -> float | None:
        dues = [until for until, _ in self.failures.postponed.values()] + self._context.storage.ends
        dues += [since + _SCAN_GRACE for since in self._preparing_since.values() if now < since + _SCAN_GRACE]
        return max(0.0, min(dues) - now) if dues else None

    async def _pick(self, running: set[int]) -> list[FileRecord]:
        """Choose the next files fairly, and mark them in the journal as being sent."""
        chosen = self._ready.take(running, Counter(owner for owner, _ in self._tasks.values()))
        if not chosen:
            return []

        def pick(connection: sqlite3.Connection) -> list[FileRecord]:
            picked = [files.pick(connection, row.id) for row in chosen]
            return [row for row in picked if row is not None]

        return await self._context.journal.write(pick)

    # ------------------------------------------------------------------------------------------------ sending

    def _begin(self, row: FileRecord) -> None:
        self._to_hold.add(row.id)
        task = asyncio.create_task(self._send(row), name=f"send-{row.id}")
        self._tasks[row.id] = (row.upload, task)
        self._tried[row.id] = row.upload
        self._paths[row.id] = row.path
        task.add_done_callback(lambda _: self._end(row.id))

    def _end(self, file: int) -> None:
        del self._tasks[file], self._paths[file]
        self.wakeup.set()

    async def _send(self, row: FileRecord) -> None:
        """Run a transfer as the edge of its task.

        Whatever happens, even a cancellation before the start, the journal notes that the file is no longer being sent,
        at the latest in the next step.
        """
        self._to_hold.discard(row.id)
        try:
            await self._attempt(row)
            self._context.faults.recovered(_WORKER)
            self._faults.passed(row.id)
        except asyncio.CancelledError:
            self._to_hold.add(row.id)
            await self._hold(row.id)
            raise
        except UnforeseenFailure as error:
            self._to_hold.add(row.id)
            await self._note_fault(row, error)
        except EngineError as error:
            self._to_hold.add(row.id)
            await self._context.faults.failed(_WORKER, error)
        except Exception as error:
            log.exception("Unforeseen error while sending a file")
            self._to_hold.add(row.id)
            await self._note_fault(row, error)

    async def _note_fault(self, row: FileRecord, error: Exception) -> None:
        """Retry a file that a bug prevents from being sent, then give it up."""
        doing = f"send {printable(row.path)}"
        failures = self._faults.failed(row.id)
        self.failures.postpone(row.id, self._faults.rest(row.id), str(unforeseen(error, doing)))
        if failures > QUIET_TRIES:
            self._faults.passed(row.id)
            with contextlib.suppress(EngineError):  # the file is tried again, and given up then
                await self._context.journal.write(partial(give_up, file_id=row.id, error=given_up(error, doing)))
                self._to_hold.discard(row.id)

    async def _attempt(self, row: FileRecord) -> None:
        account = self._context.account_of(self._context.summary.projects[row.project])
        if account is None:
            await self._hold(row.id)
            return
        try:
            with account.transferring():
                await self._transfer(row, account)
        except EngineError:
            raise
        except UploaderError as error:
            await self._settle_failure(row, account, error)
        else:
            self.failures.record_success(row.id, account.login.account)
            self._context.storage.accepted(row.project)
            account.link.seen_up()

    async def _transfer(self, row: FileRecord, account: SignedIn) -> None:
        remote_id = await self._projects.created(row.project)
        if self._context.summary.projects[row.project].kind is ProjectKind.RESULTS:
            await account.cloud.results.check_taken(remote_id)
        store = account.cloud.store(remote_id)
        await store.open()
        transfer = Transfer(self._context, row, store)
        try:
            await transfer.run()
        except NameTaken:
            # By an earlier attempt whose answer was lost, or by another program.
            if not await transfer.is_stored_already():
                raise

    async def _settle_failure(self, row: FileRecord, account: SignedIn, error: UploaderError) -> None:
        if isinstance(error, NameTaken):
            await self._context.journal.write(partial(give_other_name, file_id=row.id))
            return
        self._refusals += isinstance(error, CloudBusy)
        decision = self.failures.record_failure(row.id, account.login.account, error)
        log.info("File %d: %s (%s): %s", row.id, error, error.kind, decision.action)
        match decision.action:
            case RetryAction.AWAIT_LINK | RetryAction.AWAIT_SIGN_IN:
                self._context.accounts.note(account, error)
                await self._hold(row.id)
            case RetryAction.AWAIT_STORAGE:
                self._context.storage.refused(row.project, error)
                await self._hold(row.id)
            case RetryAction.AGAIN:
                if isinstance(error, (CloudBusy, CloudFault, CloudUnintelligible)):
                    account.link.suspect(error)
                await self._hold(row.id)
            case RetryAction.RESTART_FILE:
                await self._context.journal.write(
                    partial(file_parts.forget, file_id=row.id),
                    then=partial(self._context.progress.forget_parts, row.id),
                )
                await self._hold(row.id)
            case RetryAction.CHECK_FILE:
                if isinstance(error, SourceChanged):
                    self._context.unfinished.note_change(row)
                await self._context.journal.write(partial(check_again, row=row, error=error))
            case RetryAction.GIVE_UP:
                if isinstance(error, SourceChanged) or (
                    # The storage may be the first to notice that the file was modified while it was sent.
                    isinstance(error, ChecksumRefused) and await modified_since_check(self._context.sources, row)
                ):
                    error = changed_too_often(row.path)
                forget = partial(self._context.progress.forget_parts, row.id) if parts_are_wrong(error) else None
                await self._context.journal.write(partial(give_up, file_id=row.id, error=error), then=forget)

    async def _hold(self, file: int) -> None:
        def hold(connection: sqlite3.Connection) -> None:
            if files.file(connection, file).stage is FileStage.SENDING:
                files.move(connection, file, FileEvent.HELD)

        self._to_hold.add(file)  # if the journal cannot be written now, the next step tries again
        await self._context.journal.write(hold)
        self._to_hold.discard(file)

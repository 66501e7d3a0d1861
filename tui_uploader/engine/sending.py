"""Keeps the streams filled: picks ready files, runs their transfers, and decides what a failure means."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from functools import partial

from tui_uploader.engine.accounts import SignedIn
from tui_uploader.engine.core import Core, unforeseen
from tui_uploader.engine.journal import files
from tui_uploader.engine.journal.files import FileRow
from tui_uploader.engine.journal.summary import UploadRow
from tui_uploader.engine.projects import Projects
from tui_uploader.engine.retry import Verdict, backoff, decide
from tui_uploader.engine.scheduler import next_upload, served_after
from tui_uploader.engine.transfer import Transfer
from tui_uploader.errors import CloudBusy, EngineError, UploaderError
from tui_uploader.model import FileEvent, FileStage, UploadState

log = logging.getLogger(__name__)

_ROOM = "sending"
_HEAD = 64
_SPARE = 4
"""Files opened and ready to go when a stream gets free: no idle gap between files."""
_SCAN_GRACE = 2.0
_SHORTEST_REST = 0.2
_REST_AFTER_FAULT = 60.0


class Sender:
    """Runs transfers. What may be sent is read from the journal in small windows, whatever the number of files."""

    def __init__(self, core: Core, projects: Projects) -> None:
        self._core = core
        self._projects = projects
        self._tasks: dict[int, tuple[int, asyncio.Task[None]]] = {}
        self._heads: dict[int, deque[FileRow]] = {}
        self._served: dict[int, int] = {}
        self._attempts: dict[int, int] = {}
        self._hiccups: dict[int, int] = {}
        self._to_hold: set[int] = set()
        self._resting: dict[int, tuple[float, str]] = {}
        self._preparing_since: dict[int, float] = {}
        self._refusals = 0

    # ------------------------------------------------------------------------------------------------ filling

    async def step(self) -> float | None:
        now = self._core.clocks.monotonic()
        for file in tuple(self._to_hold):
            await self._hold(file)
        running = {upload.id for upload in self._core.summary.uploads.values() if self._may_send(upload, now)}
        self._stop_those_not_in(running)
        self._resting = {file: rest for file, rest in self._resting.items() if rest[0] > now}
        free = self._core.streams.limit + _SPARE - len(self._tasks)
        if free > 0 and running:
            for row in await self._pick(running, free):
                self._begin(row)
        return self._next_due(now)

    def resting(self, file: int) -> tuple[float, str] | None:
        """Until when (monotonic) the file waits after a failure, and which."""
        return self._resting.get(file)

    def wake(self) -> None:
        """What rests after a failure may go at once."""
        self._resting.clear()
        self._core.ring()

    def take_refusals(self) -> int:
        """How often the cloud said since the last call that it is too much."""
        refusals, self._refusals = self._refusals, 0
        return refusals

    async def stop(self, upload: int) -> None:
        """End the transfers of an upload; returns when they ended."""
        self._heads.pop(upload, None)
        going = [task for owner, task in self._tasks.values() if owner == upload]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def close(self) -> None:
        for upload in {owner for owner, _ in self._tasks.values()}:
            await self.stop(upload)

    def _may_send(self, upload: UploadRow, now: float) -> bool:
        if upload.state is UploadState.PREPARING:
            # A walk that takes long does not hold the first files up; a short one may still find too many images.
            since = self._preparing_since.setdefault(upload.id, now)
            if now - since < _SCAN_GRACE:
                return False
        elif upload.state is UploadState.ACTIVE:
            self._preparing_since.pop(upload.id, None)
        else:
            return False
        project = self._core.summary.projects[upload.project]
        account = self._core.account_of(project)
        return account is not None and account.usable

    def _stop_those_not_in(self, running: set[int]) -> None:
        """Transfers of a paused or cancelled upload end; those over a dead link end by their own deadlines."""
        for upload, task in self._tasks.values():
            state = self._core.summary.uploads[upload].state
            if upload not in running and state not in (UploadState.ACTIVE, UploadState.PREPARING):
                task.cancel()

    def _next_due(self, now: float) -> float | None:
        dues = [until for until, _ in self._resting.values()]
        dues += [since + _SCAN_GRACE for since in self._preparing_since.values() if now < since + _SCAN_GRACE]
        return max(0.0, min(dues) - now) if dues else None

    async def _pick(self, running: set[int], free: int) -> list[FileRow]:
        """Up to `free` files whose sending has begun in the journal, in fair turns."""
        await self._refill(running)
        chosen: list[FileRow] = []
        while len(chosen) < free:
            wanting = [upload for upload in running if self._heads.get(upload)]
            upload = next_upload(wanting, self._served)
            if upload is None:
                break
            row = self._heads[upload].popleft()
            self._served = served_after(self._served, wanting, upload, row.size)
            chosen.append(row)
        if not chosen:
            return []

        def pick(connection: sqlite3.Connection) -> list[FileRow]:
            picked = [files.pick(connection, row.id) for row in chosen]
            return [row for row in picked if row is not None]

        return await self._core.journal.write(pick)

    async def _refill(self, running: set[int]) -> None:
        short = [
            upload
            for upload in running
            if not self._heads.get(upload) and self._core.summary.files(upload, FileStage.READY)
        ]
        if not short:
            return
        passing_over = (*self._tasks, *self._resting)

        def heads(connection: sqlite3.Connection) -> list[list[FileRow]]:
            return [files.ready(connection, upload, _HEAD, passing_over) for upload in short]

        for upload, rows in zip(short, await self._core.journal.read(heads), strict=True):
            self._heads[upload] = deque(rows)

    # ------------------------------------------------------------------------------------------------ sending

    def _begin(self, row: FileRow) -> None:
        task = asyncio.create_task(self._send(row), name=f"send-{row.id}")
        self._tasks[row.id] = (row.upload, task)

    async def _send(self, row: FileRow) -> None:
        """The edge of a transfer's task: whatever happens, the journal learns it."""
        try:
            await self._attempt(row)
            self._core.recovered(_ROOM)
        except asyncio.CancelledError:
            await self._hold(row.id)
            raise
        except EngineError as error:
            self._to_hold.add(row.id)
            await self._core.trouble(_ROOM, error)
        except Exception as error:
            log.exception("Sending a file met something unforeseen")
            self._rest(row, _REST_AFTER_FAULT, str(unforeseen(error)))
            self._to_hold.add(row.id)
        finally:
            self._tasks.pop(row.id, None)
            self._core.ring()

    async def _attempt(self, row: FileRow) -> None:
        account = self._core.account_of(self._core.summary.projects[row.project])
        if account is None:
            await self._hold(row.id)
            return
        try:
            remote_id = await self._projects.made(row.project)
            store = account.cloud.store(remote_id)
            await store.open()
            await Transfer(self._core, row, store).run()
        except EngineError:
            raise
        except UploaderError as error:
            await self._settle_failure(row, account, error)
        else:
            self._attempts.pop(row.id, None)
            self._hiccups.pop(row.id, None)
            account.link.seen_up()

    async def _settle_failure(self, row: FileRow, account: SignedIn, error: UploaderError) -> None:
        attempts = self._attempts.get(row.id, 0)
        decision = decide(error, attempts, self._core.clocks.random)
        log.info("File %d, attempt %d: %s (%s), so: %s", row.id, attempts + 1, error, error.kind, decision.verdict)
        self._refusals += isinstance(error, CloudBusy)
        if decision.verdict in (Verdict.AWAIT_LINK, Verdict.AWAIT_SIGN_IN):
            self._core.accounts.note(account, error)
            if decision.verdict is Verdict.AWAIT_LINK:
                self._rest_after_hiccup(row, error)
            await self._hold(row.id)
            return
        self._attempts[row.id] = attempts + 1
        match decision.verdict:
            case Verdict.AGAIN:
                self._rest(row, decision.after, str(error))
                await self._hold(row.id)
            case Verdict.RESTART_FILE:
                self._core.live.forget_parts(row.id)
                await self._core.journal.write(lambda connection: files.forget_parts(connection, row.id))
                self._rest(row, decision.after, str(error))
                await self._hold(row.id)
            case Verdict.CHECK_FILE:
                self._core.live.forget_parts(row.id)
                await self._core.journal.write(lambda connection: files.doubt(connection, row.id))
            case Verdict.GIVE_UP:
                self._attempts.pop(row.id, None)
                await self._core.journal.write(partial(files.fail, file_id=row.id, kind=error.kind, reason=str(error)))

    def _rest_after_hiccup(self, row: FileRow, error: UploaderError) -> None:
        """The service may answer while the store's host does not: then this file waits longer every time.

        That a dead link is up again ends these rests (see `wake`).
        """
        hiccups = self._hiccups.get(row.id, 0)
        self._hiccups[row.id] = hiccups + 1
        self._rest(row, max(_SHORTEST_REST, backoff(hiccups, self._core.clocks.random)), str(error))

    def _rest(self, row: FileRow, seconds: float, reason: str) -> None:
        self._resting[row.id] = (self._core.clocks.monotonic() + seconds, reason)

    async def _hold(self, file: int) -> None:
        def hold(connection: sqlite3.Connection) -> None:
            if files.file(connection, file).stage is FileStage.SENDING:
                files.move(connection, file, FileEvent.HELD)

        self._to_hold.add(file)  # if the journal takes nothing now, the next step tries again
        await self._core.journal.write(hold)
        self._to_hold.discard(file)

"""The engine's durable memory: one SQLite file with one writing thread and group commits.

Every change is a function of the connection, run by the writing thread inside a transaction. Changes that wait at the
same time are committed together: one flush to the disk serves all of them, and their callers continue only after it. A
change that fails is rolled back alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tui_uploader import ownership
from tui_uploader.engine.journal.database import JournalDatabase
from tui_uploader.engine.journal.events import Additions, events_of, settled
from tui_uploader.engine.journal.failures import is_of_the_disk, shown, translated, translation
from tui_uploader.engine.journal.migrations import migrate
from tui_uploader.engine.journal.summary import Commit, Summary, committed, note_changes, read_summary, with_history
from tui_uploader.engine.journal.tables import history
from tui_uploader.errors import EngineError, JournalUnwritable, UploaderError

log = logging.getLogger(__name__)

T = TypeVar("T")


_LARGEST_GROUP = 256


@dataclass(slots=True)
class _Change:
    run: Callable[[sqlite3.Connection], Any]
    then: Callable[[], None] | None
    done: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


@dataclass(slots=True)
class _ChangeOutcome:
    change: _Change
    result: Any = None
    error: BaseException | None = None


class Journal:
    """Created by `Journal.open`."""

    def __init__(
        self,
        path: Path,
        database: JournalDatabase,
        on_commit: Callable[[Commit], None],
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        note_changes(database.writer)
        history.count_outcomes(database.writer)
        self.summary: Summary = read_summary(database.writer)
        """The state after the last commit, for the event loop."""
        self._committed_summary = self.summary
        """The same for the writing thread, which is ahead of the event loop."""
        self._additions = Additions(self.summary)
        self._on_commit = on_commit
        self._clock = clock
        self._database = database
        self._waiting: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._closed = False
        self._reader = ThreadPoolExecutor(1, "journal-reader")
        self._thread = threading.Thread(target=self._write_until_closed, name="journal-writer", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        path: Path,
        on_commit: Callable[[Commit], None] = lambda commit: None,
        clock: Callable[[], float] = time.time,
        *,
        vfs: str | None = None,
    ) -> Journal:
        """Create or open the journal and migrate it to this format; `on_commit` runs in the event loop after commits.

        `clock` dates the events of the history. `vfs`: see `JournalDatabase.open`.

        Raises JournalInUse, JournalUnwritable, JournalTooNew, JournalDamaged; of what it created then only the folder
        is left.
        """
        with translated(path):
            try:
                ownership.private(path.parent)
            except OSError as error:
                reason = ownership.foreign(path.parent) or f"{error.strerror or error}."
                raise JournalUnwritable(f"Cannot use the journal's folder {shown(path.parent)}: {reason}") from error
            database = JournalDatabase.open(path, partial(migrate, path=path), vfs)
            try:
                return cls(path, database, on_commit, clock)
            except BaseException:
                database.close()
                raise

    async def write(self, change: Callable[[sqlite3.Connection], T], *, then: Callable[[], None] | None = None) -> T:
        """Run `change` in a transaction and return its result once it is on the disk.

        `then` is called in the event loop in the same moment in which `summary` changes.
        Raises what `change` raises, which is then rolled back, JournalUnwritable, JournalDamaged.
        """
        if self._closed:
            raise EngineError("The engine is stopping: its journal is closed.")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Change(change, then, done, loop))
        # Cancelling the caller does not undo the change, but the caller must not leave before it is settled.
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait({done})
            raise

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Run `question` on a connection of its own, where the file system allows it, so that it delays no change.

        Raises the errors of `errors` that `question` raises, JournalUnwritable, JournalDamaged.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, question)

    async def close(self) -> None:
        """Commit the waiting changes and leave a single file."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.shutdown()
        self._database.close()

    def _read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        with translated(self.path), self._database.reading() as connection:
            connection.execute("BEGIN")  # every statement of the question sees the same state
            try:
                return question(connection)
            finally:
                if connection.in_transaction:  # SQLite itself ends it on some errors of the disk
                    connection.execute("COMMIT")

    def _write_until_closed(self) -> None:
        closing = False
        while not closing:
            group = [self._waiting.get()]
            while len(group) < _LARGEST_GROUP and not self._waiting.empty():
                group.append(self._waiting.get())
            closing = None in group
            self._write_group([change for change in group if change is not None])

    def _write_group(self, group: list[_Change]) -> None:
        if not group:
            return
        try:
            with translated(self.path):
                outcomes, commit = self._committed(group)
        except Exception as failure:  # noqa: BLE001 -- the edge of the thread: every caller gets the error
            log.error("The journal rolled back %d changes: %s", len(group), failure)
            _call_in(group[0].loop, _settle, [_ChangeOutcome(change, error=failure) for change in group])
        else:
            _call_in(group[0].loop, self._publish, commit, outcomes)

    def _committed(self, group: list[_Change]) -> tuple[list[_ChangeOutcome], Commit]:
        with self._database.writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                outcomes = [_run_alone(connection, change, self.path) for change in group]
                commit = self._with_events(connection, committed(connection, self._committed_summary))
                self._database.plan_checkpoint()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._committed_summary = commit.after
        return outcomes, commit

    def _with_events(self, connection: sqlite3.Connection, commit: Commit) -> Commit:
        """Write the events of the history that the changes of the transaction amount to."""
        for upload in list(self._additions.begun(commit)):
            self._additions.note(commit, upload, history.paths_to_walk(connection, upload))
        now = self._clock()
        history.record(connection, now, [*self._additions.ended(commit), *events_of(commit)])
        for upload in settled(commit):
            history.flush(connection, now, upload)
        return with_history(connection, commit)

    def _publish(self, commit: Commit, outcomes: list[_ChangeOutcome]) -> None:
        self.summary = commit.after
        for outcome in outcomes:
            if outcome.error is None and outcome.change.then is not None:
                outcome.change.then()
        _settle(outcomes)
        self._on_commit(commit)


def _run_alone(connection: sqlite3.Connection, change: _Change, path: Path) -> _ChangeOutcome:
    connection.execute("SAVEPOINT change")
    try:
        result = change.run(connection)
    except Exception as error:
        if is_of_the_disk(error):
            raise  # caused by the disk or the file, not by this change: the whole group is lost
        connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
        if isinstance(error, UploaderError):
            return _ChangeOutcome(change, error=error)
        fault = translation(error, path)
        fault.__cause__ = error
        return _ChangeOutcome(change, error=fault)
    connection.execute("RELEASE change")
    return _ChangeOutcome(change, result)


def _settle(outcomes: list[_ChangeOutcome]) -> None:
    for outcome in outcomes:
        if outcome.change.done.done():
            continue
        if outcome.error is None:
            outcome.change.done.set_result(outcome.result)
        else:
            outcome.change.done.set_exception(outcome.error)


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, so no caller waits
        loop.call_soon_threadsafe(function, *arguments)

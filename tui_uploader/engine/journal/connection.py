"""One SQLite file, one writing thread, and group commits.

Every change is a function over the connection, run in the writing thread inside a transaction. Changes that wait
together are committed together: one flush to the disk serves all of them, and none of their callers goes on before it.
A change that fails is rolled back alone.

`synchronous = FULL` is on purpose: what is acknowledged here survives a power cut, or processing might start twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from tui_uploader import settings
from tui_uploader.engine.journal.summary import Summary, read_summary
from tui_uploader.errors import EngineError, JournalDamaged, JournalTooNew, JournalUnwritable

log = logging.getLogger(__name__)

Result = TypeVar("Result")

SCHEMA_VERSION = 3
MIGRATIONS: dict[int, str] = {
    1: """
        ALTER TABLE known ADD COLUMN latitude REAL;
        ALTER TABLE known ADD COLUMN longitude REAL;
        ALTER TABLE known ADD COLUMN taken_at REAL;
        CREATE TABLE abandoned (
            project    INTEGER NOT NULL REFERENCES projects (id),
            object     TEXT NOT NULL,
            multipart  TEXT NOT NULL,
            PRIMARY KEY (project, object, multipart)
        ) WITHOUT ROWID;
        CREATE TABLE preferences (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE traffic (day TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
    """,
    2: """
        ALTER TABLE sources ADD COLUMN error TEXT;
        ALTER TABLE sources ADD COLUMN reason TEXT;
    """,
}
"""SQL that leads from a version to the next one, by the version it starts from."""

_LARGEST_GROUP = 256
_BUSY_SECONDS = 5.0


@dataclass(slots=True)
class _Change:
    run: Callable[[sqlite3.Connection], Any]
    then: Callable[[], None] | None
    done: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


@dataclass(slots=True)
class _Outcome:
    change: _Change
    result: Any = None
    error: BaseException | None = None


class Journal:
    """Open with `Journal.open`; `summary` is always the state after the last commit."""

    def __init__(self, path: Path, writer: sqlite3.Connection, on_commit: Callable[[], None]) -> None:
        self.path = path
        self.summary: Summary = read_summary(writer)
        self._on_commit = on_commit
        self._connection = writer
        self._waiting: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._closed = False
        self._reader = ThreadPoolExecutor(1, "journal-reader")
        self._reading: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._write_until_closed, name="journal-writer", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, path: Path, on_commit: Callable[[], None] = lambda: None) -> Journal:
        """Make or open the journal, bring it to this version, and call `on_commit` in the event loop after commits.

        Raises JournalUnwritable, JournalTooNew, JournalDamaged.
        """
        with translated(path):
            try:
                settings.private(path.parent)
            except OSError as error:
                reason = error.strerror or error
                raise JournalUnwritable(f"The journal's folder {path.parent} cannot be used: {reason}.") from error
            connection = _connect(path)
            try:
                _migrate(connection, path)
                path.chmod(0o600)
                return cls(path, connection, on_commit)
            except BaseException:
                connection.close()
                raise

    async def write(
        self, change: Callable[[sqlite3.Connection], Result], *, then: Callable[[], None] | None = None
    ) -> Result:
        """Run `change` in a transaction and return its result once it is on the disk.

        `then` is called in the event loop together with the new summary: nobody sees the one without the other.
        Raises what `change` raises (then nothing of it is kept), JournalUnwritable, JournalDamaged.
        """
        if self._closed:
            raise EngineError("The engine is stopping: its journal is closed.")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._waiting.put(_Change(change, then, done, loop))
        # A cancelled caller does not take the change back, but must not leave before it is settled.
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait({done})
            raise

    async def read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        """Ask on a connection of its own: a long answer holds no change up.

        Raises JournalUnwritable, JournalDamaged.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, question)

    async def close(self) -> None:
        """Commit what waits and leave one tidy file."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.get_running_loop().run_in_executor(self._reader, self._close_reading)
        self._reader.shutdown()
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        with translated(self.path):
            if self._reading is None:
                self._reading = _connect(self.path)
                self._reading.execute("PRAGMA query_only = ON")
            return question(self._reading)

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()

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
                outcomes, summary = self._committed(group)
        except Exception as failure:  # noqa: BLE001 -- the edge of the thread: every caller learns it
            log.error("The journal kept nothing of %d changes: %s", len(group), failure)
            _call_in(group[0].loop, _settle, [_Outcome(change, error=failure) for change in group])
        else:
            _call_in(group[0].loop, self._publish, summary, outcomes)

    def _committed(self, group: list[_Change]) -> tuple[list[_Outcome], Summary]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [_run_alone(self._connection, change) for change in group]
            summary = read_summary(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return outcomes, summary

    def _publish(self, summary: Summary, outcomes: list[_Outcome]) -> None:
        self.summary = summary
        for outcome in outcomes:
            if outcome.error is None and outcome.change.then is not None:
                outcome.change.then()
        _settle(outcomes)
        self._on_commit()


def _run_alone(connection: sqlite3.Connection, change: _Change) -> _Outcome:
    connection.execute("SAVEPOINT change")
    try:
        result = change.run(connection)
    except Exception as error:
        if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
            raise  # the disk or the file, not this change: the whole group is lost
        connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
        return _Outcome(change, error=error)
    connection.execute("RELEASE change")
    return _Outcome(change, result)


def _settle(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.change.done.done():
            continue
        if outcome.error is None:
            outcome.change.done.set_result(outcome.result)
        else:
            outcome.change.done.set_exception(outcome.error)


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(function, *arguments)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise JournalTooNew(
            f"The journal {path} was written by a newer tui-uploader (format {version}; this one knows "
            f"{SCHEMA_VERSION}). Install that version again; nothing was changed."
        )
    if version == SCHEMA_VERSION:
        return
    if version == 0:
        script = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    else:
        script = "".join(MIGRATIONS[step] for step in range(version, SCHEMA_VERSION))
    connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;")


class translated(contextlib.AbstractContextManager[None]):
    """SQLite's failures as ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError):  # a word that no version of ours wrote
            raise _damaged(self._path) from error
        if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
            raise _translation(error, self._path) from error


def _damaged(path: Path) -> JournalDamaged:
    return JournalDamaged(
        f"The journal {path} is damaged. Move it away to start afresh; files that the cloud has stay there, "
        "and are sent again at worst."
    )


def _translation(error: sqlite3.Error, path: Path) -> EngineError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path)
    if primary == sqlite3.SQLITE_FULL:
        return JournalUnwritable(
            f"The disk under the journal {path} is full. Nothing is lost, and it can go on once there is room."
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return JournalUnwritable(f"The journal {path} cannot be written ({error}).")
    return JournalUnwritable(f"The journal {path} did not take a change ({error}).")

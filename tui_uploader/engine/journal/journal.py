"""One SQLite file, one writing thread, and group commits.

Every change is a function over the connection, run in the writing thread inside a transaction. Changes that wait
together are committed together: one flush to the disk serves all of them, and none of their callers goes on before it.
A change that fails is rolled back alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import re
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from tui_uploader import ownership
from tui_uploader.engine.journal.database import JournalDatabase
from tui_uploader.engine.journal.failures import is_of_the_disk, shown, translated, translation
from tui_uploader.engine.journal.summary import Commit, Summary, committed, note_changes, read_summary
from tui_uploader.errors import EngineError, JournalTooNew, JournalUnwritable, UploaderError
from tui_uploader.settings import without_user_information

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
        ALTER TABLE files ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE files ADD COLUMN ctime_ns INTEGER;
        ALTER TABLE files ADD COLUMN mount TEXT NOT NULL DEFAULT '';
        ALTER TABLE known ADD COLUMN ctime_ns INTEGER;
        ALTER TABLE known ADD COLUMN mount TEXT NOT NULL DEFAULT '';
        ALTER TABLE known ADD COLUMN samples TEXT;
        ALTER TABLE sources ADD COLUMN found_some INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE uploads ADD COLUMN dismissed_at REAL;
        ALTER TABLE uploads ADD COLUMN condensed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE files ADD COLUMN proof TEXT;
        ALTER TABLE files ADD COLUMN real BLOB;
        ALTER TABLE parts ADD COLUMN proof TEXT;
        CREATE TABLE delivered (
            file         INTEGER PRIMARY KEY,
            upload       INTEGER NOT NULL REFERENCES uploads (id),
            project      INTEGER NOT NULL REFERENCES projects (id),
            path         BLOB NOT NULL,
            name         TEXT NOT NULL,
            size         INTEGER NOT NULL,
            identity     TEXT,
            crc32        INTEGER,
            object       TEXT,
            etag         TEXT,
            uploaded_at  REAL,
            proof        TEXT
        );
        CREATE TABLE dropped (file INTEGER PRIMARY KEY);
        CREATE UNIQUE INDEX one_delivery_per_content ON delivered (project, identity);
        CREATE INDEX delivered_by_upload ON delivered (upload);
        CREATE TRIGGER delivery_counted AFTER INSERT ON delivered BEGIN
            INSERT INTO tallies VALUES (new.upload, 'registered', 1, new.size)
                ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
        END;
        CREATE TRIGGER content_delivered BEFORE UPDATE OF stage ON files
            WHEN new.stage IN ('ready', 'sending', 'stored') AND old.stage NOT IN ('ready', 'sending', 'stored')
            AND EXISTS (
                SELECT 1 FROM delivered WHERE project = new.project AND identity = new.identity)
        BEGIN
            SELECT RAISE(ABORT, 'the project has this content');
        END;
        UPDATE OR IGNORE projects SET account = without_user_information(account)
            WHERE account LIKE '%@http%://%@%';
        UPDATE projects SET account = without_user_information(account) || ' (' || id || ')'
            WHERE account LIKE '%@http%://%@%';
        UPDATE projects SET web_address = without_user_information(web_address) WHERE web_address LIKE '%://%@%';
    """,
}
"""SQL that leads from a version to the next one, by the version it starts from."""

_LARGEST_GROUP = 256


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

    def __init__(self, path: Path, database: JournalDatabase, on_commit: Callable[[Commit], None]) -> None:
        self.path = path
        note_changes(database.writer)
        self.summary: Summary = read_summary(database.writer)
        """As of the last commit, for the event loop."""
        self._committed_summary = self.summary
        """The same for the writing thread, which is ahead of it."""
        self._on_commit = on_commit
        self._database = database
        self._waiting: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._closed = False
        self._reader = ThreadPoolExecutor(1, "journal-reader")
        self._thread = threading.Thread(target=self._write_until_closed, name="journal-writer", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls, path: Path, on_commit: Callable[[Commit], None] = lambda commit: None, *, vfs: str | None = None
    ) -> Journal:
        """Create or open the journal and migrate it to this format; `on_commit` runs in the event loop after commits.

        `vfs`: see `JournalDatabase.open`. Raises JournalInUse, JournalUnwritable, JournalTooNew, JournalDamaged; of
        what it created then only the folder is left.
        """
        with translated(path):
            try:
                ownership.private(path.parent)
            except OSError as error:
                reason = ownership.foreign(path.parent) or f"{error.strerror or error}."
                raise JournalUnwritable(
                    f"The journal's folder {shown(path.parent)} cannot be used: {reason}"
                ) from error
            database = JournalDatabase.open(path, partial(_migrate, path=path), vfs)
            try:
                return cls(path, database, on_commit)
            except BaseException:
                database.close()
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
        """Ask on a connection of its own, where the file system allows it: then a long answer holds no change up.

        Raises what `question` raises of `errors`, JournalUnwritable, JournalDamaged.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, question)

    async def close(self) -> None:
        """Commit what waits and leave one tidy file."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.shutdown()
        self._database.close()

    def _read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        with translated(self.path), self._database.reading() as connection:
            return question(connection)

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
        except Exception as failure:  # noqa: BLE001 -- the edge of the thread: every caller learns it
            log.error("The journal kept nothing of %d changes: %s", len(group), failure)
            _call_in(group[0].loop, _settle, [_Outcome(change, error=failure) for change in group])
        else:
            _call_in(group[0].loop, self._publish, commit, outcomes)

    def _committed(self, group: list[_Change]) -> tuple[list[_Outcome], Commit]:
        with self._database.writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                outcomes = [_run_alone(connection, change, self.path) for change in group]
                commit = committed(connection, self._committed_summary)
                self._database.plan_checkpoint()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._committed_summary = commit.after
        return outcomes, commit

    def _publish(self, commit: Commit, outcomes: list[_Outcome]) -> None:
        self.summary = commit.after
        for outcome in outcomes:
            if outcome.error is None and outcome.change.then is not None:
                outcome.change.then()
        _settle(outcomes)
        self._on_commit(commit)


def _run_alone(connection: sqlite3.Connection, change: _Change, path: Path) -> _Outcome:
    connection.execute("SAVEPOINT change")
    try:
        result = change.run(connection)
    except Exception as error:
        if is_of_the_disk(error):
            raise  # the disk or the file, not this change: the whole group is lost
        connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
        if isinstance(error, UploaderError):
            return _Outcome(change, error=error)
        fault = translation(error, path)
        fault.__cause__ = error
        return _Outcome(change, error=fault)
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


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise JournalTooNew(
            f"The journal {shown(path)} was written by a newer tui-uploader (format {version}; this one knows "
            f"{SCHEMA_VERSION}). Install that version again; nothing was changed."
        )
    if version == SCHEMA_VERSION:
        return
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has to come before the first table
        script = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    else:
        # Older versions took addresses of clouds that carried a password: nothing of them may stay in the file.
        connection.execute("PRAGMA secure_delete = ON")
        connection.create_function("without_user_information", 1, _without_user_information, deterministic=True)
        script = "".join(MIGRATIONS[step] for step in range(version, SCHEMA_VERSION))
    connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;")
    connection.execute("PRAGMA secure_delete = OFF")


def _without_user_information(text: str) -> str:
    """Of a web address, or of an account: a client id, an `@` and a web address."""
    client_id, separator, address = re.split(r"(^|@(?=https?://))", text, maxsplit=1)
    return f"{client_id}{separator}{without_user_information(address)}"

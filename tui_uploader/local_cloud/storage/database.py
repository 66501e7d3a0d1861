"""The SQLite file of a root, and the lock that keeps a second server away.

All calls block and are meant for worker threads. One connection and one lock: readers wait at most for a writer's
fsync, and work that belongs to a commit (a rename, for example) can be done under the same lock.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_uploader.errors import UsageError

FILE_NAME = "local-cloud.sqlite"
LOCK_NAME = "lock"
_VERSION = 2
_RESULTS = """
CREATE TABLE results (
    project INTEGER NOT NULL,
    result_type TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    companions TEXT NOT NULL DEFAULT '[]', -- JSON: keys of the files that belong to it
    crs TEXT,                              -- JSON, as the client sent it
    registered REAL NOT NULL DEFAULT 0,
    replaced REAL,                         -- when another result took its place
    PRIMARY KEY (project, result_type, key)
) WITHOUT ROWID;
"""
_FROM_VERSION_1 = f"""
ALTER TABLE results RENAME TO results_before;
{_RESULTS}
INSERT INTO results (project, result_type, key, name) SELECT project, result_type, key, key FROM results_before;
DROP TABLE results_before;
"""
_SCHEMA = f"""
CREATE TABLE login (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    client_id TEXT NOT NULL,
    client_secret TEXT NOT NULL,
    signing_key BLOB NOT NULL
);
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    created REAL NOT NULL,
    starts INTEGER NOT NULL DEFAULT 0,   -- number of times processing was started
    started REAL,                        -- the last time
    processing_seconds REAL
);
CREATE TABLE images (project INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (project, key)) WITHOUT ROWID;
{_RESULTS}
CREATE TABLE objects (
    key TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum TEXT,
    checksum_type TEXT,
    headers TEXT NOT NULL,               -- JSON: headers to return with the object
    modified REAL NOT NULL,
    incoming TEXT NOT NULL UNIQUE        -- name of its file before the rename to its path
) WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type TEXT,
    headers TEXT NOT NULL,
    created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE parts (
    upload TEXT NOT NULL REFERENCES uploads (id),
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum TEXT,
    modified REAL NOT NULL,
    incoming TEXT NOT NULL UNIQUE,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""


class RootLock:
    """Lock of a root against a second server; the kernel releases it when the process ends, however it ends."""

    def __init__(self, root: Path) -> None:
        """Raises UsageError when another server has the root, and OSError."""
        self._descriptor = os.open(root / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise UsageError(
                f"Another local cloud already serves {root}. Stop it, or choose another folder."
            ) from error

    def release(self) -> None:
        os.close(self._descriptor)


class RootDatabase:
    """The open SQLite file of a root; created when missing, readable by its owner only."""

    def __init__(self, root: Path) -> None:
        """Raises UsageError when the file is damaged or was written by a newer version."""
        path = root / FILE_NAME
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise UsageError(f"Cannot read {path} as the database of a local cloud: {error}.") from error
        except UsageError:
            self._connection.close()
            raise

    def _prepare(self, path: Path) -> None:
        # FULL: a reply is a promise that outlives a power cut, like the fsync of the object's own bytes.
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        )
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise UsageError(f"{path} was written by a newer version of this program.")
        if version < _VERSION:
            script = _SCHEMA if version == 0 else _FROM_VERSION_1
            self._connection.executescript(f"BEGIN; {script} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def locked(self) -> Iterator[sqlite3.Connection]:
        """Keep all other threads from reading and writing during the block."""
        with self._lock:
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit when the block ends without an error, roll back otherwise."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # on a full disk SQLite has rolled back already
                    self._connection.execute("ROLLBACK")
                raise

"""The journal's SQLite file, opened so that commits survive a power cut on any file system.

Usually it is in WAL mode, in which one connection reads while another writes. WAL needs memory that connections share,
which network and FUSE file systems often lack. There one connection does both in turn, in WAL mode with
`locking_mode = EXCLUSIVE`, which needs no shared memory and is as durable (https://sqlite.org/wal.html, section 8).

On a full disk only a checkpoint needs much space: the file grows by every page that is new in the log. A checkpoint
that does not fit is deferred; it would stay incomplete, and take the space that the next changes need.

`synchronous = FULL` is deliberate: without it, a power cut could make the engine start processing twice.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from tui_uploader.engine.journal.failures import shown
from tui_uploader.engine.journal.lock import JournalLock
from tui_uploader.errors import JournalUnwritable

log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
_AMPLE_SPACE = 64 * 1024**2
"""Free bytes from which on a disk counts as far from full."""
_SPACE_FOR_CHANGES = 64 * 1024
_PAGES_IN_LOG, _PAGES_WHEN_SPACE_IS_SHORT = 1000, 32
"""Pages of 4 KiB after which the log is written into the file; 1000 is SQLite's default."""
_LARGEST_IDLE_LOG = 8 * 1024**2
"""Bytes to which a log is truncated after a checkpoint."""
_SIDE_FILES = ("-wal", "-shm", "-journal")
_SHARING_MAY_FAIL_WITH = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_BUSY)

Prepare = Callable[[sqlite3.Connection], None]
"""Migrates the tables or raises; called before anything else is changed."""


class JournalDatabase:
    """An open journal file, locked against other processes. Use its connections within `writing` and `reading`."""

    def __init__(
        self, path: Path, lock: JournalLock, writer: sqlite3.Connection, vfs: str | None, *, shared: bool
    ) -> None:
        self.writer = writer
        self.shared = shared
        """Whether one connection can read while the other writes."""
        self._path = path
        self._lock = lock
        self._vfs = vfs
        self._reader: sqlite3.Connection | None = None
        self._pages = 0
        """Size of the journal when the last checkpoint was planned."""
        self._pages_until_checkpoint = _PAGES_IN_LOG
        self._writer_lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, prepare: Prepare, vfs: str | None = None) -> JournalDatabase:
        """Create or open the file at `path`, in an existing folder.

        `vfs`: name of SQLite's file layer (https://sqlite.org/vfs.html); None: the platform's default.
        Raises JournalInUse, JournalUnwritable, sqlite3.Error, and what `prepare` raises; it then removes the files that
        it created.
        """
        real = Path(os.path.realpath(path))
        lock = JournalLock(real)
        try:
            with _new_files_removed_on_failure(real):
                writer, shared = _opened(real, prepare, vfs)
            return cls(real, lock, writer, vfs, shared=shared)
        except BaseException:
            lock.release()
            raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self._writer_lock:
            yield self.writer

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Provide a read-only connection, for one thread at a time."""
        if self.shared:
            if self._reader is None:
                self._reader = _connection(self._path, self._vfs, shared=True)
                self._reader.execute("PRAGMA query_only = ON")
            yield self._reader
            return
        with self._writer_lock:
            self.writer.execute("PRAGMA query_only = ON")
            try:
                yield self.writer
            finally:
                self.writer.execute("PRAGMA query_only = OFF")

    def plan_checkpoint(self) -> None:
        """Decide inside a transaction whether a checkpoint may follow its COMMIT."""
        (pages,) = self.writer.execute("PRAGMA page_count").fetchone()
        (page_size,) = self.writer.execute("PRAGMA page_size").fetchone()
        new_pages, self._pages = max(0, pages - self._pages), pages
        try:
            disk, size = os.statvfs(self._path.parent), self._path.stat().st_size
        except OSError:  # COMMIT will report it
            return
        free = disk.f_bavail * disk.f_frsize - new_pages * page_size  # new pages go into the log first
        wanted = pages_until_checkpoint(free, growth=pages * page_size - size)
        if wanted != self._pages_until_checkpoint:
            self.writer.execute(f"PRAGMA wal_autocheckpoint = {wanted}")
            self._pages_until_checkpoint = wanted

    def close(self) -> None:
        """Close the connections, leave a single file, and release the lock."""
        if self._reader is not None:
            self._reader.close()
        with contextlib.suppress(sqlite3.Error):
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()
        self._lock.release()


def pages_until_checkpoint(free: int, growth: int) -> int:
    """Return the number of pages after which the log is written into the file; 0: do not write it.

    `free`: free bytes on the disk. `growth`: bytes by which the file would grow.
    """
    if growth + _SPACE_FOR_CHANGES > free:
        return 0
    return _PAGES_IN_LOG if free >= _AMPLE_SPACE else _PAGES_WHEN_SPACE_IS_SHORT


def _opened(path: Path, prepare: Prepare, vfs: str | None) -> tuple[sqlite3.Connection, bool]:
    """Return the writing connection, and whether another one may read at the same time."""
    try:
        return _in_wal_mode(path, prepare, vfs, shared=True), True
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            raise _unusable(path, error) from error
        if error.sqlite_errorcode & 0xFF not in _SHARING_MAY_FAIL_WITH:
            raise
        first = error
    # The file for shared memory may have been created; it is unused, and SQLite creates it again where needed.
    Path(f"{path}-shm").unlink(missing_ok=True)
    try:
        connection = _in_wal_mode(path, prepare, vfs, shared=False)
    except sqlite3.OperationalError as error:
        raise _unusable(path, error) from error
    log.info("The journal works without shared memory, which its file system lacks (%s).", first)
    return connection, False


def _in_wal_mode(path: Path, prepare: Prepare, vfs: str | None, *, shared: bool) -> sqlite3.Connection:
    connection = _connection(path, vfs, shared=shared)
    try:
        prepare(connection)
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            refusal = sqlite3.OperationalError(f"write-ahead logging is not possible, only {mode}")
            refusal.sqlite_errorcode = sqlite3.SQLITE_PROTOCOL
            raise refusal
        # Write a page, because opening a read-only file raises no error.
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version}")
        path.chmod(0o600)
    except BaseException:
        connection.close()
        raise
    return connection


def _connection(path: Path, vfs: str | None, *, shared: bool) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}" + (f"?vfs={vfs}" if vfs else "")
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        if not shared:  # before the first read: a file in WAL mode cannot be read otherwise
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_IDLE_LOG}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _new_files_removed_on_failure(path: Path) -> Iterator[None]:
    """Remove the files that were created inside if an exception is raised."""
    was_there = path.exists()
    beside = {suffix for suffix in _SIDE_FILES if Path(f"{path}{suffix}").exists()}
    try:
        yield
    except BaseException:
        for suffix in _SIDE_FILES:
            new = Path(f"{path}{suffix}")
            # A log with content belongs to an existing journal: SQLite needs it.
            if suffix not in beside and (not was_there or suffix == "-shm" or _is_empty(new)):
                new.unlink(missing_ok=True)
        if not was_there and path.is_file():
            path.unlink()
        raise


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _unusable(path: Path, error: sqlite3.OperationalError) -> JournalUnwritable:
    if path.is_dir():
        return JournalUnwritable(f"Cannot create the journal: {shown(path)} is a folder. Move it away and try again.")
    if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        reason, help_ = "its file system is read-only", "Mount it writable, or set"
    elif not os.access(path.parent, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
        reason, help_ = "permission denied", "Correct the permissions, or set"
    else:
        reason, help_ = f"its file system lacks a feature that SQLite needs: {error}", "Set"
    return JournalUnwritable(
        f"Cannot write the journal {shown(path)}: {reason}. {help_} XDG_DATA_HOME to a folder on a local disk."
    )

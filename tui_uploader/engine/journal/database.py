"""The SQLite file of the journal: opened so that what is committed survives a power cut, wherever it lies.

Usually it is in WAL mode, in which one connection reads while another writes. WAL needs memory that connections share,
and network and FUSE file systems often have none. There one connection does both in turn, in WAL mode with
`locking_mode = EXCLUSIVE`, which needs no such memory and is just as durable (https://sqlite.org/wal.html, section 8).

On a full disk a checkpoint is the one thing that needs much room: the file grows by every page that is new in the log.
Where that does not fit it is put off, or it would take the little room that the next changes need and stay incomplete.

`synchronous = FULL` is on purpose: what is acknowledged here survives a power cut, or processing might start twice.
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
from tui_uploader.engine.journal.lock import Guard
from tui_uploader.errors import JournalUnwritable

log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
_ROOMY = 64 * 1024**2
"""Bytes that are free on a disk that will not be full in a moment."""
_ROOM_FOR_CHANGES = 64 * 1024
_PAGES_IN_LOG, _PAGES_WHERE_ROOM_IS_SHORT = 1000, 32
"""Pages of 4 KiB after which the log is written into the file; 1000 is SQLite's own number."""
_LARGEST_IDLE_LOG = 8 * 1024**2
"""Bytes that the log may keep after it was written into the file."""
_MADE_BY_SQLITE = ("-wal", "-shm", "-journal")
_SHARING_MAY_FAIL_WITH = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_BUSY)

Prepare = Callable[[sqlite3.Connection], None]
"""Brings the tables to this version, or raises; called before anything else is changed."""


class JournalDatabase:
    """An open file that no other process can open. Its connections are to be used within `writing` and `reading`."""

    def __init__(self, path: Path, guard: Guard, writer: sqlite3.Connection, vfs: str | None, *, shared: bool) -> None:
        self.writer = writer
        self.shared = shared
        """One connection can read while the other writes."""
        self._path = path
        self._guard = guard
        self._vfs = vfs
        self._reader: sqlite3.Connection | None = None
        self._pages = 0
        """Of the journal when the last checkpoint was planned."""
        self._pages_until_checkpoint = _PAGES_IN_LOG
        self._turn = threading.Lock()
        """Held by whoever uses the writing connection."""

    @classmethod
    def open(cls, path: Path, prepare: Prepare, vfs: str | None = None) -> JournalDatabase:
        """Make or open the file at `path`, in a folder that is there.

        `vfs`: name of SQLite's file layer (https://sqlite.org/vfs.html); None: that of the platform.
        Raises JournalInUse, JournalUnwritable, sqlite3.Error, and what `prepare` raises; then nothing is left behind.
        """
        real = Path(os.path.realpath(path))
        guard = Guard(real)
        try:
            with _nothing_left_behind(real):
                writer, shared = _opened(real, prepare, vfs)
            return cls(real, guard, writer, vfs, shared=shared)
        except BaseException:
            guard.release()
            raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            yield self.writer

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that refuses to write. For one thread at a time."""
        if self.shared:
            if self._reader is None:
                self._reader = _connection(self._path, self._vfs, shared=True)
                self._reader.execute("PRAGMA query_only = ON")
            yield self._reader
            return
        with self._turn:
            self.writer.execute("PRAGMA query_only = ON")
            try:
                yield self.writer
            finally:
                self.writer.execute("PRAGMA query_only = OFF")

    def plan_checkpoint(self) -> None:
        """Decide before a COMMIT, inside its transaction, whether a checkpoint may follow it."""
        (pages,) = self.writer.execute("PRAGMA page_count").fetchone()
        (page_size,) = self.writer.execute("PRAGMA page_size").fetchone()
        new_pages, self._pages = max(0, pages - self._pages), pages
        try:
            disk, size = os.statvfs(self._path.parent), self._path.stat().st_size
        except OSError:  # the COMMIT will tell
            return
        free = disk.f_bavail * disk.f_frsize - new_pages * page_size  # which go into the log first
        wanted = pages_until_checkpoint(free, growth=pages * page_size - size)
        if wanted != self._pages_until_checkpoint:
            self.writer.execute(f"PRAGMA wal_autocheckpoint = {wanted}")
            self._pages_until_checkpoint = wanted

    def close(self) -> None:
        """Leave one tidy file."""
        if self._reader is not None:
            self._reader.close()
        with contextlib.suppress(sqlite3.Error):
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()
        self._guard.release()


def pages_until_checkpoint(free: int, growth: int) -> int:
    """How many pages the log may have until it is written into the file; 0: it is left as it is.

    `free`: bytes that the disk has left. `growth`: bytes by which the file would grow.
    """
    if growth + _ROOM_FOR_CHANGES > free:
        return 0
    return _PAGES_IN_LOG if free >= _ROOMY else _PAGES_WHERE_ROOM_IS_SHORT


def _opened(path: Path, prepare: Prepare, vfs: str | None) -> tuple[sqlite3.Connection, bool]:
    """The writing connection, and whether another one may read beside it."""
    try:
        return _in_wal_mode(path, prepare, vfs, shared=True), True
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            raise _unusable(path, error) from error
        if error.sqlite_errorcode & 0xFF not in _SHARING_MAY_FAIL_WITH:
            raise
        first = error
    # The file of the shared memory, if it could be made at all: nobody uses it, and whoever needs it makes it anew.
    Path(f"{path}-shm").unlink(missing_ok=True)
    try:
        connection = _in_wal_mode(path, prepare, vfs, shared=False)
    except sqlite3.OperationalError as error:
        raise _unusable(path, error) from error
    log.info("The journal is kept without shared memory, which its file system does not have (%s).", first)
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
        # Writes a page: a file that may only be read is opened without complaint.
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
        if not shared:  # before anything that reads the file: a file in WAL mode cannot even be read otherwise
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_IDLE_LOG}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _nothing_left_behind(path: Path) -> Iterator[None]:
    """If what is done inside fails, remove the files that it made."""
    was_there = path.exists()
    beside = {suffix for suffix in _MADE_BY_SQLITE if Path(f"{path}{suffix}").exists()}
    try:
        yield
    except BaseException:
        for suffix in _MADE_BY_SQLITE:
            new = Path(f"{path}{suffix}")
            # A log that holds something belongs to a journal that was there before: SQLite will need it.
            if suffix not in beside and (not was_there or suffix == "-shm" or _is_empty(new)):
                new.unlink(missing_ok=True)
        if not was_there and path.is_file():
            path.unlink()
        raise


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _unusable(path: Path, error: sqlite3.OperationalError) -> JournalUnwritable:
    if path.is_dir():
        return JournalUnwritable(f"{shown(path)}, where the journal belongs, is a folder. Move it away and try again.")
    if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        reason, help_ = "its file system is read-only", "Mount it writable, or let"
    elif not os.access(path.parent, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
        reason, help_ = "you may not write there", "Correct the permissions, or let"
    else:
        reason, help_ = f"its file system does not offer what SQLite needs: {error}", "Let"
    return JournalUnwritable(
        f"The journal {shown(path)} cannot be written: {reason}. {help_} XDG_DATA_HOME name a folder on a local disk."
    )

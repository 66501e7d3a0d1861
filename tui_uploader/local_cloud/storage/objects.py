"""Objects: files below `objects/<bucket>/`, and their records in SQLite, which never disagree.

Bytes arrive in `incoming/` under a random name and are synced there. Then one commit records whose they are, and a
rename moves them to their path, both under one lock. When the process dies between the two, `recover` finds a file in
`incoming/` that the database names, and moves it. A file there that the database does not name was never acknowledged
and is deleted. All calls block and are meant for worker threads.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tui_uploader.local_cloud.storage.checksums import Algorithm, Checksum, ChecksumType
from tui_uploader.local_cloud.storage.database import RootDatabase
from tui_uploader.local_cloud.storage.errors import KeyBlocked, NoSuchObject, ObjectExists
from tui_uploader.local_cloud.storage.object_folders import ObjectFolders

_AFTER_PREFIX = "\U0010ffff"
"""Appended to a prefix, sorts behind every key that begins with it."""
_ROWS_AT_A_TIME = 1000

_Row = tuple[str, int, str, str | None, str | None, str | None, str, float, str]
"""A row of the table `objects`."""


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """Metadata of an object. `etag` is without quotes, `modified` in seconds since the epoch."""

    key: str
    size: int
    etag: str
    modified: float
    checksum: Checksum | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Content-Type, x-amz-meta-…: kept for the client and returned unchanged."""


@dataclass(frozen=True, slots=True)
class ObjectListing:
    objects: list[ObjectRecord]
    common_prefixes: list[str]
    next_after: str | None
    """`after` of the next page; None at the end."""


class IncomingFile:
    """A file for bytes that belong to no object or part yet."""

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(16)
        self.path = folder / self.name
        self.size = 0
        self._file = io.FileIO(self.path, "x", opener=_open_private)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = self._file.write(rest)
            self.size += written
            rest = rest[written:]

    def append(self, path: Path) -> None:
        """Append another file; the kernel copies it where it can, or shares its blocks."""
        with path.open("rb", buffering=0) as source:
            while copied := self._copy_some(source):
                self.size += copied

    def _copy_some(self, source: io.FileIO) -> int:
        """Bytes copied; 0 at the end of `source`."""
        if hasattr(os, "copy_file_range"):
            try:
                return os.copy_file_range(source.fileno(), self._file.fileno(), 1 << 30)
            except OSError:
                pass  # not supported between these two files; reading and writing below reports any other error
        return self._file.write(source.read(1 << 20))

    def seal(self) -> None:
        """Sync to disk and close."""
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


class LocalObjectStore:
    def __init__(self, root: Path, database: RootDatabase, now: Callable[[], float]) -> None:
        self.database = database
        self.now = now
        self.incoming = root / "incoming"
        self.incoming.mkdir(mode=0o700, exist_ok=True)
        self._folders = ObjectFolders(root)

    def close(self) -> None:
        self._folders.close()

    def recover(self) -> None:
        """Make files and database agree after a crash at any instant. Nothing else may use the root yet."""
        with self.database.transaction() as sql:
            recorded = dict(sql.execute("SELECT incoming, key FROM objects").fetchall())
            parts = {name for (name,) in sql.execute("SELECT incoming FROM parts")}
            left_over = {path.name: path for path in self.incoming.iterdir()}
            sql.executemany("DELETE FROM parts WHERE incoming = ?", [(name,) for name in parts - left_over.keys()])
        for name, path in left_over.items():
            if name in recorded:
                folder, file_name = self._folders.enter(recorded[name], make=True)
                with _closing(folder):
                    os.rename(path, file_name, dst_dir_fd=folder)
            elif name not in parts:
                path.unlink()

    def receive(self) -> IncomingFile:
        return IncomingFile(self.incoming)

    def publish(
        self,
        incoming: IncomingFile,
        record: ObjectRecord,
        *,
        only_if_absent: bool = False,
        in_the_same_commit: Callable[[sqlite3.Connection], None] = lambda sql: None,
    ) -> None:
        """Make a sealed file the object `record.key`, replacing an earlier one.

        Raises ObjectExists with `only_if_absent`, and KeyBlocked where a folder and a file would have the same path.
        """
        with contextlib.ExitStack() as opened:
            with self.database.locked():
                if only_if_absent and self.find(record.key):
                    raise ObjectExists("At least one of the pre-conditions you specified did not hold")
                folder, name = self._created_folder(record.key)
                opened.enter_context(_closing(folder))
                if _is_folder(folder, name):
                    raise _blocked()
                with self.database.transaction() as sql:
                    sql.execute(
                        "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(record, incoming.name)
                    )
                    in_the_same_commit(sql)
                os.rename(incoming.path, name, dst_dir_fd=folder)
            os.fsync(folder)

    def find(self, key: str) -> ObjectRecord | None:
        """The record of an object; None also where its file was removed or truncated, for then it is not stored."""
        with self.database.locked() as sql:
            row = sql.execute("SELECT * FROM objects WHERE key = ?", (key,)).fetchone()
            record = None if row is None else _record(row)
            if record is None or self._size_of(key) != record.size:
                return None
            return record

    def _size_of(self, key: str) -> int | None:
        try:
            folder, name = self._folders.enter(key)
            with _closing(folder):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def open(self, key: str) -> tuple[ObjectRecord, BinaryIO]:
        """The record and the open file, whose bytes stay the same when the object is replaced. Raises NoSuchObject."""
        with self.database.locked():
            record = self.find(key)
            if record is None:
                raise NoSuchObject("The specified key does not exist.")
            folder, name = self._folders.enter(key)
            with _closing(folder):
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            return record, os.fdopen(descriptor, "rb")

    def listing(self, prefix: str, delimiter: str, after: str, limit: int, *, within: str = "") -> ObjectListing:
        """Up to `limit` objects and common prefixes behind `after`, in the order of their UTF-8 bytes.

        Only keys that begin with `within` are listed.
        """
        objects: list[ObjectRecord] = []
        common: list[str] = []
        last = after
        for entry in self._entries(prefix, delimiter, after, within):
            if len(objects) + len(common) == limit:
                return ObjectListing(objects, common, last if limit else None)
            if isinstance(entry, ObjectRecord):
                objects.append(entry)
                last = entry.key
            else:
                common.append(entry)
                last = entry + _AFTER_PREFIX
        return ObjectListing(objects, common, None)

    def _entries(self, prefix: str, delimiter: str, after: str, within: str) -> Iterable[ObjectRecord | str]:
        """Objects and common prefixes, each prefix once."""
        while True:
            rows = self._rows(max(prefix, within), after)
            for row in rows:
                key = row[0]
                if not (key.startswith(prefix) and key.startswith(within)):
                    return
                if key <= after:
                    continue
                head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
                if found:
                    yield prefix + head + delimiter
                    after = prefix + head + delimiter + _AFTER_PREFIX
                else:
                    record = _record(row)
                    if self._size_of(key) == record.size:  # else it is not stored, as for `find`
                        yield record
                    after = key
            if len(rows) < _ROWS_AT_A_TIME:
                return

    def _rows(self, prefix: str, after: str) -> list[_Row]:
        with self.database.locked() as sql:
            query = "SELECT * FROM objects WHERE key >= ? AND key > ? ORDER BY key LIMIT ?"
            return sql.execute(query, (prefix, after, _ROWS_AT_A_TIME)).fetchall()

    def _created_folder(self, key: str) -> tuple[int, str]:
        """A descriptor of the folder of the key's file, created when missing, and its name. Raises KeyBlocked."""
        try:
            return self._folders.enter(key, make=True)
        except NotADirectoryError as error:
            raise _blocked() from error


def _blocked() -> KeyBlocked:
    return KeyBlocked("Objects are files in folders here: one key cannot be the folder of another.")


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _is_folder(folder: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _row(record: ObjectRecord, incoming: str) -> _Row:
    checksum = record.checksum
    return (
        record.key,
        record.size,
        record.etag,
        checksum.algorithm if checksum else None,
        checksum.value if checksum else None,
        checksum.type if checksum else None,
        json.dumps(dict(record.headers)),
        record.modified,
        incoming,
    )


def _record(row: _Row) -> ObjectRecord:
    key, size, etag, algorithm, value, kind, headers, modified, _ = row
    checksum = Checksum(Algorithm(algorithm), value, ChecksumType(kind)) if algorithm and value and kind else None
    return ObjectRecord(key, size, etag, modified, checksum, json.loads(headers))

"""Objects: real files below `objects/<bucket>/`, what S3 says of them in SQLite, and no moment at which the two differ.

Bytes come into `incoming/`, under a name of their own, and are synced there. Then one commit says whose they are,
and a rename moves them to their place, both under one lock. A process that dies between the two leaves a file in
`incoming/` that the database names: `recover` moves it. A file there that nobody names was never acknowledged: it is
swept. All calls block and are meant for worker threads.
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

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.storage.checksums import Algorithm, Checksum, ChecksumType
from tui_uploader.local_cloud.storage.database import Database
from tui_uploader.local_cloud.storage.object_folders import ObjectFolders

_AFTER_ALL_THAT_BEGIN_SO = "\U0010ffff"
"""Sorts behind whatever may follow a prefix."""
_ROWS_AT_A_TIME = 1000

_Row = tuple[str, int, str, str | None, str | None, str | None, str, float, str]
"""Of the table `objects`."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What S3 says of an object. `etag` is without quotes, `modified` in seconds since the epoch."""

    key: str
    size: int
    etag: str
    modified: float
    checksum: Checksum | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Content-Type, x-amz-meta-…: kept for the client and given back as they were."""


@dataclass(frozen=True, slots=True)
class Listing:
    objects: list[StoredObject]
    common_prefixes: list[str]
    next_after: str | None
    """Where to go on; None at the end."""


class Incoming:
    """Bytes on their way in: a file that is nobody's object or part yet."""

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(16)
        self.path = folder / self.name
        self.size = 0
        self._file = io.FileIO(self.path, "x", opener=_for_us_alone)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = self._file.write(rest)
            self.size += written
            rest = rest[written:]

    def append(self, path: Path) -> None:
        """Another file, copied by the kernel where it can (shared, even, on some file systems)."""
        with path.open("rb", buffering=0) as source:
            while copied := self._copy_some(source):
                self.size += copied

    def _copy_some(self, source: io.FileIO) -> int:
        """Bytes copied; 0 at the end of `source`."""
        if hasattr(os, "copy_file_range"):
            try:
                return os.copy_file_range(source.fileno(), self._file.fileno(), 1 << 30)
            except OSError:
                pass  # not between these two files: the plain way tells whether that is all
        return self._file.write(source.read(1 << 20))

    def seal(self) -> None:
        """Everything is on the disk when this returns."""
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


class ObjectStore:
    def __init__(self, root: Path, database: Database, now: Callable[[], float]) -> None:
        self.database = database
        self.now = now
        self.incoming = root / "incoming"
        self.incoming.mkdir(mode=0o700, exist_ok=True)
        self._folders = ObjectFolders(root)

    def close(self) -> None:
        self._folders.close()

    def recover(self) -> None:
        """Bring files and database together after an end at any instant. Nothing else may use the root yet."""
        with self.database.transaction() as sql:
            landed = dict(sql.execute("SELECT incoming, key FROM objects").fetchall())
            parts = {name for (name,) in sql.execute("SELECT incoming FROM parts")}
            left_over = {path.name: path for path in self.incoming.iterdir()}
            sql.executemany("DELETE FROM parts WHERE incoming = ?", [(name,) for name in parts - left_over.keys()])
        for name, path in left_over.items():
            if name in landed:
                folder, file_name = self._folders.enter(landed[name], make=True)
                with _closing(folder):
                    os.rename(path, file_name, dst_dir_fd=folder)
            elif name not in parts:
                path.unlink()

    def receive(self) -> Incoming:
        return Incoming(self.incoming)

    def land(
        self,
        incoming: Incoming,
        stored: StoredObject,
        *,
        only_if_absent: bool = False,
        in_the_same_commit: Callable[[sqlite3.Connection], None] = lambda sql: None,
    ) -> None:
        """Make sealed bytes the object of `stored.key`, instead of any that it had.

        Raises S3Refusal where the key is taken and must not be, or where a folder and a file would have one name.
        """
        with contextlib.ExitStack() as opened:
            with self.database.turn():
                if only_if_absent and self.find(stored.key):
                    raise S3Refusal(
                        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
                    )
                folder, name = self._room_for(stored.key)
                opened.enter_context(_closing(folder))
                if _is_folder(folder, name):
                    raise _in_the_way()
                with self.database.transaction() as sql:
                    sql.execute(
                        "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(stored, incoming.name)
                    )
                    in_the_same_commit(sql)
                os.rename(incoming.path, name, dst_dir_fd=folder)
            os.fsync(folder)

    def find(self, key: str) -> StoredObject | None:
        """None also where somebody took the file away or cut it: what is not there is not stored."""
        with self.database.turn() as sql:
            row = sql.execute("SELECT * FROM objects WHERE key = ?", (key,)).fetchone()
            stored = None if row is None else _stored(row)
            if stored is None or self._size_of(key) != stored.size:
                return None
            return stored

    def _size_of(self, key: str) -> int | None:
        try:
            folder, name = self._folders.enter(key)
            with _closing(folder):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def open(self, key: str) -> tuple[StoredObject, BinaryIO]:
        """The object and its bytes, which stay these bytes whatever is stored under the key meanwhile.

        Raises S3Refusal (NoSuchKey).
        """
        with self.database.turn():
            stored = self.find(key)
            if stored is None:
                raise S3Refusal("NoSuchKey", "The specified key does not exist.")
            folder, name = self._folders.enter(key)
            with _closing(folder):
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            return stored, os.fdopen(descriptor, "rb")

    def listing(self, prefix: str, delimiter: str, after: str, limit: int, *, within: str = "") -> Listing:
        """Up to `limit` objects and common prefixes behind `after`, in the order of their UTF-8 bytes.

        Only keys that begin with `within` are seen.
        """
        objects: list[StoredObject] = []
        common: list[str] = []
        last = after
        for entry in self._entries(prefix, delimiter, after, within):
            if len(objects) + len(common) == limit:
                return Listing(objects, common, last if limit else None)
            if isinstance(entry, StoredObject):
                objects.append(entry)
                last = entry.key
            else:
                common.append(entry)
                last = entry + _AFTER_ALL_THAT_BEGIN_SO
        return Listing(objects, common, None)

    def _entries(self, prefix: str, delimiter: str, after: str, within: str) -> Iterable[StoredObject | str]:
        """Objects, and the common prefixes that stand for several."""
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
                    after = prefix + head + delimiter + _AFTER_ALL_THAT_BEGIN_SO
                else:
                    yield _stored(row)
                    after = key
            if len(rows) < _ROWS_AT_A_TIME:
                return

    def _rows(self, prefix: str, after: str) -> list[_Row]:
        with self.database.turn() as sql:
            query = "SELECT * FROM objects WHERE key >= ? AND key > ? ORDER BY key LIMIT ?"
            return sql.execute(query, (prefix, after, _ROWS_AT_A_TIME)).fetchall()

    def _room_for(self, key: str) -> tuple[int, str]:
        """The folder of the key's file, made where it was missing, and its name. Raises S3Refusal."""
        try:
            return self._folders.enter(key, make=True)
        except NotADirectoryError as error:
            raise _in_the_way() from error


def _in_the_way() -> S3Refusal:
    return S3Refusal("InvalidRequest", "Objects lie in folders here: one key cannot be another one's folder.")


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


def _row(stored: StoredObject, incoming: str) -> _Row:
    checksum = stored.checksum
    return (
        stored.key,
        stored.size,
        stored.etag,
        checksum.algorithm if checksum else None,
        checksum.value if checksum else None,
        checksum.type if checksum else None,
        json.dumps(dict(stored.headers)),
        stored.modified,
        incoming,
    )


def _stored(row: _Row) -> StoredObject:
    key, size, etag, algorithm, value, kind, headers, modified, _ = row
    checksum = Checksum(Algorithm(algorithm), value, ChecksumType(kind)) if algorithm and value and kind else None
    return StoredObject(key, size, etag, modified, checksum, json.loads(headers))

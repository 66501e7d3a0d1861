"""SQL of receipts: what an upload delivered, and when its receipt was written."""

from __future__ import annotations

import heapq
import os
import sqlite3
from dataclasses import dataclass

from tui_uploader.engine.journal.columns import from_column
from tui_uploader.engine.journal.records import ProjectRecord, UploadRecord, tally_of
from tui_uploader.engine.journal.tables import projects, uploads
from tui_uploader.model.states import FileStage


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file whose content the project has: the facts are those of the file that delivered it."""

    path: bytes
    id: int
    size: int
    identity: str | None
    crc32: int | None
    object: str | None
    etag: str | None
    proof: str | None
    stored_at: float | None
    uploaded_at: float | None
    replaced_at: float | None
    result_type: str | None
    original: bytes | None
    """Path of that file, if it is another one."""


@dataclass(frozen=True, slots=True)
class About:
    upload: UploadRecord
    project: ProjectRecord
    sources: tuple[str, ...]
    """Of a condensed upload none are left."""


def about(connection: sqlite3.Connection, upload: int) -> About:
    """Raises NoSuchUpload."""
    found = uploads.upload(connection, upload)
    rows = connection.execute("SELECT path FROM sources WHERE upload = ? ORDER BY path", (upload,))
    return About(found, projects.project(connection, found.project), tuple(os.fsdecode(row["path"]) for row in rows))


_LISTED = f"'{FileStage.REGISTERED}', '{FileStage.DUPLICATE}'"
_FACTS = "object", "etag", "proof", "stored_at", "uploaded_at", "replaced_at"
_DUPLICATE = f"f.stage = '{FileStage.DUPLICATE}'"
_OF_DELIVERER = ", ".join(f"IIF({_DUPLICATE}, COALESCE(o.{fact}, d.{fact}), f.{fact})" for fact in _FACTS)
# One scan for both stages: each page then costs only its own rows.
_PRESENT = (
    f"SELECT f.path, f.id, f.size, f.identity, f.crc32, {_OF_DELIVERER}, f.result_type, COALESCE(o.path, d.path)"
    " FROM files f INDEXED BY files_by_path"
    f" LEFT JOIN files o ON {_DUPLICATE} AND o.id = f.duplicate_of AND o.stage = '{FileStage.REGISTERED}'"
    f" LEFT JOIN delivered d ON {_DUPLICATE} AND d.file = f.duplicate_of"
    f" WHERE f.upload = ?1 AND (f.path, f.id) > (?2, ?3) AND (f.stage = '{FileStage.REGISTERED}'"
    f" OR {_DUPLICATE} AND COALESCE(o.id, d.file) IS NOT NULL) ORDER BY f.path, f.id LIMIT ?4"
)
_CONDENSED = (
    f"SELECT path, file, size, identity, crc32, {', '.join(_FACTS)}, result_type, NULL FROM delivered"
    " WHERE upload = ?1 AND (path, file) > (?2, ?3) ORDER BY path, file LIMIT ?4"
)


def page(connection: sqlite3.Connection, upload: int, after: tuple[bytes, int], most: int) -> list[Delivery]:
    """Return the next deliveries, in the order of paths as bytes, and of numbers."""
    found = [
        [_delivery(row) for row in connection.execute(each, (upload, *after, most))] for each in (_PRESENT, _CONDENSED)
    ]
    return list(heapq.merge(*found, key=lambda each: (each.path, each.id)))[:most]


def _delivery(row: sqlite3.Row) -> Delivery:
    path, number, size, *facts = tuple(row)
    return Delivery(path, number, from_column(size), *facts)


def not_delivered(connection: sqlite3.Connection, upload: int, duplicates: int) -> int:
    """Return how many files of the upload no receipt lists; it lists so many duplicates."""
    tally = tally_of(connection, upload)
    absent = {FileStage.REGISTERED, FileStage.REMOVED}
    return max(0, sum(each.files for stage, each in tally.items() if stage not in absent) - duplicates)


_AT = (
    "SELECT 1 FROM files INDEXED BY files_by_path WHERE upload = ?1 AND path >= ?2 AND path < ?3"
    f" AND stage IN ({_LISTED}) UNION ALL"
    " SELECT 1 FROM delivered WHERE upload = ?1 AND path >= ?2 AND path < ?3 LIMIT 1"
)


def folders(connection: sqlite3.Connection, found: About) -> list[str]:
    """Return the folders with files of the receipt that the user named, or whose files the user named.

    A folder below another one is left out. Of a condensed upload only the folder of all files is known.
    """
    wanted = set[bytes]()
    for source in map(os.fsencode, found.sources):
        below = source.rstrip(b"/") + b"/"
        if connection.execute(_AT, (found.upload.id, below, below[:-1] + b"0")).fetchone():  # 0 follows the slash
            wanted.add(below[:-1] or b"/")
        elif connection.execute(_AT, (found.upload.id, source, source + b"\0")).fetchone():
            wanted.add(source.rpartition(b"/")[0] or b"/")
    if not wanted:
        ends = connection.execute(
            "SELECT MIN(path), MAX(path) FROM delivered WHERE upload = ?", (found.upload.id,)
        ).fetchone()
        wanted = {os.path.commonpath([path.rpartition(b"/")[0] or b"/" for path in ends])} if ends[0] else set()
    inner = {each for each in wanted for other in wanted if each.startswith(other.rstrip(b"/") + b"/")}
    return sorted(map(os.fsdecode, wanted - inner))


def about_and_folders(connection: sqlite3.Connection, upload: int) -> tuple[About, list[str]]:
    """Raises NoSuchUpload."""
    found = about(connection, upload)
    return found, folders(connection, found)


def intend(connection: sqlite3.Connection, upload: int, path: str) -> None:
    """Note that the receipt of the upload is about to be written to `path`."""
    connection.execute("UPDATE uploads SET receipt = ? WHERE id = ?", (os.fsencode(path), upload))


def note_written(connection: sqlite3.Connection, upload: int, at: float) -> None:
    connection.execute("UPDATE uploads SET receipt_at = ? WHERE id = ?", (at, upload))


def note_copied(connection: sqlite3.Connection, upload: int, at: float) -> None:
    connection.execute("UPDATE uploads SET receipt_copied = ? WHERE id = ?", (at, upload))

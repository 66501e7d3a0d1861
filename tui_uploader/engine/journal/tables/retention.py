"""SQL of what is kept of uploads that were dismissed long ago: their row, their counts, and what they delivered.

`delivered` has one short row for each file that was uploaded: enough for receipts, and to know the same content again.
Files that were removed, paths that were walked or skipped, and parts are dropped. Tallies stay as they are, so that
images of a project, processing and the limit of 4,000 images go by the same numbers as before.

Each step is a small transaction. A step that is interrupted, or never followed by another, leaves everything true: a
file is in `files` or in `delivered`, and whoever asks for all files of an upload asks for both (`all_files`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection
from dataclasses import fields

from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.journal.tables import open_multiparts
from tui_uploader.engine.journal.tables.transitions import CHOSEN, choose, choose_where, marks, move_chosen
from tui_uploader.model import FileEvent, FileStage, UploadState

_KEPT = ("upload", "project", "path", "name", "size", "identity", "crc32", "object", "etag", "uploaded_at", "proof")
_AS_COLUMNS_OF_FILES = {
    "id": "file",
    "stage": f"'{FileStage.REGISTERED}'",
    "mtime_ns": "0",
    "inode": "0",
    "register_asked": "1",
    "accepted": "0",
    "mount": "''",
} | {column: column for column in _KEPT}
_COLUMNS = ("name", *(each.name for each in fields(FileRecord)))
_BOTH = (
    f"(SELECT {', '.join(_COLUMNS)} FROM files UNION ALL"
    f" SELECT {', '.join(_AS_COLUMNS_OF_FILES.get(column, 'NULL') for column in _COLUMNS)} FROM delivered)"
)


_AT_REST = f"stage NOT IN ('{FileStage.STORED}', '{FileStage.SENDING}')"
"""What is stored is going to be registered, whatever became of its upload."""


def all_files(upload: UploadRecord) -> str:
    """SQL of a table with all files of the upload, in the columns that `FileRecord.of` takes."""
    return _BOTH if upload.condensed else "files"


def paths(connection: sqlite3.Connection, file_ids: Collection[int]) -> dict[int, str]:
    """Paths by number, also of files of which only a record is left."""
    places = marks(file_ids)
    rows = connection.execute(
        f"SELECT id, path FROM files WHERE id IN ({places})"
        f" UNION ALL SELECT file, path FROM delivered WHERE file IN ({places})",
        (*file_ids, *file_ids),
    )
    return {row["id"]: os.fsdecode(row["path"]) for row in rows}


def due(connection: sqlite3.Connection, dismissed_before: float) -> list[int]:
    """Uploads that were dismissed before then, and of which there is more than is to be kept."""
    rows = connection.execute(
        "SELECT u.id FROM uploads u WHERE u.dismissed AND u.dismissed_at < ? AND u.state IN (?, ?)"
        " AND (NOT u.condensed OR EXISTS (SELECT 1 FROM files f WHERE f.upload = u.id)"
        "      OR EXISTS (SELECT 1 FROM skipped s WHERE s.upload = u.id))"
        f" AND NOT EXISTS (SELECT 1 FROM tallies t WHERE t.upload = u.id AND t.files > 0 AND NOT t.{_AT_REST})"
        " ORDER BY u.id",
        (dismissed_before, UploadState.COMPLETE, UploadState.CANCELLED),
    )
    return [row["id"] for row in rows]


def date_dismissals(connection: sqlite3.Connection, now: float) -> None:
    """Uploads that a version without dates dismissed are taken for dismissed now."""
    connection.execute("UPDATE uploads SET dismissed_at = ? WHERE dismissed AND dismissed_at IS NULL", (now,))


def condense(connection: sqlite3.Connection, upload_id: int, most: int) -> None:
    """Take one step with an upload that is due: at most so many files, or so many skipped paths."""
    connection.execute("UPDATE uploads SET condensed = 1 WHERE id = ? AND NOT condensed", (upload_id,))
    choose(connection)
    choose_where(
        connection, f"id IN (SELECT id FROM files WHERE upload = ? AND {_AT_REST} ORDER BY id LIMIT ?)", upload_id, most
    )
    move_chosen(connection, FileEvent.REMOVE)
    open_multiparts.give_up_chosen(connection)
    columns = ", ".join(_KEPT)
    connection.execute(
        f"INSERT INTO delivered (file, {columns}) SELECT id, {columns} FROM files WHERE id IN {CHOSEN} AND stage = ?",
        (FileStage.REGISTERED,),
    )
    if connection.execute(f"DELETE FROM files WHERE id IN {CHOSEN}").rowcount:
        return
    connection.execute(
        "DELETE FROM skipped WHERE upload = ?1 AND path IN (SELECT path FROM skipped WHERE upload = ?1 LIMIT ?2)",
        (upload_id, most),
    )
    connection.execute("DELETE FROM sources WHERE upload = ?", (upload_id,))


def give_back(connection: sqlite3.Connection, most: int) -> int:
    """Return so many empty pages of the file to the file system. Returns how many are left.

    The file of a journal that an older version made keeps its size: it was not made for this, and its empty pages are
    filled again by what comes next.
    """
    for _ in range(most):
        # One by one: Python takes this statement, which has rows without columns, for finished after the first.
        connection.execute("PRAGMA incremental_vacuum(1)")
    (vacuum,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0]) if vacuum else 0

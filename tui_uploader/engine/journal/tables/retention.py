"""SQL that condenses uploads that were dismissed long ago to their row, their tallies, and their delivered files.

`delivered` has one short row for each uploaded file: enough for receipts, and to recognise the same content. Removed
files, walked or skipped paths, and parts are deleted. Tallies stay, so that the images of a project, processing and the
limit of 4,000 images are based on the same numbers as before.

Each step is a small transaction, and the journal is valid after each: a file is either in `files` or in `delivered`,
and `all_files` reads both.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection
from dataclasses import fields

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import open_multiparts
from tui_uploader.engine.journal.tables.transitions import CHOSEN, choose, choose_where, marks, move_chosen
from tui_uploader.model.states import FileEvent, FileStage, UploadState

_KEPT = (
    *("upload", "project", "path", "name", "size", "identity", "crc32", "object", "etag", "uploaded_at", "proof"),
    *("stored_at", "result_type", "belongs_to", "replaces", "crs", "replaced_at"),
)
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
"""Stored files will still be registered, even if their upload was cancelled."""


def all_files(*, condensed: bool) -> str:
    """Return SQL of a table with all files, in the columns for `FileRecord.of`.

    `condensed`: including the delivered files of condensed uploads.
    """
    return _BOTH if condensed else "files"


def paths(connection: sqlite3.Connection, file_ids: Collection[int]) -> dict[int, str]:
    """Return the paths of files by number, including delivered files of condensed uploads."""
    wanted = marks(file_ids)
    rows = connection.execute(
        f"SELECT id, path FROM files WHERE id IN ({wanted})"
        f" UNION ALL SELECT file, path FROM delivered WHERE file IN ({wanted})",
        (*file_ids, *file_ids),
    )
    return {row["id"]: os.fsdecode(row["path"]) for row in rows}


def due(connection: sqlite3.Connection, dismissed_before: float) -> list[int]:
    """Return the uploads dismissed before then that are not fully condensed."""
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
    """Date dismissals by a version that kept no dates to now."""
    connection.execute("UPDATE uploads SET dismissed_at = ? WHERE dismissed AND dismissed_at IS NULL", (now,))


def condense(connection: sqlite3.Connection, upload_id: int, most: int) -> None:
    """Take one step with a due upload: at most `most` files, or `most` skipped paths."""
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
    connection.execute("DELETE FROM additions WHERE upload = ?", (upload_id,))


def shrink(connection: sqlite3.Connection, most: int) -> int:
    """Return up to `most` empty pages to the file system. Returns how many are left.

    The file of a journal that an older version created keeps its size: it lacks incremental vacuum, and later rows fill
    its empty pages.
    """
    for _ in range(most):
        # One at a time, because Python stops this statement, whose rows have no columns, after the first row.
        connection.execute("PRAGMA incremental_vacuum(1)")
    (vacuum,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0]) if vacuum else 0

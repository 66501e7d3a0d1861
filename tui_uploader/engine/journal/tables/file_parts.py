"""SQL of the stored parts of files that are sent as multipart uploads."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tui_uploader.cloud.contract import Part
from tui_uploader.engine.journal.columns import word
from tui_uploader.engine.journal.tables import files, open_multiparts
from tui_uploader.engine.journal.tables.open_multiparts import StaleMultipart
from tui_uploader.engine.journal.tables.transitions import marks
from tui_uploader.model.files import Proof
from tui_uploader.model.states import FileStage

_UNFINISHED = (FileStage.FOUND, FileStage.READY, FileStage.SENDING, FileStage.FAILED)


def begin_multipart(connection: sqlite3.Connection, file_id: int, multipart: str, part_size: int) -> None:
    """Note the multipart upload that the storage created after `open_multiparts.intend`."""
    forget(connection, file_id)
    row = files.file(connection, file_id)
    open_multiparts.forget(connection, StaleMultipart(row.project, row.object or "", open_multiparts.UNKNOWN))
    files.set_columns(connection, file_id, {"multipart": multipart, "part_size": part_size})


def add(connection: sqlite3.Connection, file_id: int, part: Part) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
        (file_id, part.number, part.size, part.etag, part.crc32, part.proof),
    )


def of_file(connection: sqlite3.Connection, file_id: int) -> list[Part]:
    return [
        Part(
            number=row["number"],
            size=row["size"],
            etag=row["etag"],
            crc32=row["crc32"],
            proof=word(Proof, row["proof"] or Proof.NONE),
        )
        for row in connection.execute("SELECT * FROM parts WHERE file = ? ORDER BY number", (file_id,))
    ]


def forget(connection: sqlite3.Connection, file_id: int) -> None:
    """Give up the file's multipart upload and parts: the multipart upload is to be aborted."""
    row = files.file(connection, file_id)
    if row.multipart is not None and row.object is not None:
        open_multiparts.note(connection, StaleMultipart(row.project, row.object, row.multipart))
    connection.execute("DELETE FROM parts WHERE file = ?", (file_id,))
    files.set_columns(connection, file_id, {"multipart": None, "part_size": None})


def keep_matching(connection: sqlite3.Connection, file_id: int, crc32s: Sequence[int]) -> None:
    """Keep the stored parts that match the file; `crc32s` are the checksums of its parts in order."""
    for part in of_file(connection, file_id):
        if part.number > len(crc32s) or part.crc32 != crc32s[part.number - 1]:
            connection.execute("DELETE FROM parts WHERE file = ? AND number = ?", (file_id, part.number))


def stored_bytes(connection: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """Return the upload and the stored bytes of every unfinished file with parts, by file."""
    rows = connection.execute(
        "SELECT f.id, f.upload, SUM(p.size) AS bytes FROM parts p JOIN files f ON f.id = p.file"
        f" WHERE f.stage IN ({marks(_UNFINISHED)}) GROUP BY f.id",
        _UNFINISHED,
    )
    return {row["id"]: (row["upload"], row["bytes"]) for row in rows}


def stored_bytes_of(connection: sqlite3.Connection, file_id: int) -> int:
    """Return the stored bytes of one file; 0 once it is stored as a whole, or when it was removed."""
    row = connection.execute(
        "SELECT (SELECT SUM(size) FROM parts WHERE file = files.id) AS bytes FROM files"
        f" WHERE id = ? AND stage IN ({marks(_UNFINISHED)})",
        (file_id, *_UNFINISHED),
    ).fetchone()
    return 0 if row is None else int(row["bytes"] or 0)

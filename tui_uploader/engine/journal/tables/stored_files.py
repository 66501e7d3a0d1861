"""SQL of files that the storage has, and of their registration."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tui_uploader.engine.journal.columns import file_columns_of
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import file_parts, files, transitions
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.files import Proof
from tui_uploader.model.states import FileEvent, FileStage, ImpossibleTransition


def mark_stored(connection: sqlite3.Connection, file_id: int, etag: str, proof: Proof, now: float) -> None:
    """Note that the storage confirmed the whole object `now`; its parts are no longer needed."""
    connection.execute("DELETE FROM parts WHERE file = ?", (file_id,))
    confirmed = {"etag": etag, "proof": proof, "stored_at": now}
    files.move(connection, file_id, FileEvent.STORED, **confirmed, multipart=None, part_size=None)


def next_stored(connection: sqlite3.Connection, project: int, limit: int) -> list[FileRecord]:
    """Return the next files to register, in the order in which they were found."""
    rows = connection.execute(
        "SELECT * FROM files WHERE project = ? AND stage = ? ORDER BY id LIMIT ?", (project, FileStage.STORED, limit)
    )
    return [FileRecord.of(row) for row in rows]


def doubt(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """Have a stored file checked again that was written to before it was registered.

    The facts of the object stay: if the content turns out to be the same, only registering is left.
    """
    files.move(connection, file_id, FileEvent.CHANGED, **file_columns_of(candidate))


def latest_registered(connection: sqlite3.Connection, project: int) -> list[FileRecord]:
    """Return the registered files of a project, without those whose path was uploaded again later."""
    stages = (*transitions.HOLDING, FileStage.DUPLICATE)
    rows = connection.execute(
        f"SELECT * FROM files WHERE project = ? AND stage IN ({transitions.marks(stages)}) ORDER BY id",
        (project, *stages),
    )
    latest = {row["path"]: FileRecord.of(row) for row in rows}
    return [row for row in latest.values() if row.stage is FileStage.REGISTERED]


def ask_registration(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Note the intent to register the files: from now on the service may have registered them."""
    transitions.choose(connection, file_ids)
    connection.execute(f"UPDATE files SET register_asked = 1 WHERE id IN {transitions.CHOSEN}")


def unask_registration(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Let the next registration count as the first: the service is not known to have accepted these files."""
    transitions.choose(connection, file_ids)
    connection.execute(f"UPDATE files SET register_asked = 0 WHERE id IN {transitions.CHOSEN}")


def send_again(connection: sqlite3.Connection, file_id: int) -> None:
    """Have a file checked and sent again whose object the storage confirmed and does not have."""
    file_parts.forget(connection, file_id)
    files.note_change(connection, file_id, files.file(connection, file_id).candidate)


def register(connection: sqlite3.Connection, file_ids: Sequence[int], now: float) -> None:
    """Note that the project has the files. Raises ImpossibleTransition unless all of them are stored."""
    transitions.choose(connection, file_ids)
    registered = transitions.move_chosen(connection, FileEvent.REGISTERED, {"uploaded_at": now})
    if registered != len(set(file_ids)):
        raise ImpossibleTransition(f"{len(set(file_ids)) - registered} of the files to register are not stored")

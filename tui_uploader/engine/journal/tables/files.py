"""SQL of single files. Stages change only by `move` and `transitions.move_chosen`, which obey the table in `model`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence

from tui_uploader.engine.journal.columns import file_columns_of, word
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import known_contents, transitions
from tui_uploader.errors import (
    SourceChanged,
    SourceDamaged,
    SourceRefused,
    SourceReplaced,
    SourceUnreadable,
    SourceVanished,
)
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.states import FileEvent, FileStage, UploadState, next_stage


def file(connection: sqlite3.Connection, file_id: int) -> FileRecord:
    return FileRecord.of(connection.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone())


def set_columns(connection: sqlite3.Connection, file_id: int, facts: Mapping[str, object]) -> None:
    """Set columns, whose names must not come from outside this package."""
    columns = ", ".join(f"{column} = ?" for column in facts)
    connection.execute(f"UPDATE files SET {columns} WHERE id = ?", (*facts.values(), file_id))


def move(connection: sqlite3.Connection, file_id: int, event: FileEvent, **facts: object) -> FileStage:
    """Apply `event` to the file, and write `facts` (by column).

    Duplicates of a file that no longer delivers its content are checked again: one of them may replace it.
    Raises ImpossibleTransition.
    """
    row = connection.execute("SELECT stage FROM files WHERE id = ?", (file_id,)).fetchone()
    before = word(FileStage, row["stage"])
    after = next_stage(before, event)
    if after is FileStage.FOUND:
        facts = {**transitions.FOUND_AGAIN, **facts}
    set_columns(connection, file_id, {"stage": after} | facts)
    if before in transitions.HOLDING and after not in transitions.HOLDING:
        free_duplicates(connection, file_id)
    return after


def free_duplicates(connection: sqlite3.Connection, original: int) -> None:
    for row in connection.execute(
        "SELECT id FROM files WHERE duplicate_of = ? AND stage = ?", (original, FileStage.DUPLICATE)
    ).fetchall():
        move(connection, row["id"], FileEvent.FREED)


def doubt(connection: sqlite3.Connection, file_id: int) -> None:
    """Have the file read again although it looks unchanged, because other bytes were sent than were read before.

    Its stored parts stay: those of unchanged bytes are not sent again.
    """
    row = file(connection, file_id)
    known_contents.forget(connection, row.path)
    note_change(connection, file_id, row.candidate)


def note_facts(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """Note new facts of a file whose content is unchanged."""
    set_columns(connection, file_id, file_columns_of(candidate))


def recognise(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """Note that the file still has the checked content, although its facts are now those of `candidate`."""
    row = file(connection, file_id)
    assert row.identity is not None
    note_facts(connection, file_id, candidate)
    known_contents.recognise(connection, candidate, row.identity)


def note_change(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """Have a file checked again whose content may have changed.

    Identity, name and parts stay until its bytes are read, because they may be unchanged.
    """
    move(connection, file_id, FileEvent.CHANGED, etag=None, stored_at=None, accepted=0, **file_columns_of(candidate))


def stands_for(connection: sqlite3.Connection, file_id: int, upload: int, path: str) -> bool:
    """Whether the row is a file at this path of this upload."""
    row = connection.execute(
        "SELECT 1 FROM files WHERE id = ? AND upload = ? AND path = ?", (file_id, upload, os.fsencode(path))
    ).fetchone()
    return row is not None


def is_found(connection: sqlite3.Connection, file_id: int) -> bool:
    """Whether the file is (still) to be checked."""
    row = connection.execute("SELECT 1 FROM files WHERE id = ? AND stage = ?", (file_id, FileStage.FOUND)).fetchone()
    return row is not None


def drop(connection: sqlite3.Connection, file_id: int) -> None:
    """Delete a row whose file another row represents. Its number is never used again."""
    connection.execute("INSERT INTO dropped VALUES (?)", (file_id,))
    connection.execute("DELETE FROM dropped WHERE file < (SELECT MAX(file) FROM dropped)")
    connection.execute("DELETE FROM files WHERE id = ?", (file_id,))


# ------------------------------------------------------------------------------------------------- checking


def unchecked(
    connection: sqlite3.Connection, upload: int, limit: int, exclude: Sequence[int], outside: Sequence[str] = ()
) -> list[FileRecord]:
    """Return the next files to check, in the order in which they were found; `outside`: not below these folders."""
    return _next_of(connection, FileStage.FOUND, upload, limit, exclude, outside)


def _next_of(
    connection: sqlite3.Connection,
    stage: FileStage,
    upload: int,
    limit: int,
    exclude: Sequence[int],
    outside: Sequence[str],
) -> list[FileRecord]:
    # In bytes, 0 follows the slash.
    ranges = [end for folder in outside for end in (os.fsencode(folder) + b"/", os.fsencode(folder) + b"0")]
    rows = connection.execute(
        f"SELECT * FROM files WHERE upload = ? AND stage = ? AND id NOT IN ({transitions.marks(exclude)})"
        + " AND NOT (path >= ? AND path < ?)" * len(outside)
        + " ORDER BY id LIMIT ?",
        (upload, stage, *exclude, *ranges, limit),
    )
    return [FileRecord.of(row) for row in rows]


# -------------------------------------------------------------------------------------------------- sending


def ready(
    connection: sqlite3.Connection, upload: int, limit: int, exclude: Sequence[int], outside: Sequence[str] = ()
) -> list[FileRecord]:
    """Return the next files to send, in the order in which they were found; `outside`: not below these folders."""
    return _next_of(connection, FileStage.READY, upload, limit, exclude, outside)


def pick(connection: sqlite3.Connection, file_id: int) -> FileRecord | None:
    """Begin to send the file; return None if it is no longer ready, or its upload does not run."""
    row = connection.execute(
        "SELECT f.stage, u.state FROM files f JOIN uploads u ON u.id = f.upload WHERE f.id = ?", (file_id,)
    ).fetchone()
    if row["stage"] != FileStage.READY or row["state"] not in (UploadState.PREPARING, UploadState.ACTIVE):
        return None
    move(connection, file_id, FileEvent.PICKED)
    return file(connection, file_id)


def hold_interrupted(connection: sqlite3.Connection) -> int:
    """After a crash, let the files that were being sent wait again. Returns their number."""
    transitions.choose(connection)
    # By upload, because of the index: otherwise every start of the engine would read all files.
    transitions.choose_where(
        connection,
        "upload IN (SELECT upload FROM tallies WHERE stage = ? AND files > 0) AND stage = ?",
        FileStage.SENDING,
        FileStage.SENDING,
    )
    return transitions.move_chosen(connection, FileEvent.HELD)


# -------------------------------------------------------------------------------------------------- failing


def fail(connection: sqlite3.Connection, file_id: int, kind: str, reason: str) -> None:
    """Let the file fail. A stored object stays usable for a later registration; any other ETag is outdated."""
    found = file(connection, file_id)
    etag = found.etag if found.stage is FileStage.STORED else None
    move(connection, file_id, FileEvent.FAILED, error=kind, reason=reason, etag=etag)


def failed_at_source(connection: sqlite3.Connection, upload_ids: Sequence[int]) -> list[FileRecord]:
    """Return the failed files whose cause is the file on this machine."""
    kinds = (SourceVanished, SourceReplaced, SourceUnreadable, SourceChanged, SourceRefused, SourceDamaged)
    return [
        FileRecord.of(row)
        for upload in upload_ids
        for row in connection.execute(
            f"SELECT * FROM files WHERE upload = ? AND stage = ? AND error IN ({transitions.marks(kinds)})",
            (upload, FileStage.FAILED, *(kind.__name__ for kind in kinds)),
        )
    ]


def retry(connection: sqlite3.Connection, file_id: int) -> None:
    """Let a failed file wait; a stored object only needs registering, unless another file delivers its content."""
    row = file(connection, file_id)
    alone = row.identity is not None and holder(connection, row.project, row.identity) is None
    event = FileEvent.RETRY_REGISTRATION if row.etag is not None and alone else FileEvent.RETRY
    move(connection, file_id, event, error=None, reason=None)


def holder(connection: sqlite3.Connection, project: int, identity: str) -> int | None:
    """Return the image that delivers, or has delivered, this content to the project."""
    # Literals, because SQLite uses the partial index only for them; they come from an enum.
    stages = ", ".join(f"'{stage}'" for stage in transitions.HOLDING)
    row = connection.execute(
        f"SELECT id FROM files WHERE project = ?1 AND identity = ?2 AND stage IN ({stages})"
        " AND result_type IS NULL"
        " UNION ALL SELECT file FROM delivered WHERE project = ?1 AND identity = ?2 AND result_type IS NULL",
        (project, identity),
    ).fetchone()
    return row["id"] if row else None

"""SQL of single files. Every change of a stage goes through `move` here or `transitions.move_chosen`, which obey
the table in `model`.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence

from tui_uploader.engine.journal.columns import file_columns_of, word
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import known_contents, transitions
from tui_uploader.errors import SourceChanged, SourceRefused, SourceUnreadable, SourceVanished
from tui_uploader.intake.scan import Candidate
from tui_uploader.model import FileEvent, FileStage, UploadState, next_stage


def file(connection: sqlite3.Connection, file_id: int) -> FileRecord:
    return FileRecord.of(connection.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone())


def set_columns(connection: sqlite3.Connection, file_id: int, facts: Mapping[str, object]) -> None:
    """Column names come from this package alone, never from outside."""
    columns = ", ".join(f"{column} = ?" for column in facts)
    connection.execute(f"UPDATE files SET {columns} WHERE id = ?", (*facts.values(), file_id))


def move(connection: sqlite3.Connection, file_id: int, event: FileEvent, **facts: object) -> FileStage:
    """Let `event` happen to the file, and write `facts` (columns) with it.

    Duplicates of a file that no longer brings its content are looked at again: one of them may take its place.
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
    """Read the file again, though it looks unchanged: what was sent is not what was read.

    Its parts stay until its bytes are known: those that were sent of the same bytes are not sent again.
    """
    row = file(connection, file_id)
    known_contents.forget(connection, row.path)
    note_change(connection, file_id, row.candidate)


def note_facts(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """The file looks like this by now; its content is what it was."""
    set_columns(connection, file_id, file_columns_of(candidate))


def recognise(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """The content that was checked is there still, although the file looks like `candidate` by now."""
    row = file(connection, file_id)
    assert row.identity is not None
    note_facts(connection, file_id, candidate)
    known_contents.recognise(connection, candidate, row.identity)


def note_change(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """The file on disk may be another one now: it is looked at again.

    Identity, name and parts stay until its bytes are known, for they may be the same.
    """
    move(connection, file_id, FileEvent.CHANGED, etag=None, accepted=0, **file_columns_of(candidate))


def stands_for(connection: sqlite3.Connection, file_id: int, upload: int, path: str) -> bool:
    """Whether the row is that of a file at this path, in this upload."""
    row = connection.execute(
        "SELECT 1 FROM files WHERE id = ? AND upload = ? AND path = ?", (file_id, upload, os.fsencode(path))
    ).fetchone()
    return row is not None


def drop(connection: sqlite3.Connection, file_id: int) -> None:
    """The row stands for a file that another row stands for. Its number is not given to another one."""
    connection.execute("INSERT INTO dropped VALUES (?)", (file_id,))
    connection.execute("DELETE FROM dropped WHERE file < (SELECT MAX(file) FROM dropped)")
    connection.execute("DELETE FROM files WHERE id = ?", (file_id,))


# ------------------------------------------------------------------------------------------------- checking


def unchecked(
    connection: sqlite3.Connection, upload: int, limit: int, passing_over: Sequence[int], but_in: Sequence[str] = ()
) -> list[FileRecord]:
    """The next files to look at, in the order in which they were found; `but_in`: but those in these folders."""
    return _next_of(connection, FileStage.FOUND, upload, limit, passing_over, but_in)


def _next_of(
    connection: sqlite3.Connection,
    stage: FileStage,
    upload: int,
    limit: int,
    passing_over: Sequence[int],
    but_in: Sequence[str],
) -> list[FileRecord]:
    marks = ",".join("?" * len(passing_over))
    outside = " AND NOT (path >= ? AND path < ?)" * len(but_in)
    # The character behind the slash is the zero.
    ranges = [end for folder in but_in for end in (os.fsencode(folder) + b"/", os.fsencode(folder) + b"0")]
    rows = connection.execute(
        f"SELECT * FROM files WHERE upload = ? AND stage = ? AND id NOT IN ({marks}){outside} ORDER BY id LIMIT ?",
        (upload, stage, *passing_over, *ranges, limit),
    )
    return [FileRecord.of(row) for row in rows]


# -------------------------------------------------------------------------------------------------- sending


def ready(
    connection: sqlite3.Connection, upload: int, limit: int, passing_over: Sequence[int], but_in: Sequence[str] = ()
) -> list[FileRecord]:
    """The next files to send, in the order in which they were found; `but_in`: but those in these folders."""
    return _next_of(connection, FileStage.READY, upload, limit, passing_over, but_in)


def pick(connection: sqlite3.Connection, file_id: int) -> FileRecord | None:
    """Begin to send the file; None when it is no longer ready, or its upload no longer runs."""
    row = connection.execute(
        "SELECT f.stage, u.state FROM files f JOIN uploads u ON u.id = f.upload WHERE f.id = ?", (file_id,)
    ).fetchone()
    if row["stage"] != FileStage.READY or row["state"] not in (UploadState.PREPARING, UploadState.ACTIVE):
        return None
    move(connection, file_id, FileEvent.PICKED)
    return file(connection, file_id)


def hold_interrupted(connection: sqlite3.Connection) -> int:
    """After a crash: what was being sent waits again. Returns how many files."""
    transitions.choose(connection)
    # By upload, for which there is an index: a start reads what was being sent, and not every file.
    transitions.choose_where(
        connection,
        "upload IN (SELECT upload FROM tallies WHERE stage = ? AND files > 0) AND stage = ?",
        FileStage.SENDING,
        FileStage.SENDING,
    )
    return transitions.move_chosen(connection, FileEvent.HELD)


# ---------------------------------------------------------------------------------------------- registering


# -------------------------------------------------------------------------------------------------- commands


def fail(connection: sqlite3.Connection, file_id: int, kind: str, reason: str) -> None:
    """An object is only kept for another attempt to register it while its file is known to hold the same."""
    found = file(connection, file_id)
    etag = found.etag if found.stage is FileStage.STORED else None
    move(connection, file_id, FileEvent.FAILED, error=kind, reason=reason, etag=etag)


def failed_at_source(connection: sqlite3.Connection, upload_ids: Sequence[int]) -> list[FileRecord]:
    """Files that failed because of what they are, or were, on this machine."""
    kinds = (SourceVanished.__name__, SourceUnreadable.__name__, SourceChanged.__name__, SourceRefused.__name__)
    return [
        FileRecord.of(row)
        for upload in upload_ids
        for row in connection.execute(
            "SELECT * FROM files WHERE upload = ? AND stage = ? AND error IN (?, ?, ?, ?)",
            (upload, FileStage.FAILED, *kinds),
        )
    ]


def retry(connection: sqlite3.Connection, file_id: int, *, accepted: bool = False) -> None:
    """An object that is stored already only needs registering, unless another file brought the content meanwhile.

    `accepted`: the user named the file, and wants it as it is.
    """
    row = file(connection, file_id)
    alone = row.identity is not None and holder(connection, row.project, row.identity) is None
    event = FileEvent.RETRY_REGISTRATION if row.etag is not None and alone else FileEvent.RETRY
    move(connection, file_id, event, error=None, reason=None, accepted=accepted or row.accepted)


def holder(connection: sqlite3.Connection, project: int, identity: str) -> int | None:
    """The file that brings, or has brought, this content to the project."""
    # Literals, because SQLite takes the partial index for nothing else; the words are those of an enum of ours.
    stages = ", ".join(f"'{stage}'" for stage in transitions.HOLDING)
    row = connection.execute(
        f"SELECT id FROM files WHERE project = ?1 AND identity = ?2 AND stage IN ({stages})"
        " UNION ALL SELECT file FROM delivered WHERE project = ?1 AND identity = ?2",
        (project, identity),
    ).fetchone()
    return row["id"] if row else None

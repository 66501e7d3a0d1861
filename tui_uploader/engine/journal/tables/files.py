"""SQL of single files. Every change of a stage goes through `move` here or `transitions.move_chosen`, which obey
the table in `model`.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.cloud.contract import Part
from tui_uploader.engine.journal.failures import word
from tui_uploader.engine.journal.tables import known_contents, open_multiparts, transitions
from tui_uploader.engine.journal.tables.known_contents import candidate_in, columns_of
from tui_uploader.engine.journal.tables.open_multiparts import Abandoned
from tui_uploader.errors import SourceChanged, SourceRefused, SourceUnreadable, SourceVanished
from tui_uploader.intake.scan import Candidate
from tui_uploader.model import FileEvent, FileStage, ImpossibleTransition, Proof, UploadState, next_stage

_UNFINISHED = (FileStage.FOUND, FileStage.READY, FileStage.SENDING, FileStage.FAILED)


@dataclass(frozen=True, slots=True)
class FileRecord:
    id: int
    upload: int
    project: int
    path: str
    size: int
    mtime_ns: int
    inode: int
    stage: FileStage
    identity: str | None
    crc32: int | None
    object: str | None
    duplicate_of: int | None
    error: str | None
    reason: str | None
    etag: str | None
    multipart: str | None
    part_size: int | None
    register_asked: bool
    accepted: bool = False
    ctime_ns: int | None = None
    mount: str = ""
    proof: Proof | None = None
    """How the store proved the object; None: there is none, or an older version did not keep it."""
    real: str = ""
    """See `Candidate.real`."""

    @property
    def candidate(self) -> Candidate:
        """The file as it was when it was found or, later, checked."""
        return Candidate(self.path, self.size, self.mtime_ns, self.inode, self.ctime_ns, self.mount, self.real)

    @classmethod
    def of(cls, row: sqlite3.Row) -> FileRecord:
        candidate = candidate_in(row)
        return cls(
            id=row["id"],
            upload=row["upload"],
            project=row["project"],
            path=candidate.path,
            size=candidate.size,
            mtime_ns=candidate.mtime_ns,
            inode=candidate.inode,
            stage=word(FileStage, row["stage"]),
            identity=row["identity"],
            crc32=row["crc32"],
            object=row["object"],
            duplicate_of=row["duplicate_of"],
            error=row["error"],
            reason=row["reason"],
            etag=row["etag"],
            multipart=row["multipart"],
            part_size=row["part_size"],
            register_asked=bool(row["register_asked"]),
            accepted=bool(row["accepted"]),
            ctime_ns=candidate.ctime_ns,
            mount=candidate.mount,
            proof=word(Proof, row["proof"]) if row["proof"] is not None else None,
            real="" if row["real"] is None else os.fsdecode(row["real"]),
        )


def file_columns_of(candidate: Candidate) -> dict[str, int | bytes | str | None]:
    """What a row of `files` tells of the candidate beside its path."""
    return {**columns_of(candidate), "real": os.fsencode(candidate.real) if candidate.real else None}


def file(connection: sqlite3.Connection, file_id: int) -> FileRecord:
    return FileRecord.of(connection.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone())


def _set(connection: sqlite3.Connection, file_id: int, facts: Mapping[str, object]) -> None:
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
    _set(connection, file_id, {"stage": after} | facts)
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
    _set(connection, file_id, file_columns_of(candidate))


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


def begin_multipart(connection: sqlite3.Connection, file_id: int, multipart: str, part_size: int) -> None:
    """The store answered what `abandoned.intend_multipart` announced."""
    forget_parts(connection, file_id)
    row = file(connection, file_id)
    open_multiparts.forget(connection, Abandoned(row.project, row.object or "", open_multiparts.UNKNOWN))
    _set(connection, file_id, {"multipart": multipart, "part_size": part_size})


def add_part(connection: sqlite3.Connection, file_id: int, part: Part) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
        (file_id, part.number, part.size, part.etag, part.crc32, part.proof),
    )


def parts(connection: sqlite3.Connection, file_id: int) -> list[Part]:
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


def forget_parts(connection: sqlite3.Connection, file_id: int) -> None:
    """Nobody goes on with what was sent of the file: the store is to throw it away."""
    row = file(connection, file_id)
    if row.multipart is not None and row.object is not None:
        open_multiparts.note(connection, Abandoned(row.project, row.object, row.multipart))
    connection.execute("DELETE FROM parts WHERE file = ?", (file_id,))
    _set(connection, file_id, {"multipart": None, "part_size": None})


def keep_parts(connection: sqlite3.Connection, file_id: int, crc32s: Sequence[int]) -> None:
    """Of the parts that were sent, keep those whose bytes are in the file: `crc32s` tells those of its parts."""
    for part in parts(connection, file_id):
        if part.number > len(crc32s) or part.crc32 != crc32s[part.number - 1]:
            connection.execute("DELETE FROM parts WHERE file = ? AND number = ?", (file_id, part.number))


def store(connection: sqlite3.Connection, file_id: int, etag: str, proof: Proof) -> None:
    """The object is whole, and its parts with it are no more."""
    connection.execute("DELETE FROM parts WHERE file = ?", (file_id,))
    move(connection, file_id, FileEvent.STORED, etag=etag, proof=proof, multipart=None, part_size=None)


def bytes_in_parts(connection: sqlite3.Connection, file_id: int | None = None) -> dict[int, tuple[int, int]]:
    """Upload, and bytes that the store confirmed already, by unfinished file: of all, or of one."""
    rows = connection.execute(
        "SELECT f.id, f.upload, SUM(p.size) AS bytes FROM parts p JOIN files f ON f.id = p.file"
        " WHERE f.stage IN (?1, ?2, ?3, ?4) AND (?5 IS NULL OR f.id = ?5) GROUP BY f.id",
        (*_UNFINISHED, file_id),
    )
    return {row["id"]: (row["upload"], row["bytes"]) for row in rows}


def bytes_of_parts(connection: sqlite3.Connection, file_id: int) -> int:
    """Of one file, as `bytes_in_parts` has them."""
    return bytes_in_parts(connection, file_id).get(file_id, (0, 0))[1]


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


def stored(connection: sqlite3.Connection, project: int, limit: int) -> list[FileRecord]:
    rows = connection.execute(
        "SELECT * FROM files WHERE project = ? AND stage = ? ORDER BY id LIMIT ?", (project, FileStage.STORED, limit)
    )
    return [FileRecord.of(row) for row in rows]


def doubt_stored(connection: sqlite3.Connection, file_id: int, candidate: Candidate) -> None:
    """The file of a stored object, which the project does not know yet, was written to: it is checked again.

    What is known of the object stays: if the content turns out to be the same, only registering is left.
    """
    move(connection, file_id, FileEvent.CHANGED, **file_columns_of(candidate))


def latest_registered(connection: sqlite3.Connection, project: int) -> list[FileRecord]:
    """Registered files of a project, without those whose path was uploaded again since."""
    stages = (*transitions.HOLDING, FileStage.DUPLICATE)
    marks = ",".join("?" * len(stages))
    rows = connection.execute(
        f"SELECT * FROM files WHERE project = ? AND stage IN ({marks}) ORDER BY id", (project, *stages)
    )
    latest = {row["path"]: FileRecord.of(row) for row in rows}
    return [row for row in latest.values() if row.stage is FileStage.REGISTERED]


def ask_registration(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    transitions.choose(connection, file_ids)
    connection.execute(f"UPDATE files SET register_asked = 1 WHERE id IN {transitions.CHOSEN}")


def unask_registration(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Asking again counts as the first time: the service is not known to have taken these files."""
    transitions.choose(connection, file_ids)
    connection.execute(f"UPDATE files SET register_asked = 0 WHERE id IN {transitions.CHOSEN}")


def send_again(connection: sqlite3.Connection, file_id: int) -> None:
    """The storage does not have the object that it confirmed."""
    forget_parts(connection, file_id)
    note_change(connection, file_id, file(connection, file_id).candidate)


def register(connection: sqlite3.Connection, file_ids: Sequence[int], now: float) -> None:
    """Raises ImpossibleTransition unless all of them are stored."""
    transitions.choose(connection, file_ids)
    registered = transitions.move_chosen(connection, FileEvent.REGISTERED, {"uploaded_at": now})
    if registered != len(set(file_ids)):
        raise ImpossibleTransition(f"{len(set(file_ids)) - registered} of the files to register are not stored")


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

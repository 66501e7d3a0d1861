"""SQL of stale multipart uploads: the storage keeps, and bills, their parts until they are aborted.

A multipart upload is noted here in the transaction that gives it up. The call that creates one may take effect although
its answer is lost or never journaled, so its intent is noted before, as an upload of `UNKNOWN` id.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tui_uploader.engine.journal.tables.transitions import CHOSEN, marks
from tui_uploader.model.states import FileStage

UNKNOWN = ""
"""The id of a multipart upload whose creation was requested and not confirmed."""


@dataclass(frozen=True, slots=True)
class StaleMultipart:
    project: int
    object: str
    multipart: str


def note(connection: sqlite3.Connection, upload: StaleMultipart) -> None:
    row = (upload.project, upload.object, upload.multipart)
    connection.execute("INSERT OR IGNORE INTO abandoned VALUES (?, ?, ?)", row)


def give_up_chosen(connection: sqlite3.Connection) -> None:
    """Give up the multipart uploads of the chosen files (see `transitions`)."""
    connection.execute(
        "INSERT OR IGNORE INTO abandoned SELECT project, object, multipart FROM files"
        f" WHERE id IN {CHOSEN} AND multipart IS NOT NULL AND object IS NOT NULL"
    )
    connection.execute(f"DELETE FROM parts WHERE file IN {CHOSEN}")
    connection.execute(
        f"UPDATE files SET multipart = NULL, part_size = NULL WHERE id IN {CHOSEN} AND multipart IS NOT NULL"
    )


def intend(connection: sqlite3.Connection, project: int, object_name: str) -> None:
    """Note that a multipart upload is about to be created."""
    note(connection, StaleMultipart(project, object_name, UNKNOWN))


def forget(connection: sqlite3.Connection, upload: StaleMultipart) -> None:
    row = (upload.project, upload.object, upload.multipart)
    connection.execute("DELETE FROM abandoned WHERE project = ? AND object = ? AND multipart = ?", row)


def all_stale(connection: sqlite3.Connection) -> list[StaleMultipart]:
    rows = connection.execute("SELECT project, object, multipart FROM abandoned ORDER BY project, object, multipart")
    return [StaleMultipart(row["project"], row["object"], row["multipart"]) for row in rows]


def in_use(connection: sqlite3.Connection, project: int, object_name: str) -> set[str]:
    """Return the ids of multipart uploads of an object that files of this journal still use."""
    stages = [stage for stage in FileStage if stage not in (FileStage.STORED, FileStage.REGISTERED)]
    rows = connection.execute(
        f"SELECT multipart FROM files WHERE project = ? AND stage IN ({marks(stages)})"
        " AND object = ? AND multipart IS NOT NULL",
        (project, *stages, object_name),
    )
    return {row["multipart"] for row in rows}

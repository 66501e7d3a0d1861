"""SQL of multipart uploads that nobody goes on with; the store keeps their parts, at its owner's cost, until told.

What was begun is written down before it is given up, in the same transaction. The call that begins one may take effect
although its answer is lost or never journaled; so its intent is written down before, as an upload of `UNKNOWN` id.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tui_uploader.engine.journal.tables.transitions import CHOSEN, marks
from tui_uploader.model import FileStage

UNKNOWN = ""
"""Id of an upload whose beginning was asked for and not confirmed."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    project: int
    object: str
    multipart: str


def note(connection: sqlite3.Connection, upload: Abandoned) -> None:
    row = (upload.project, upload.object, upload.multipart)
    connection.execute("INSERT OR IGNORE INTO abandoned VALUES (?, ?, ?)", row)


def give_up_chosen(connection: sqlite3.Connection) -> None:
    """Nobody goes on with what was sent of the chosen files (see `moves`)."""
    connection.execute(
        "INSERT OR IGNORE INTO abandoned SELECT project, object, multipart FROM files"
        f" WHERE id IN {CHOSEN} AND multipart IS NOT NULL AND object IS NOT NULL"
    )
    connection.execute(f"DELETE FROM parts WHERE file IN {CHOSEN}")
    connection.execute(
        f"UPDATE files SET multipart = NULL, part_size = NULL WHERE id IN {CHOSEN} AND multipart IS NOT NULL"
    )


def intend_multipart(connection: sqlite3.Connection, project: int, object_name: str) -> None:
    note(connection, Abandoned(project, object_name, UNKNOWN))


def forget(connection: sqlite3.Connection, upload: Abandoned) -> None:
    row = (upload.project, upload.object, upload.multipart)
    connection.execute("DELETE FROM abandoned WHERE project = ? AND object = ? AND multipart = ?", row)


def all_abandoned(connection: sqlite3.Connection) -> list[Abandoned]:
    rows = connection.execute("SELECT project, object, multipart FROM abandoned ORDER BY project, object, multipart")
    return [Abandoned(row["project"], row["object"], row["multipart"]) for row in rows]


def in_use(connection: sqlite3.Connection, project: int, object_name: str) -> set[str]:
    """Ids of multipart uploads of that name that a file of this journal goes on with."""
    stages = [stage for stage in FileStage if stage not in (FileStage.STORED, FileStage.REGISTERED)]
    rows = connection.execute(
        f"SELECT multipart FROM files WHERE project = ? AND stage IN ({marks(stages)})"
        " AND object = ? AND multipart IS NOT NULL",
        (project, *stages, object_name),
    )
    return {row["multipart"] for row in rows}

"""SQL of verifications: which were asked for, and how they ended."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader import codec
from tui_uploader.engine.journal.columns import word
from tui_uploader.model.verification import VerificationState, VerificationStatus

_ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    id: int
    paths: tuple[str, ...]
    project: int | None
    """The only one that counts."""
    state: VerificationState
    started_at: float
    watch: int | None
    status: VerificationStatus | None
    """As it ended; None while it runs, and if it cannot be read."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> VerificationRecord:
        status = None
        with contextlib.suppress(codec.Malformed):
            status = None if row["status"] is None else codec.from_json(row["status"], VerificationStatus)
        return cls(
            row["id"],
            tuple(os.fsdecode(path) for path in row["paths"].split(b"\0")),
            row["project"],
            word(VerificationState, row["state"]),
            row["started_at"],
            row["watch"],
            status,
        )


def add(
    connection: sqlite3.Connection, paths: Sequence[str], project: int | None, now: float, watch: int | None
) -> VerificationRecord:
    encoded = b"\0".join(os.fsencode(path) for path in paths)
    cursor = connection.execute(
        "INSERT INTO verifications (paths, project, state, started_at, watch) VALUES (?, ?, ?, ?, ?)",
        (encoded, project, VerificationState.RUNNING, now, watch),
    )
    return of_number(connection, cursor.lastrowid or 0)


def of_number(connection: sqlite3.Connection, number: int) -> VerificationRecord:
    row = connection.execute("SELECT * FROM verifications WHERE id = ?", (number,)).fetchone()
    return VerificationRecord.of(row)


def everything(connection: sqlite3.Connection) -> list[VerificationRecord]:
    return [VerificationRecord.of(row) for row in connection.execute("SELECT * FROM verifications ORDER BY id")]


def begin_walk(connection: sqlite3.Connection, number: int) -> int:
    """Return the number of a new walk of the paths, from 1."""
    connection.execute("UPDATE verifications SET walks = walks + 1 WHERE id = ?", (number,))
    return int(connection.execute("SELECT walks FROM verifications WHERE id = ?", (number,)).fetchone()[0])


def end(connection: sqlite3.Connection, status: VerificationStatus) -> bool:
    """Write how a running verification ended; False if it does not run."""
    cursor = connection.execute(
        "UPDATE verifications SET state = ?, ended_at = ?, verdict = ?, reasons = ?, status = ?"
        " WHERE id = ? AND state = ?",
        (
            status.state,
            status.ended_at,
            status.verdict,
            "\n".join(status.reasons),
            codec.to_json(status),
            status.verification,
            VerificationState.RUNNING,
        ),
    )
    return cursor.rowcount > 0


def forget_some(connection: sqlite3.Connection, keep: int) -> int | None:
    """Delete some rows of an ended verification that is not among the newest `keep`.

    Returns its number once all of it is deleted, 0 if more is left to delete, None if there is nothing to delete.
    """
    row = connection.execute(
        "SELECT id FROM verifications WHERE state <> ? ORDER BY id DESC LIMIT 1 OFFSET ?",
        (VerificationState.RUNNING, keep),
    ).fetchone()
    if row is None:
        return None
    cursor = connection.execute(
        "DELETE FROM verified WHERE verification = ?1 AND path IN"
        " (SELECT path FROM verified WHERE verification = ?1 LIMIT ?2)",
        (row["id"], _ROWS_AT_ONCE),
    )
    if cursor.rowcount >= _ROWS_AT_ONCE:
        return 0
    connection.execute("DELETE FROM verifications WHERE id = ?", (row["id"],))
    return int(row["id"])

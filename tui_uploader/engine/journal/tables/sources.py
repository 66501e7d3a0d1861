"""SQL of the paths that were added to uploads: the progress of their walks, and the entries that were skipped."""

from __future__ import annotations

import os
import sqlite3


def at_or_below(path: str) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Return conditions on a column `path`, with their values: the path itself, and all paths below it.

    They are separate, because SQLite uses an index on `path` for each of them and not for their disjunction.
    """
    itself = os.fsencode(path)
    below = itself.rstrip(b"/") + b"/"
    after = below[:-1] + b"0"  # in bytes, 0 follows the slash
    return ("path = ?", (itself,)), ("path > ? AND path < ?", (below, after))


def added(connection: sqlite3.Connection, upload_id: int) -> list[str]:
    """Return every path that was added to the upload."""
    rows = connection.execute("SELECT path FROM sources WHERE upload = ? ORDER BY id", (upload_id,))
    return [os.fsdecode(row["path"]) for row in rows]


def note_failed_walk(connection: sqlite3.Connection, upload_id: int, path: str, kind: str, reason: str) -> None:
    """Note that the walk of the path failed; it will be repeated."""
    connection.execute(
        "UPDATE sources SET error = ?, reason = ? WHERE upload = ? AND path = ? AND NOT scanned",
        (kind, reason, upload_id, os.fsencode(path)),
    )


def forget_failure(connection: sqlite3.Connection, upload_id: int, path: str) -> None:
    connection.execute(
        "UPDATE sources SET error = NULL, reason = NULL WHERE upload = ? AND path = ?", (upload_id, os.fsencode(path))
    )


def note_found(connection: sqlite3.Connection, upload_id: int, path: str) -> None:
    """Note that a walk that still runs found files in the path."""
    connection.execute(
        "UPDATE sources SET found_some = 1 WHERE upload = ? AND path = ? AND NOT scanned AND NOT found_some",
        (upload_id, os.fsencode(path)),
    )


def was_cut_short(connection: sqlite3.Connection, upload_id: int, path: str) -> bool:
    """Whether a walk of the path found files, and was never completed."""
    row = connection.execute(
        "SELECT found_some FROM sources WHERE upload = ? AND path = ?", (upload_id, os.fsencode(path))
    ).fetchone()
    return row is not None and bool(row["found_some"])


def begin_walk(connection: sqlite3.Connection, upload_id: int, path: str) -> None:
    """Begin to walk a readable path: forget its last failure and the entries that were skipped."""
    forget_failure(connection, upload_id, path)
    deleted = 0
    for condition, values in at_or_below(path):
        cursor = connection.execute(f"DELETE FROM skipped WHERE upload = ? AND {condition}", (upload_id, *values))
        deleted += cursor.rowcount
    connection.execute("UPDATE uploads SET skipped = skipped - ? WHERE id = ?", (deleted, upload_id))


def unscanned(connection: sqlite3.Connection, upload_id: int) -> list[str]:
    """Return the paths that are to be walked; the path of the watch that fills the upload is left to that."""
    rows = connection.execute(
        "SELECT s.path FROM sources s WHERE s.upload = ? AND NOT s.scanned AND NOT EXISTS (SELECT 1 FROM uploads u"
        " JOIN watches w ON w.id = u.watch WHERE u.id = s.upload AND w.path = s.path) ORDER BY s.id",
        (upload_id,),
    )
    return [os.fsdecode(row["path"]) for row in rows]


def walked_for(connection: sqlite3.Connection, upload_id: int, path: str) -> tuple[bool, int | None]:
    """Return whether the path is still to be walked, and the addition that its files belong to, where that is known."""
    row = connection.execute(
        "SELECT walked_for FROM sources WHERE upload = ? AND path = ? AND NOT scanned", (upload_id, os.fsencode(path))
    ).fetchone()
    return row is not None, None if row is None else row["walked_for"]


def take_back(connection: sqlite3.Connection, upload_id: int, addition: int) -> tuple[str, ...]:
    """Forget the paths that an addition brought into the upload; others are no longer walked for it.

    Returns the paths whose walks are to be stopped.
    """
    rows = connection.execute(
        "SELECT path, addition, scanned FROM sources WHERE upload = ?1 AND (addition = ?2 OR walked_for = ?2)",
        (upload_id, addition),
    ).fetchall()
    connection.execute("DELETE FROM sources WHERE upload = ? AND addition = ?", (upload_id, addition))
    connection.execute(
        "UPDATE sources SET scanned = 1, error = NULL, reason = NULL WHERE upload = ? AND walked_for = ?",
        (upload_id, addition),
    )
    for row in rows:
        if row["addition"] == addition:
            begin_walk(connection, upload_id, os.fsdecode(row["path"]))  # forgets the entries that were skipped
    return tuple(os.fsdecode(row["path"]) for row in rows if not row["scanned"])

"""SQL of what was read before, by path: a file that is surely, or by its samples, the same is not read again.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.engine.journal.columns import candidate_in, columns_of
from tui_uploader.intake.scan import Candidate

EQUAL_FACTS = " AND ".join(f"k.{name} IS f.{name}" for name in ("size", "mtime_ns", "inode", "ctime_ns", "mount"))
"""SQL: the row `f` of files looks exactly as the row `k` of known did when its content was last seen to be there."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of the bytes of a file."""

    identity: str
    crc32: int
    latitude: float | None = None
    """Degrees, WGS 84, as the image tells; None: it tells none, or was read by a version that kept none."""
    longitude: float | None = None
    taken_at: float | None = None
    """Seconds, by the camera's clock taken for UTC: it knows no time zone, and is good for an order only."""
    samples: str | None = None
    """See `intake.samples`; None: it was read by a version that kept none."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it was when its content was last seen to be there, and that content."""

    candidate: Candidate
    content: Content


def find(connection: sqlite3.Connection, path: str) -> Known | None:
    """What was read at `path` the last time."""
    row = connection.execute("SELECT * FROM known WHERE path = ?", (os.fsencode(path),)).fetchone()
    if row is None:
        return None
    content = Content(row["identity"], row["crc32"], row["latitude"], row["longitude"], row["taken_at"], row["samples"])
    return Known(candidate_in(row), content)


def find_all(connection: sqlite3.Connection, paths: Sequence[str]) -> dict[str, Known]:
    """By path; without those that were never read."""
    found = {path: find(connection, path) for path in paths}
    return {path: known for path, known in found.items() if known is not None}


def remember(connection: sqlite3.Connection, candidate: Candidate, content: Content) -> None:
    """This content is at the path of the candidate, as long as it looks like that."""
    row: dict[str, object] = {
        "path": os.fsencode(candidate.path),
        **columns_of(candidate),
        "identity": content.identity,
        "crc32": content.crc32,
        "latitude": content.latitude,
        "longitude": content.longitude,
        "taken_at": content.taken_at,
        "samples": content.samples,
    }
    connection.execute(
        f"INSERT OR REPLACE INTO known ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )


def recognise(connection: sqlite3.Connection, candidate: Candidate, identity: str) -> None:
    """The content was found to be there still, although the file looks like `candidate` by now."""
    facts = columns_of(candidate)
    connection.execute(
        f"UPDATE known SET {', '.join(f'{name} = ?' for name in facts)} WHERE path = ? AND identity = ?",
        (*facts.values(), os.fsencode(candidate.path), identity),
    )


def forget(connection: sqlite3.Connection, path: str, identity: str | None = None) -> None:
    """What is at the path has to be read; with `identity`, only if that was remembered of it."""
    connection.execute(
        "DELETE FROM known WHERE path = ?1 AND (?2 IS NULL OR identity = ?2)", (os.fsencode(path), identity)
    )

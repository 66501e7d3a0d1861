"""SQL of the contents of files read before, by path: a file that is proven to be unchanged is not read again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields

from tui_uploader.engine.journal.columns import candidate_in, columns_of
from tui_uploader.intake.scan import Candidate

EQUAL_FACTS = " AND ".join(f"k.{name} IS f.{name}" for name in ("size", "mtime_ns", "inode", "ctime_ns", "mount"))
"""SQL: the row `f` of files has exactly the facts of the row `k` of known."""
SAME_FILE = (
    f"k.path = f.path AND CASE WHEN f.stage IN ('found', 'failed') THEN {EQUAL_FACTS} ELSE k.identity = f.identity END"
)
"""SQL: what the row `k` of known states is true of the row `f` of files."""
# Cards and damaged journals may hold anything: a position outside the valid range does not count.
HAS_POSITION = "k.latitude BETWEEN -90 AND 90 AND k.longitude BETWEEN -180 AND 180"
"""SQL: the row `k` of known has a position."""


@dataclass(frozen=True, slots=True)
class Content:
    """The identity of a file's bytes, and the facts read from them."""

    identity: str
    """Empty: the file cannot be uploaded. Its facts are shown, and its bytes are read again."""
    crc32: int
    latitude: float | None = None
    """Degrees, WGS 84; None: the image has none, or was read by a version that did not keep it."""
    longitude: float | None = None
    taken_at: float | None = None
    """Seconds, by the camera's clock read as UTC: without a time zone, it is good for sorting only."""
    samples: str | None = None
    """See `intake.samples`; None: read by a version that did not keep them."""
    camera: str | None = None
    height: float | None = None
    """Metres above the take-off point; None as for the latitude."""


@dataclass(frozen=True, slots=True)
class KnownContent:
    """A file's content, and the file as it was when the content was last proven."""

    candidate: Candidate
    content: Content


def find(connection: sqlite3.Connection, path: str) -> KnownContent | None:
    """Return what was last read at `path`, if that can be uploaded."""
    row = connection.execute("SELECT * FROM known WHERE path = ? AND identity <> ''", (os.fsencode(path),)).fetchone()
    if row is None:
        return None
    return KnownContent(candidate_in(row), Content(**{each.name: row[each.name] for each in fields(Content)}))


def find_all(connection: sqlite3.Connection, paths: Sequence[str]) -> dict[str, KnownContent]:
    """Return what was last read at each path, without paths that were never read."""
    found = {path: find(connection, path) for path in paths}
    return {path: known for path, known in found.items() if known is not None}


def remember(connection: sqlite3.Connection, candidate: Candidate, content: Content) -> None:
    """Note the content at the candidate's path, which holds while the file has the candidate's facts."""
    row: dict[str, object] = {
        "path": os.fsencode(candidate.path),
        **columns_of(candidate),
        **{each.name: getattr(content, each.name) for each in fields(content)},
    }
    connection.execute(
        f"INSERT OR REPLACE INTO known ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )


def recognise(connection: sqlite3.Connection, candidate: Candidate, identity: str) -> None:
    """Note that the content is unchanged although the file now has the facts of `candidate`."""
    facts = columns_of(candidate)
    connection.execute(
        f"UPDATE known SET {', '.join(f'{name} = ?' for name in facts)} WHERE path = ? AND identity = ?",
        (*facts.values(), os.fsencode(candidate.path), identity),
    )


def forget(connection: sqlite3.Connection, path: str, identity: str | None = None) -> None:
    """Forget the content at the path; with `identity`, only if it is the noted one."""
    connection.execute(
        "DELETE FROM known WHERE path = ?1 AND (?2 IS NULL OR identity = ?2)", (os.fsencode(path), identity)
    )

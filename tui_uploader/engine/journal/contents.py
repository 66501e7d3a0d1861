"""SQL of what files contain: which content a project has, and under which names.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.engine.journal import files
from tui_uploader.engine.journal.moves import HOLDING, marks
from tui_uploader.intake.naming import folded, name_choices
from tui_uploader.intake.scan import Candidate
from tui_uploader.model import FileEvent, FileStage
from tui_uploader.text import printable


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


def known_content(connection: sqlite3.Connection, candidate: Candidate) -> Content | None:
    """The content of a file that was read before and has not changed."""
    row = connection.execute(
        "SELECT identity, crc32, latitude, longitude, taken_at FROM known"
        " WHERE path = ? AND size = ? AND mtime_ns = ? AND inode = ?",
        (os.fsencode(candidate.path), *files.facts(candidate)),
    ).fetchone()
    return Content(*row) if row else None


def settle_check(connection: sqlite3.Connection, file_id: int, candidate: Candidate, content: Content) -> None:
    """The file was read and is of use: it waits to be sent under its own name, or it is a duplicate of another.

    Does nothing when the file was removed or changed meanwhile.
    """
    identity, crc32 = content.identity, content.crc32
    found = files.file(connection, file_id)
    if found.stage is not FileStage.FOUND or found.candidate != candidate:
        return
    connection.execute(
        "INSERT INTO known (path, size, mtime_ns, inode, identity, crc32, latitude, longitude, taken_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET"
        " size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
        " identity = excluded.identity, crc32 = excluded.crc32,"
        " latitude = excluded.latitude, longitude = excluded.longitude, taken_at = excluded.taken_at",
        (
            *(os.fsencode(candidate.path), *files.facts(candidate), identity, crc32),
            *(content.latitude, content.longitude, content.taken_at),
        ),
    )
    original = files.holder(connection, found.project, identity)
    if original is not None:
        files.forget_parts(connection, file_id)
        files.move(connection, file_id, FileEvent.MATCHED, duplicate_of=original, identity=identity, crc32=crc32)
        return
    name = _own_name(connection, found, identity)
    same_content = found.identity == identity
    if same_content and found.etag is not None and found.object == name:
        files.move(connection, file_id, FileEvent.STORED)
        return
    if not same_content:
        files.forget_parts(connection, file_id)
    files.move(connection, file_id, FileEvent.CHECKED, identity=identity, crc32=crc32, object=name, etag=None)


def _own_name(connection: sqlite3.Connection, row: files.FileRow, identity: str) -> str:
    """The name that this content has in the project already, or the first of those to choose from that no other holds;
    from now on it is this content's."""
    held = connection.execute(
        "SELECT name FROM names INDEXED BY names_of_contents WHERE project = ? AND identity = ?",
        (row.project, identity),
    ).fetchone()
    if held is not None:
        return str(held["name"])
    for name in name_choices(Path(row.path).name, identity):
        if _claim(connection, row.project, name, identity):
            return name
    raise AssertionError("the last name to choose from holds the whole identity")


def _claim(connection: sqlite3.Connection, project: int, name: str, identity: str) -> bool:
    """Whether the name is this content's from now on, or was before."""
    key = (project, folded(name))
    taken = connection.execute("SELECT identity FROM names WHERE project = ? AND folded = ?", key).fetchone()
    if taken is None:
        connection.execute("INSERT INTO names VALUES (?, ?, ?, ?)", (*key, name, identity))
        return True
    return bool(taken["identity"] == identity)


def distinct_images(connection: sqlite3.Connection, project: int) -> int:
    """Files that the project has or is going to get, as far as is known before they are read: those whose content it
    has already do not count."""
    places = marks(HOLDING)
    row = connection.execute(
        "SELECT (SELECT COUNT(*) FROM delivered WHERE project = ?) + COUNT(*) FROM files f"
        f" WHERE f.project = ? AND (f.stage IN ({places}) OR (f.stage = ? AND NOT EXISTS ("
        " SELECT 1 FROM known k"
        " WHERE k.path = f.path AND k.size = f.size AND k.mtime_ns = f.mtime_ns AND k.inode = f.inode AND ("
        "  EXISTS (SELECT 1 FROM delivered d WHERE d.project = f.project AND d.identity = k.identity) OR EXISTS ("
        f"  SELECT 1 FROM files h WHERE h.project = f.project AND h.identity = k.identity AND h.stage IN ({places})"
        " )))))",
        (project, project, *HOLDING, FileStage.FOUND, *HOLDING),
    ).fetchone()
    return int(row[0])


def give_other_name(connection: sqlite3.Connection, file_id: int) -> None:
    """Somebody else's object has the file's name: it waits to be sent under the next one."""
    row = files.file(connection, file_id)
    assert row.identity is not None and row.object is not None
    files.forget_parts(connection, file_id)
    connection.execute(
        "UPDATE names SET identity = '' WHERE project = ? AND folded = ?", (row.project, folded(row.object))
    )
    names = list(name_choices(Path(row.path).name, row.identity))
    after = names.index(row.object) + 1 if row.object in names else 0
    for name in names[after:]:
        if _claim(connection, row.project, name, row.identity):
            files.move(connection, file_id, FileEvent.HELD, object=name)
            return
    reason = f"The project has objects of every name that {printable(Path(row.path).name)} could have."
    files.fail(connection, file_id, "NameTaken", reason)

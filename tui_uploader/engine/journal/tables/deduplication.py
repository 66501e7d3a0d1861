"""SQL that decides which file delivers a content to a project, and under which object name."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import file_parts, files, known_contents
from tui_uploader.engine.journal.tables.known_contents import EQUAL_FACTS, Content
from tui_uploader.engine.journal.tables.transitions import HOLDING, marks
from tui_uploader.errors import NameTaken
from tui_uploader.intake.comparison import was_modified
from tui_uploader.intake.naming import folded, name_choices
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.states import FileEvent, FileStage
from tui_uploader.text import printable


def settle_check(
    connection: sqlite3.Connection,
    file_id: int,
    candidate: Candidate,
    content: Content,
    parts: Sequence[int] | None = None,
) -> None:
    """Settle a checked file: it waits to be sent under its own name, or is a duplicate of another file.

    `parts`: CRC32 of each part, if the file was read; stored parts of other bytes are sent again.
    If the file has the path of the one that delivers this content, both are the same file and this row is deleted.

    Does nothing if the file was removed or changed in the meantime.
    """
    identity, crc32 = content.identity, content.crc32
    found = files.file(connection, file_id)
    if found.stage is not FileStage.FOUND or was_modified(found.candidate, candidate):
        return
    known_contents.remember(connection, candidate, content)
    original = files.holder(connection, found.project, identity)
    if original is not None:
        file_parts.forget(connection, file_id)
        if files.stands_for(connection, original, found.upload, found.path):
            files.drop(connection, file_id)
            files.note_facts(connection, original, candidate)
            return
        files.note_facts(connection, file_id, candidate)
        files.move(connection, file_id, FileEvent.MATCHED, duplicate_of=original, identity=identity, crc32=crc32)
        return
    name = _own_name(connection, found, identity)
    if name is None:
        fail_without_name(connection, found)
        return
    let_wait(connection, found, candidate, content, parts, name)


def let_wait(
    connection: sqlite3.Connection,
    found: FileRecord,
    candidate: Candidate,
    content: Content,
    parts: Sequence[int] | None,
    name: str,
) -> None:
    """Let a checked file wait to be sent under this object name; what of it is stored already is not sent again."""
    files.note_facts(connection, found.id, candidate)
    same_content = found.identity == content.identity
    if same_content and found.etag is not None and found.object == name:
        files.move(connection, found.id, FileEvent.STORED)
        return
    if not same_content:
        file_parts.forget(connection, found.id)
    elif parts is not None:
        file_parts.keep_matching(connection, found.id, parts)
    facts = {"identity": content.identity, "crc32": content.crc32, "object": name}
    files.move(connection, found.id, FileEvent.CHECKED, **facts, etag=None, stored_at=None)


def _own_name(connection: sqlite3.Connection, row: FileRecord, identity: str) -> str | None:
    """Return the object name that this content has in the project, or claim the first free one.

    None: all possible names belong to other contents.
    """
    held = connection.execute(
        "SELECT name FROM names INDEXED BY names_of_contents WHERE project = ? AND identity = ?",
        (row.project, identity),
    ).fetchone()
    if held is not None:
        return str(held["name"])
    for name in name_choices(Path(row.path).name, identity):
        if claim(connection, row.project, name, identity):
            return name
    return None


def claim(connection: sqlite3.Connection, project: int, name: str, identity: str) -> bool:
    """Claim the name for this content; return whether it belongs to it."""
    key = (project, folded(name))
    taken = connection.execute("SELECT identity FROM names WHERE project = ? AND folded = ?", key).fetchone()
    if taken is None:
        connection.execute("INSERT INTO names VALUES (?, ?, ?, ?)", (*key, name, identity))
        return True
    return bool(taken["identity"] == identity)


def is_free(connection: sqlite3.Connection, project: int, name: str, identity: str) -> bool:
    """Whether `claim` would succeed."""
    key = (project, folded(name))
    taken = connection.execute("SELECT identity FROM names WHERE project = ? AND folded = ?", key).fetchone()
    return taken is None or bool(taken["identity"] == identity)


def distinct_images(connection: sqlite3.Connection, project: int) -> int:
    """Count the files that the project has or will get, as estimated before they are read.

    A file does not count if the project has its content already, certainly or probably (see `images_held`).
    """
    holding = marks(HOLDING)
    likely = "k.samples IS NULL AND k.size = f.size AND k.mtime_ns = f.mtime_ns AND k.inode = f.inode"
    row = connection.execute(
        "SELECT (SELECT COUNT(*) FROM delivered WHERE project = ?) + COUNT(*) FROM files f"
        f" WHERE f.project = ? AND (f.stage IN ({holding}) OR (f.stage = ? AND NOT EXISTS ("
        f" SELECT 1 FROM known k WHERE k.path = f.path AND ({EQUAL_FACTS} OR {likely}) AND ("
        "  EXISTS (SELECT 1 FROM delivered d WHERE d.project = f.project AND d.identity = k.identity) OR EXISTS ("
        f"  SELECT 1 FROM files h WHERE h.project = f.project AND h.identity = k.identity AND h.stage IN ({holding})"
        " )))))",
        (project, project, *HOLDING, FileStage.FOUND, *HOLDING),
    ).fetchone()
    return int(row[0])


def images_held(connection: sqlite3.Connection, project: int) -> int:
    """Count the files of proven content that the project has or will get, from the tallies."""
    row = connection.execute(
        "SELECT COALESCE(SUM(t.files), 0) FROM tallies t JOIN uploads u ON u.id = t.upload"
        f" WHERE u.project = ? AND t.stage IN ({marks(HOLDING)})",
        (project, *HOLDING),
    ).fetchone()
    return int(row[0])


def give_other_name(connection: sqlite3.Connection, file_id: int) -> None:
    """Let a file wait to be sent under its next name, because another object has its name."""
    row = files.file(connection, file_id)
    assert row.identity is not None and row.object is not None
    file_parts.forget(connection, file_id)
    give_up_name(connection, row)
    names = list(name_choices(Path(row.path).name, row.identity))
    after = names.index(row.object) + 1 if row.object in names else 0
    for name in names[after:]:
        if claim(connection, row.project, name, row.identity):
            files.move(connection, file_id, FileEvent.HELD, object=name)
            return
    fail_without_name(connection, row)


def give_up_name(connection: sqlite3.Connection, row: FileRecord) -> None:
    """Never use the file's object name again: the object there is not this content."""
    connection.execute(
        "UPDATE names SET identity = '' WHERE project = ? AND folded = ?", (row.project, folded(row.object or ""))
    )


def fail_without_name(connection: sqlite3.Connection, row: FileRecord) -> None:
    reason = f"The project has other objects under every name that {printable(Path(row.path).name)} could get."
    files.fail(connection, row.id, NameTaken.__name__, reason)

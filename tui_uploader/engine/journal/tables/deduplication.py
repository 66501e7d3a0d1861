"""SQL of what files contain: which content a project has, and under which names.

All functions take the connection of the transaction they are part of.
"""

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
from tui_uploader.model import FileEvent, FileStage
from tui_uploader.text import printable


def settle_check(
    connection: sqlite3.Connection,
    file_id: int,
    candidate: Candidate,
    content: Content,
    parts: Sequence[int] | None = None,
) -> None:
    """The content is proven and of use: the file waits to be sent under its own name, or is a duplicate of another.

    `parts`: CRC32 of each part, where the file was read; parts that were sent of other bytes are sent again.
    A file that was found anew at the path of one that brought this very content is that one, and leaves the upload.

    Does nothing when the file was removed or changed meanwhile.
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
        _fail_without_name(connection, found)
        return
    files.note_facts(connection, file_id, candidate)
    same_content = found.identity == identity
    if same_content and found.etag is not None and found.object == name:
        files.move(connection, file_id, FileEvent.STORED)
        return
    if not same_content:
        file_parts.forget(connection, file_id)
    elif parts is not None:
        file_parts.keep_matching(connection, file_id, parts)
    files.move(connection, file_id, FileEvent.CHECKED, identity=identity, crc32=crc32, object=name, etag=None)


def _own_name(connection: sqlite3.Connection, row: FileRecord, identity: str) -> str | None:
    """The name that this content has in the project already, or the first of those to choose from that no other holds;
    from now on it is this content's. None: objects that are not this content have all of them."""
    held = connection.execute(
        "SELECT name FROM names INDEXED BY names_of_contents WHERE project = ? AND identity = ?",
        (row.project, identity),
    ).fetchone()
    if held is not None:
        return str(held["name"])
    for name in name_choices(Path(row.path).name, identity):
        if _claim(connection, row.project, name, identity):
            return name
    return None


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
    has already do not count, nor those of which that is probable until they are read (see `images_held`)."""
    places = marks(HOLDING)
    likely = "k.samples IS NULL AND k.size = f.size AND k.mtime_ns = f.mtime_ns AND k.inode = f.inode"
    row = connection.execute(
        "SELECT (SELECT COUNT(*) FROM delivered WHERE project = ?) + COUNT(*) FROM files f"
        f" WHERE f.project = ? AND (f.stage IN ({places}) OR (f.stage = ? AND NOT EXISTS ("
        f" SELECT 1 FROM known k WHERE k.path = f.path AND ({EQUAL_FACTS} OR {likely}) AND ("
        "  EXISTS (SELECT 1 FROM delivered d WHERE d.project = f.project AND d.identity = k.identity) OR EXISTS ("
        f"  SELECT 1 FROM files h WHERE h.project = f.project AND h.identity = k.identity AND h.stage IN ({places})"
        " )))))",
        (project, project, *HOLDING, FileStage.FOUND, *HOLDING),
    ).fetchone()
    return int(row[0])


def images_held(connection: sqlite3.Connection, project: int) -> int:
    """Files of proven content that the project has or is going to get. Costs the same for any number of files."""
    row = connection.execute(
        "SELECT COALESCE(SUM(t.files), 0) FROM tallies t JOIN uploads u ON u.id = t.upload"
        f" WHERE u.project = ? AND t.stage IN ({marks(HOLDING)})",
        (project, *HOLDING),
    ).fetchone()
    return int(row[0])


def give_other_name(connection: sqlite3.Connection, file_id: int) -> None:
    """Somebody else's object has the file's name: it waits to be sent under the next one."""
    row = files.file(connection, file_id)
    assert row.identity is not None and row.object is not None
    file_parts.forget(connection, file_id)
    give_up_name(connection, row)
    names = list(name_choices(Path(row.path).name, row.identity))
    after = names.index(row.object) + 1 if row.object in names else 0
    for name in names[after:]:
        if _claim(connection, row.project, name, row.identity):
            files.move(connection, file_id, FileEvent.HELD, object=name)
            return
    _fail_without_name(connection, row)


def give_up_name(connection: sqlite3.Connection, row: FileRecord) -> None:
    """The object of that name is not this content, and stays: the name is never used again."""
    connection.execute(
        "UPDATE names SET identity = '' WHERE project = ? AND folded = ?", (row.project, folded(row.object or ""))
    )


def _fail_without_name(connection: sqlite3.Connection, row: FileRecord) -> None:
    reason = f"The project has objects of every name that {printable(Path(row.path).name)} could have."
    files.fail(connection, row.id, NameTaken.__name__, reason)

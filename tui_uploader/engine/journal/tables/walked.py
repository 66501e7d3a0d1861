"""SQL of the files that a walk finds."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tui_uploader.engine.journal.columns import file_columns_of
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files
from tui_uploader.intake.comparison import FileComparison, compare, is_on_other_card
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.states import FileEvent, FileStage

_UPLOADED = (FileStage.STORED, FileStage.REGISTERED)


def add_candidates(
    connection: sqlite3.Connection,
    upload: int,
    project: int,
    candidates: Sequence[Candidate],
    recognised: Mapping[str, str] | None = None,
    addition: int | None = None,
) -> None:
    """Add found files to the upload; a file that it has already is checked again if it changed.

    A file of another card at the same path is a further file of the upload: the one of the first card is still missing.

    `recognised`: the identities of contents that are proven to be unchanged, by path. `addition`: that files which come
    into the queue belong to.
    """
    numbers = new_numbers(connection)
    for candidate in candidates:
        before = connection.execute(
            "SELECT * FROM files WHERE upload = ? AND path = ? ORDER BY id DESC LIMIT 1",
            (upload, os.fsencode(candidate.path)),
        ).fetchone()
        if before is None:
            insert(connection, next(numbers), upload, project, candidate, addition)
            continue
        row = FileRecord.of(before)
        if unchanged(row, candidate, (recognised or {}).get(candidate.path)):
            if row.candidate != candidate:
                files.note_facts(connection, row.id, candidate)
            if row.stage is FileStage.REMOVED:
                files.move(connection, row.id, FileEvent.RESTORE, addition=addition)
            elif row.stage is FileStage.FAILED:
                files.retry(connection, row.id)
        elif row.stage in _UPLOADED or is_on_other_card(row.candidate, candidate):
            insert(connection, next(numbers), upload, project, candidate, addition)
        elif row.stage is not FileStage.SENDING:  # the transfer itself notices a change
            files.note_change(connection, row.id, candidate)


def unchanged(row: FileRecord, found: Candidate, recognised: str | None) -> bool:
    """`recognised`: the identity of the content that is proven to be unchanged, if any."""
    if row.identity is None:
        return row.candidate == found
    if recognised is not None:
        return row.identity == recognised
    return compare(row.candidate, found) is FileComparison.SAME


def searchable(path: str) -> str:
    """Return the base name as text for SQLite, with bytes that are not UTF-8 as backslash escapes."""
    return Path(path).name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def new_numbers(connection: sqlite3.Connection) -> Iterator[int]:
    """Yield numbers for new rows, none of which was used before, even by rows that were deleted (see `retention`)."""
    (last,) = connection.execute(
        "SELECT MAX((SELECT IFNULL(MAX(id), 0) FROM files), (SELECT IFNULL(MAX(file), 0) FROM delivered),"
        " (SELECT IFNULL(MAX(file), 0) FROM dropped))"
    ).fetchone()
    return itertools.count(last + 1)


def insert(
    connection: sqlite3.Connection,
    number: int,
    upload: int,
    project: int,
    candidate: Candidate,
    addition: int | None,
) -> None:
    """Insert a found file; `number`: of `new_numbers`."""
    row: dict[str, object] = {
        "id": number,
        "upload": upload,
        "project": project,
        "path": os.fsencode(candidate.path),
        "name": searchable(candidate.path),
        "stage": FileStage.FOUND,
        "addition": addition,
        **file_columns_of(candidate),
    }
    connection.execute(
        f"INSERT INTO files ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )


def add_skipped(connection: sqlite3.Connection, upload: int, skipped: Iterable[tuple[str, str]]) -> None:
    connection.executemany(
        "INSERT INTO skipped VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET reason = excluded.reason",
        [(upload, os.fsencode(path), reason) for path, reason in skipped],
    )

"""SQL of the windows of an upload's files that front ends show: filtered, sorted, a few rows at a time."""

from __future__ import annotations

import sqlite3

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import retention, uploads
from tui_uploader.engine.journal.tables.transitions import marks
from tui_uploader.errors import NoSuchFile
from tui_uploader.model.files import FileQuery, IdRun, SortKey, runs_of
from tui_uploader.model.states import FileStage, FileStatus

_STAGES_OF_STATUS = {status: tuple(stage for stage in FileStage if stage.status is status) for status in FileStatus}
_ORDER_OF_SORT: dict[SortKey, str] = {
    "added": "id",
    "name": "name COLLATE NOCASE",
    "size": "size",
    "status": "stage",
}


def window(
    connection: sqlite3.Connection, upload_id: int, query: FileQuery
) -> tuple[int, list[FileRecord], dict[int, str]]:
    """Return the number of files that match, those in the window, and the paths of the originals of duplicates in it.

    Raises NoSuchUpload.
    """
    source = retention.all_files(uploads.upload(connection, upload_id))
    condition, values = _matching(upload_id, query)
    total = _count(connection, upload_id, query, source)
    direction = "DESC" if query.descending else "ASC"
    order = f"{_ORDER_OF_SORT[query.sort]} {direction}, id {direction}"
    # By id first: SQLite would sort whole rows, including those before the window.
    found = f"SELECT id FROM {source} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
    rows = [
        FileRecord.of(row)
        for row in connection.execute(
            f"SELECT * FROM {source} WHERE id IN ({found}) ORDER BY {order}", (*values, query.limit, query.offset)
        )
    ]
    originals = {row.duplicate_of for row in rows if row.duplicate_of is not None}
    return total, rows, retention.paths(connection, originals)


def file_of(connection: sqlite3.Connection, upload_id: int, file_id: int) -> FileRecord:
    """Raises NoSuchUpload, NoSuchFile."""
    source = retention.all_files(uploads.upload(connection, upload_id))
    row = connection.execute(f"SELECT * FROM {source} WHERE upload = ? AND id = ?", (upload_id, file_id)).fetchone()
    if row is None:
        raise NoSuchFile(f"Upload {upload_id} has no file with the number {file_id}.")
    return FileRecord.of(row)


def matching_runs(connection: sqlite3.Connection, upload_id: int, query: FileQuery) -> tuple[IdRun, ...]:
    """Return all files that match, regardless of the window of `query`. Raises NoSuchUpload."""
    source = retention.all_files(uploads.upload(connection, upload_id))
    condition, values = _matching(upload_id, query)
    return runs_of(
        row[0] for row in connection.execute(f"SELECT id FROM {source} WHERE {condition} ORDER BY id", values)
    )


def _count(connection: sqlite3.Connection, upload_id: int, query: FileQuery, source: str) -> int:
    """Count the files that match: by the tallies where the query asks for statuses alone."""
    if query.text.removeprefix("!") or query.verified is not None:
        condition, values = _matching(upload_id, query)
        statement = f"SELECT COUNT(*) FROM {source} WHERE {condition}"
    else:
        stages = _stages(query)
        values = [upload_id, *stages]
        statement = f"SELECT COALESCE(SUM(files), 0) FROM tallies WHERE upload = ? AND stage IN ({marks(stages)})"
    return int(connection.execute(statement, values).fetchone()[0])


def _stages(query: FileQuery) -> list[FileStage]:
    stages = _STAGES_OF_STATUS[query.status] if query.status else [stage for stage in FileStage if stage.status]
    return [stage for stage in stages if query.except_status is None or stage.status is not query.except_status]


def _matching(upload_id: int, query: FileQuery) -> tuple[str, list[object]]:
    """Return an SQL condition and its values."""
    stages = _stages(query)
    condition = f"upload = ? AND stage IN ({marks(stages)})"
    values: list[object] = [upload_id, *stages]
    text = query.text.removeprefix("!")
    if text:
        negation = "NOT " if query.text.startswith("!") else ""
        condition += f" AND name {negation}LIKE ? ESCAPE '\\'"
        escaped = text.encode("utf-8", "backslashreplace").decode()
        for special in "\\%_":
            escaped = escaped.replace(special, f"\\{special}")
        values.append(f"%{escaped}%")
    if query.verified is not None:
        condition += " AND proof = ?"
        values.append(query.verified)
    return condition, values

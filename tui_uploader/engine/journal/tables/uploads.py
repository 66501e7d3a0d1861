"""SQL of projects and uploads, and of the windows that front ends see."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from tui_uploader.engine.journal.summary import UNFINISHED, UPLOADS, ProjectRecord, UploadRecord, tally_of
from tui_uploader.engine.journal.tables import retention
from tui_uploader.engine.journal.tables.files import FileRecord
from tui_uploader.engine.journal.tables.sources import AT_OR_BELOW, bounds
from tui_uploader.errors import NoSuchProject, NoSuchUpload, NotPossibleNow, SourceChanged, UploaderError
from tui_uploader.model import (
    FileQuery,
    FileStage,
    FileStatus,
    IdRun,
    ImpossibleTransition,
    ProjectKind,
    Skipped,
    SortKey,
    UploadEvent,
    UploadState,
    next_state,
    runs_of,
)

_STAGES_OF_STATUS = {status: tuple(stage for stage in FileStage if stage.status is status) for status in FileStatus}
_ORDER_OF_SORT: dict[SortKey, str] = {
    "added": "id",
    "name": "name COLLATE NOCASE",
    "size": "size",
    "status": "stage",
}

# -------------------------------------------------------------------------------------------------- projects


def add_project(
    connection: sqlite3.Connection,
    account: str,
    name: str,
    kind: ProjectKind,
    *,
    remote_id: str | None = None,
    web_address: str | None = None,
) -> int:
    """A project to be made by this machine, or one that exists under `remote_id`."""
    cursor = connection.execute(
        "INSERT INTO projects (account, remote_id, name, kind, made_here, web_address) VALUES (?, ?, ?, ?, ?, ?)",
        (account, remote_id, name, kind, remote_id is None, web_address),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def remote_project(
    connection: sqlite3.Connection, account: str, name: str, kind: ProjectKind, remote_id: str, web_address: str | None
) -> int:
    """The project that the service has under `remote_id`, written down unless it is."""
    row = connection.execute(
        "SELECT id FROM projects WHERE account = ? AND remote_id = ?", (account, remote_id)
    ).fetchone()
    if row is not None:
        return int(row["id"])
    return add_project(connection, account, name, kind, remote_id=remote_id, web_address=web_address)


def existing_project(connection: sqlite3.Connection, project: int) -> int:
    """Raises NoSuchProject when it is no longer there."""
    if connection.execute("SELECT 1 FROM projects WHERE id = ?", (project,)).fetchone() is None:
        raise NoSuchProject("The project was taken back meanwhile. Try again.")
    return project


def projects_named(connection: sqlite3.Connection, account: str, name: str, kind: ProjectKind) -> list[ProjectRecord]:
    """Projects of that name that this machine made, the newest first."""
    rows = connection.execute(
        "SELECT * FROM projects WHERE account = ? AND name = ? AND kind = ? AND made_here ORDER BY id DESC",
        (account, name, kind),
    )
    return [ProjectRecord.of(row) for row in rows]


def project(connection: sqlite3.Connection, project_id: int) -> ProjectRecord:
    """A project that is there."""
    return ProjectRecord.of(connection.execute("SELECT * FROM projects WHERE id = ?", (project_id,)).fetchone())


def set_project(connection: sqlite3.Connection, project: int, **facts: object) -> None:
    """Column names come from this package's callers in the engine, never from outside."""
    columns = ", ".join(f"{column} = ?" for column in facts)
    connection.execute(f"UPDATE projects SET {columns} WHERE id = ?", (*facts.values(), project))


def drop_unused_project(connection: sqlite3.Connection, project: int) -> None:
    connection.execute(
        "DELETE FROM projects WHERE id = ? AND remote_id IS NULL AND make_asked_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM uploads WHERE project = projects.id)",
        (project,),
    )


def hold_start(connection: sqlite3.Connection, project: int, reason: UploaderError) -> None:
    """Processing does not start by itself for `reason`, before more images come or the user wishes it."""
    set_project(connection, project, start_images=registered_images(connection, project), reason=str(reason))
    connection.execute(
        "UPDATE uploads SET notice_kind = ?, notice = ? WHERE id = (SELECT MAX(id) FROM uploads WHERE project = ?)",
        (reason.kind, str(reason), project),
    )


def release_start(connection: sqlite3.Connection, project: int) -> None:
    """Processing is going to start: what `hold_start` told is done with."""
    connection.execute(
        "UPDATE uploads SET notice_kind = NULL, notice = NULL WHERE project = ? AND notice_kind = ?",
        (project, SourceChanged.__name__),
    )


def registered_images(connection: sqlite3.Connection, project: int) -> int:
    row = connection.execute(
        "SELECT SUM(t.files) FROM uploads u JOIN tallies t ON t.upload = u.id WHERE u.project = ? AND t.stage = ?",
        (project, FileStage.REGISTERED),
    ).fetchone()
    return int(row[0] or 0)


def ask_start(connection: sqlite3.Connection, project: int, now: float) -> None:
    """Write the intent to start processing, before the call that cannot be taken back."""
    set_project(
        connection,
        project,
        start_asked_at=now,
        started_at=None,
        start_images=registered_images(connection, project),
        reason=None,
    )


# --------------------------------------------------------------------------------------------------- uploads


def upload(connection: sqlite3.Connection, upload_id: int) -> UploadRecord:
    """Raises NoSuchUpload."""
    row = connection.execute(f"{UPLOADS} WHERE u.id = ?", (upload_id,)).fetchone()
    if row is None:
        raise NoSuchUpload(f"There is no upload {upload_id}. `tui-uploader status` lists them.")
    return UploadRecord.of(row)


def add_sources(
    connection: sqlite3.Connection, project: int, paths: Sequence[str], auto_process: bool, now: float
) -> int:
    """Queue paths: in the project's open upload, or in a new one. Returns its number."""
    open_upload = connection.execute(
        "SELECT id FROM uploads WHERE project = ? AND state <> ? AND NOT dismissed ORDER BY id DESC LIMIT 1",
        (project, UploadState.COMPLETE),
    ).fetchone()
    if open_upload is None:
        cursor = connection.execute(
            "INSERT INTO uploads (project, state, auto_process, added_at) VALUES (?, ?, ?, ?)",
            (project, UploadState.PREPARING, auto_process, now),
        )
        assert cursor.lastrowid is not None
        upload_id = cursor.lastrowid
    else:
        upload_id = int(open_upload["id"])
        move_upload(connection, upload_id, UploadEvent.ADDED)
        connection.execute("UPDATE uploads SET auto_process = ? WHERE id = ?", (auto_process, upload_id))
    connection.executemany(
        "INSERT INTO sources (upload, path) VALUES (?, ?) ON CONFLICT DO UPDATE"
        " SET scanned = 0, error = NULL, reason = NULL",
        [(upload_id, os.fsencode(path)) for path in paths],
    )
    return upload_id


def unscanned(connection: sqlite3.Connection, upload_id: int) -> list[str]:
    rows = connection.execute("SELECT path FROM sources WHERE upload = ? AND NOT scanned ORDER BY id", (upload_id,))
    return [os.fsdecode(row["path"]) for row in rows]


def mark_scanned(connection: sqlite3.Connection, upload_id: int, paths: Sequence[str]) -> None:
    """These paths were walked to the end; with the last of them the upload is no longer preparing."""
    connection.executemany(
        "UPDATE sources SET scanned = 1, error = NULL, reason = NULL, found_some = 0 WHERE upload = ? AND path = ?",
        [(upload_id, os.fsencode(path)) for path in paths],
    )
    if not unscanned(connection, upload_id):
        move_upload(connection, upload_id, UploadEvent.SCANNED, unless_impossible=True)


def holds_any(connection: sqlite3.Connection, upload_id: int, paths: Sequence[str]) -> bool:
    """Whether the upload has a file at or below one of the paths."""
    for path in paths:
        found = connection.execute(
            f"SELECT 1 FROM files WHERE upload = ? AND {AT_OR_BELOW} LIMIT 1", (upload_id, *bounds(path))
        ).fetchone()
        if found is not None:
            return True
    return False


def take_back(connection: sqlite3.Connection, upload_id: int, paths: Sequence[str]) -> None:
    """Paths in which nothing was found are no longer asked for; an upload that was only made for them goes, too."""
    found = upload(connection, upload_id)
    connection.executemany(
        "DELETE FROM sources WHERE upload = ? AND path = ?", [(upload_id, os.fsencode(path)) for path in paths]
    )
    left = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM sources WHERE upload = ?) OR EXISTS (SELECT 1 FROM files WHERE upload = ?)",
        (upload_id, upload_id),
    ).fetchone()[0]
    if left:
        if not unscanned(connection, upload_id):
            move_upload(connection, upload_id, UploadEvent.SCANNED, unless_impossible=True)
        return
    for table, column in (("sources", "upload"), ("skipped", "upload"), ("tallies", "upload"), ("uploads", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (upload_id,))
    drop_unused_project(connection, found.project)


def move_upload(
    connection: sqlite3.Connection, upload_id: int, event: UploadEvent, *, unless_impossible: bool = False
) -> None:
    """Raises NoSuchUpload, NotPossibleNow."""
    found = upload(connection, upload_id)
    try:
        state = next_state(found.state, event)
    except ImpossibleTransition as error:
        if unless_impossible:
            return
        raise NotPossibleNow(f"Upload {upload_id} is {found.state}: it cannot {event} now.") from error
    if found.condensed:
        raise condensed(upload_id)
    connection.execute("UPDATE uploads SET state = ? WHERE id = ?", (state, upload_id))
    if state not in (UploadState.COMPLETE, UploadState.CANCELLED):  # what moves is shown, dismissed before or not
        connection.execute("UPDATE uploads SET dismissed = 0, dismissed_at = NULL WHERE id = ?", (upload_id,))


def condensed(upload_id: int) -> NotPossibleNow:
    return NotPossibleNow(
        f"Upload {upload_id} was taken off the list long ago: only the record of what it delivered is left. Upload the "
        "files again; what the project has is not sent twice."
    )


def finish_if_done(connection: sqlite3.Connection, upload_id: int) -> bool:
    """Close the upload when every file is uploaded or a duplicate and every path was walked."""
    found, tally = upload(connection, upload_id), tally_of(connection, upload_id)
    if found.state is not UploadState.ACTIVE or found.unscanned or tally.keys() & set(UNFINISHED):
        return False
    move_upload(connection, upload_id, UploadEvent.FINISHED)
    return True


def add_active_seconds(connection: sqlite3.Connection, seconds: dict[int, float]) -> None:
    connection.executemany(
        "UPDATE uploads SET active_seconds = active_seconds + ? WHERE id = ?",
        [(spent, upload_id) for upload_id, spent in seconds.items()],
    )


def set_auto_process(connection: sqlite3.Connection, upload_id: int, on: bool) -> None:
    """Raises NoSuchUpload."""
    upload(connection, upload_id)
    connection.execute("UPDATE uploads SET auto_process = ? WHERE id = ?", (on, upload_id))


def set_notice(connection: sqlite3.Connection, upload_id: int, kind: str | None, message: str | None) -> None:
    connection.execute("UPDATE uploads SET notice_kind = ?, notice = ? WHERE id = ?", (kind, message, upload_id))


def skipped(connection: sqlite3.Connection, upload_id: int) -> tuple[Skipped, ...]:
    upload(connection, upload_id)
    rows = connection.execute("SELECT path, reason FROM skipped WHERE upload = ? ORDER BY path", (upload_id,))
    return tuple(Skipped(os.fsdecode(row["path"]), row["reason"]) for row in rows)


# -------------------------------------------------------------------------------------------------- windows


def window(
    connection: sqlite3.Connection, upload_id: int, query: FileQuery
) -> tuple[int, list[FileRecord], dict[int, str]]:
    """How many files match, those in the window, and the paths of the originals of the duplicates among them."""
    source = retention.all_files(upload(connection, upload_id))
    condition, values = _matching(upload_id, query)
    total = connection.execute(f"SELECT COUNT(*) FROM {source} WHERE {condition}", values).fetchone()[0]
    direction = "DESC" if query.descending else "ASC"
    order = f"{_ORDER_OF_SORT[query.sort]} {direction}, id {direction}"
    # Found by id first: SQLite would carry whole rows through the sorting, those before the window included.
    found = f"SELECT id FROM {source} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
    rows = [
        FileRecord.of(row)
        for row in connection.execute(
            f"SELECT * FROM {source} WHERE id IN ({found}) ORDER BY {order}", (*values, query.limit, query.offset)
        )
    ]
    originals = {row.duplicate_of for row in rows if row.duplicate_of is not None}
    return total, rows, retention.paths(connection, originals)


def matching_runs(connection: sqlite3.Connection, upload_id: int, query: FileQuery) -> tuple[IdRun, ...]:
    """All files that match, whatever the window of `query`."""
    source = retention.all_files(upload(connection, upload_id))
    condition, values = _matching(upload_id, query)
    return runs_of(
        row[0] for row in connection.execute(f"SELECT id FROM {source} WHERE {condition} ORDER BY id", values)
    )


def _matching(upload_id: int, query: FileQuery) -> tuple[str, list[object]]:
    """A condition of SQL, and its values."""
    stages = _STAGES_OF_STATUS[query.status] if query.status else [stage for stage in FileStage if stage.status]
    stages = [stage for stage in stages if query.except_status is None or stage.status is not query.except_status]
    condition = f"upload = ? AND stage IN ({','.join('?' * len(stages))})"
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

"""SQL of projects."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from tui_uploader.cloud.contract import RemoteProject
from tui_uploader.engine.journal.records import ProjectRecord, UploadRecord
from tui_uploader.errors import SourceChanged, UploaderError
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage, UploadState


def add_project(
    connection: sqlite3.Connection,
    account: str,
    name: str,
    kind: ProjectKind,
    *,
    remote_id: str | None = None,
    web_address: str | None = None,
) -> int:
    """Add a project that this machine will create, or one that the service has under `remote_id`."""
    cursor = connection.execute(
        "INSERT INTO projects (account, remote_id, name, kind, made_here, web_address) VALUES (?, ?, ?, ?, ?, ?)",
        (account, remote_id, name, kind, remote_id is None, web_address),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def remote_project(connection: sqlite3.Connection, account: str, remote: RemoteProject, kind: ProjectKind) -> int:
    """Return the project of the service, added if the journal does not know it."""
    row = connection.execute(
        "SELECT id FROM projects WHERE account = ? AND remote_id = ?", (account, remote.id)
    ).fetchone()
    if row is not None:
        return int(row["id"])
    project = add_project(connection, account, remote.name, kind, remote_id=remote.id, web_address=remote.web_address)
    if remote.certainly_processed:
        note_processed_elsewhere(connection, project, remote)
    return project


def newest_named(connection: sqlite3.Connection, account: str, name: str, kind: ProjectKind) -> int | None:
    """Return the newest project of that name that this machine created."""
    row = connection.execute(
        "SELECT MAX(id) FROM projects WHERE account = ? AND name = ? AND kind = ? AND made_here", (account, name, kind)
    ).fetchone()
    return row[0] if row[0] is None else int(row[0])


def names(connection: sqlite3.Connection, account: str) -> set[str]:
    """Return the names of all projects of the account that the journal has."""
    return {row["name"] for row in connection.execute("SELECT name FROM projects WHERE account = ?", (account,))}


def project(connection: sqlite3.Connection, project_id: int) -> ProjectRecord:
    """Return an existing project."""
    return ProjectRecord.of(connection.execute("SELECT * FROM projects WHERE id = ?", (project_id,)).fetchone())


def set_project(connection: sqlite3.Connection, project: int, **facts: object) -> None:
    """Set columns, whose names must not come from outside the engine."""
    columns = ", ".join(f"{column} = ?" for column in facts)
    connection.execute(f"UPDATE projects SET {columns} WHERE id = ?", (*facts.values(), project))


def start_is_wanted(uploads: Iterable[UploadRecord]) -> bool:
    """Whether processing is to follow: everything in the project's uploads is uploaded, and the newest asks for it.

    `uploads`: all of the project, in order of creation. Cancelled ones do not count.
    """
    kept = [upload for upload in uploads if upload.state is not UploadState.CANCELLED]
    return bool(kept) and kept[-1].auto_process and all(upload.state is UploadState.COMPLETE for upload in kept)


def hold_start(connection: sqlite3.Connection, project: int, reason: UploaderError) -> None:
    """Prevent the automatic start of processing until more images are registered, and notify the user of `reason`."""
    set_project(connection, project, start_images=registered_images(connection, project), reason=str(reason))
    connection.execute(
        "UPDATE uploads SET notice_kind = ?, notice = ? WHERE id = (SELECT MAX(id) FROM uploads WHERE project = ?)",
        (reason.kind, str(reason), project),
    )


def release_start(connection: sqlite3.Connection, project: int) -> None:
    """Remove the notice of `hold_start`: processing is about to start."""
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
    """Note the intent to start processing, before the call that cannot be undone."""
    set_project(
        connection,
        project,
        start_asked_at=now,
        started_at=None,
        start_images=registered_images(connection, project),
        reason=None,
    )


def note_start(connection: sqlite3.Connection, project: int, **facts: object) -> None:
    """Note that processing was requested. It does not start automatically again: each start needs its own request."""
    set_project(connection, project, ended_at=None, **facts)
    connection.execute("UPDATE projects SET processed_images = start_images WHERE id = ?", (project,))
    no_automatic_start(connection, project)


def no_automatic_start(connection: sqlite3.Connection, project: int) -> bool:
    """Switch automatic processing off. Returns False if it was off."""
    cursor = connection.execute("UPDATE uploads SET auto_process = 0 WHERE project = ? AND auto_process", (project,))
    return cursor.rowcount > 0


def note_processed_elsewhere(connection: sqlite3.Connection, project: int, remote: RemoteProject) -> None:
    """Note processing that was not requested from here."""
    set_project(connection, project, processing=remote.state, word=remote.word, reason=remote.error_reason)
    no_automatic_start(connection, project)

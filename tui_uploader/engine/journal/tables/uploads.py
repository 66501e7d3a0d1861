"""SQL of uploads."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from tui_uploader.engine.journal.records import UNFINISHED, UploadRecord, one_upload, tally_of
from tui_uploader.engine.journal.tables import projects
from tui_uploader.errors import NoSuchUpload, NotPossibleNow
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import ImpossibleTransition, UploadEvent, UploadState, next_state
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import printable


def upload(connection: sqlite3.Connection, upload_id: int) -> UploadRecord:
    """Return an upload. Raises NoSuchUpload."""
    found = one_upload(connection, upload_id)
    if found is None:
        raise NoSuchUpload(f"There is no upload {upload_id}. `tui-uploader status` lists them.")
    return found


def open_upload(connection: sqlite3.Connection, project: int) -> int | None:
    """Return the upload that files added to the project go to; None if a new one has to be created."""
    row = connection.execute(
        "SELECT id FROM uploads WHERE project = ? AND state <> ? AND NOT dismissed ORDER BY id DESC LIMIT 1",
        (project, UploadState.COMPLETE),
    ).fetchone()
    return None if row is None else int(row["id"])


def add_sources(
    connection: sqlite3.Connection, project: int, paths: Sequence[str], auto_process: bool | None, now: float
) -> int:
    """Add paths to the project's open upload, or to a new one. Returns its number.

    `auto_process`: None: as before in an open upload; on in a new one, unless the project was processed before.
    """
    upload_id = open_upload(connection, project)
    if upload_id is None:
        return add_upload(connection, project, paths, auto_process, now)
    if projects.project(connection, project).kind is not ProjectKind.IMAGES:
        auto_process = False
    add_paths(connection, upload_id, paths, auto_process)
    return upload_id


def add_upload(
    connection: sqlite3.Connection,
    project: int,
    paths: Sequence[str],
    auto_process: bool | None,
    now: float,
    watch: int | None = None,
) -> int:
    """Add an upload of these paths, and return its number. `auto_process` as in `add_sources`."""
    found = projects.project(connection, project)
    if found.kind is not ProjectKind.IMAGES:
        auto_process = False
    if auto_process is None:
        auto_process = not found.was_processed
    cursor = connection.execute(
        "INSERT INTO uploads (project, state, auto_process, added_at, watch) VALUES (?, ?, ?, ?, ?)",
        (project, UploadState.PREPARING, auto_process, now, watch),
    )
    assert cursor.lastrowid is not None
    _add_paths(connection, cursor.lastrowid, paths, None)
    return cursor.lastrowid


def add_paths(
    connection: sqlite3.Connection, upload_id: int, paths: Sequence[str], auto_process: bool | None = None
) -> None:
    """Have these paths walked, perhaps again, for an upload that is there. `auto_process`: None: as before."""
    before = upload(connection, upload_id)
    move_upload(connection, upload_id, UploadEvent.ADDED)
    if auto_process is not None:
        set_auto_process(connection, upload_id, auto_process)
    _add_paths(connection, upload_id, paths, before)


def _add_paths(
    connection: sqlite3.Connection, upload_id: int, paths: Sequence[str], before: UploadRecord | None
) -> None:
    addition = connection.execute(
        "INSERT INTO additions (upload, state_before, auto_before) VALUES (?, ?, ?)",
        (upload_id, *((None, None) if before is None else (before.state, before.auto_process))),
    ).lastrowid
    # Files that a walk finds which is under way belong to the addition that it began for.
    connection.executemany(
        "INSERT INTO sources (upload, path, addition, walked_for) VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO UPDATE"
        " SET walked_for = CASE WHEN scanned THEN ?3 ELSE walked_for END, scanned = 0, error = NULL, reason = NULL",
        [(upload_id, os.fsencode(path), addition) for path in paths],
    )


def newest_addition(connection: sqlite3.Connection, upload_id: int) -> int:
    """Return the number of the last addition to the upload."""
    row = connection.execute("SELECT MAX(id) FROM additions WHERE upload = ?", (upload_id,)).fetchone()
    return int(row[0])


def mark_scanned(connection: sqlite3.Connection, upload_id: int, paths: Sequence[str]) -> None:
    """Note that the walks of these paths are complete; with the last one the upload is no longer preparing."""
    connection.executemany(
        "UPDATE sources SET scanned = 1, error = NULL, reason = NULL, found_some = 0 WHERE upload = ? AND path = ?",
        [(upload_id, os.fsencode(path)) for path in paths],
    )
    if not upload(connection, upload_id).unscanned:
        move_upload(connection, upload_id, UploadEvent.SCANNED, unless_impossible=True)


def move_upload(
    connection: sqlite3.Connection,
    upload_id: int,
    event: UploadEvent,
    now: float | None = None,
    *,
    unless_impossible: bool = False,
) -> None:
    """Apply `event` to the upload. `now`: needed for an event that ends it. Raises NoSuchUpload, NotPossibleNow."""
    found = upload(connection, upload_id)
    try:
        state = next_state(found.state, event)
    except ImpossibleTransition as error:
        if unless_impossible:
            return
        raise NotPossibleNow(f"Upload {upload_id} is {found.state}: it cannot {event} now.") from error
    if found.condensed:
        raise condensed(upload_id)
    if state is not found.state:
        ends = state.ended
        assert not ends or now is not None, "the time of the end is recorded"
        ended_at = now if ends else None
        connection.execute("UPDATE uploads SET state = ?, ended_at = ? WHERE id = ?", (state, ended_at, upload_id))
    if not state.ended:  # a running upload is always shown
        connection.execute("UPDATE uploads SET dismissed = 0, dismissed_at = NULL WHERE id = ?", (upload_id,))


def condensed(upload_id: int) -> NotPossibleNow:
    return NotPossibleNow(
        f"Upload {upload_id} was dismissed long ago: only the record of its delivered files is left. Upload the files "
        "again; files that the project has are not sent twice."
    )


def finish_if_done(connection: sqlite3.Connection, upload_id: int, now: float) -> bool:
    """Complete the upload if every file is uploaded or a duplicate and every walk is complete."""
    found, tally = upload(connection, upload_id), tally_of(connection, upload_id)
    if found.state is not UploadState.ACTIVE or found.unscanned or tally.keys() & set(UNFINISHED):
        return False
    move_upload(connection, upload_id, UploadEvent.FINISHED, now)
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


def check_something_to_process(connection: sqlite3.Connection, upload_id: int) -> None:
    """Raises NoSuchUpload, and NotPossibleNow if processing cannot follow: no image was added since the last time."""
    found = upload(connection, upload_id)
    project = projects.project(connection, found.project)
    processed = project.was_processed and project.start_images is not None
    if not processed or found.state is not UploadState.COMPLETE:
        return
    if projects.registered_images(connection, project.id) <= (project.start_images or 0):
        raise NotPossibleNow(
            f"All images of {printable(project.name)} were processed, so processing does not start automatically."
        )


def set_notice(connection: sqlite3.Connection, upload_id: int, kind: str | None, message: str | None) -> None:
    connection.execute("UPDATE uploads SET notice_kind = ?, notice = ? WHERE id = ?", (kind, message, upload_id))


def skipped(connection: sqlite3.Connection, upload_id: int, *, whole_project: bool = False) -> tuple[Skipped, ...]:
    """Return the skipped paths of the upload, or of all uploads of its project. Raises NoSuchUpload."""
    found = upload(connection, upload_id)
    if whole_project:
        rows = connection.execute(
            "SELECT path, reason FROM skipped WHERE upload IN (SELECT id FROM uploads WHERE project = ?)"
            " GROUP BY path ORDER BY path",
            (found.project,),
        )
    else:
        rows = connection.execute("SELECT path, reason FROM skipped WHERE upload = ? ORDER BY path", (upload_id,))
    return tuple(Skipped(os.fsdecode(row["path"]), row["reason"]) for row in rows)

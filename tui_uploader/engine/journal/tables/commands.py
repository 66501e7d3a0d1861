"""SQL of the user's commands on many files of an upload. Each is one transaction and returns exact counts."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.engine.journal.columns import word
from tui_uploader.engine.journal.records import tally_of
from tui_uploader.engine.journal.tables import open_multiparts, results, sources, uploads, walked
from tui_uploader.engine.journal.tables.transitions import (
    CHOSEN,
    HOLDING,
    Choice,
    choose,
    choose_where,
    marks,
    move_chosen,
    stages_before,
)
from tui_uploader.errors import NoSuchFile, NotPossibleNow
from tui_uploader.model.files import FileSelection
from tui_uploader.model.states import FileEvent, FileStage, UploadEvent, UploadState
from tui_uploader.text import printable

_LARGEST_ID = 2**63 - 1
_ORIGINAL_DELIVERS = (
    f"(duplicate_of IN (SELECT id FROM files WHERE stage IN ({', '.join(repr(str(stage)) for stage in HOLDING)}))"
    " OR duplicate_of IN (SELECT file FROM delivered))"
)
"""The file that a duplicate repeats is still the one that delivers its content."""


ChangedFiles = Mapping[int, int]
"""Number of changed files, by upload; only uploads with changed files."""


def remove(connection: sqlite3.Connection, upload_id: int, selection: FileSelection) -> ChangedFiles:
    """Remove files from the queue.

    Raises NoSuchUpload, NoSuchFile, and NotPossibleNow if a named file is uploading or uploaded; then no file is
    removed.
    """
    _choose(connection, upload_id, selection)
    fitting = (*stages_before(FileEvent.REMOVE), FileStage.REMOVED)
    # A file that changed after its upload has two rows of one path: the user means the later one.
    stuck = connection.execute(
        "SELECT f.path, f.stage FROM files f JOIN temp.chosen c ON c.id = f.id"
        f" WHERE c.how = ? AND f.stage NOT IN ({marks(fitting)}) AND NOT EXISTS ("
        " SELECT 1 FROM files later WHERE later.upload = f.upload AND later.path = f.path AND later.id > f.id)"
        " ORDER BY f.id LIMIT 1",
        (Choice.NAMED, *fitting),
    ).fetchone()
    if stuck is not None:
        raise NotPossibleNow(
            f"{printable(Path(os.fsdecode(stuck['path'])).name)} is {word(FileStage, stuck['stage']).status}: only a "
            "waiting, duplicate or failed file can be removed. Nothing was removed."
        )
    removed = _chosen_in(connection, stages_before(FileEvent.REMOVE))
    move_chosen(connection, FileEvent.REMOVE)
    return removed


def retry(connection: sqlite3.Connection, upload_id: int, selection: FileSelection) -> ChangedFiles:
    """Let the selected failed files wait again. Raises NoSuchUpload, NoSuchFile.

    A file that the user named or marked is uploaded as it is, even if its end seems to be missing.
    """
    _choose(connection, upload_id, selection)
    connection.execute(
        "UPDATE files SET accepted = 1 WHERE id IN (SELECT id FROM temp.chosen WHERE how >= ?) AND stage = ?",
        (Choice.IN_RUN, FileStage.FAILED),
    )
    retried = _chosen_in(connection, (FileStage.FAILED,))
    _retry_chosen(connection)
    return retried


def restore(connection: sqlite3.Connection, upload_id: int, selection: FileSelection) -> ChangedFiles:
    """Undo the removal of the selected files. Raises NoSuchUpload, NoSuchFile."""
    _choose(connection, upload_id, selection)
    restored = _chosen_in(connection, (FileStage.REMOVED,))
    move_chosen(connection, FileEvent.RESTORE)
    for upload in restored:
        uploads.move_upload(connection, upload, UploadEvent.REOPENED)
    return restored


def dismiss(connection: sqlite3.Connection, upload_id: int, now: float) -> None:
    """Take an upload off the list. Raises NoSuchUpload, and NotPossibleNow unless it is complete or cancelled."""
    found = uploads.upload(connection, upload_id)
    if not found.state.ended:
        raise NotPossibleNow(
            f"Upload {upload_id} is {found.state}: only complete or cancelled uploads can be dismissed."
        )
    connection.execute(
        "UPDATE uploads SET dismissed = 1, dismissed_at = ? WHERE id = ? AND NOT dismissed", (now, upload_id)
    )
    # Files that will never be sent must not make those of a later upload count as duplicates.
    choose(connection)
    choose_where(connection, "upload = ?", upload_id)
    before = stages_before(FileEvent.REMOVE)
    connection.execute(
        f"UPDATE files SET set_aside = stage WHERE id IN {CHOSEN} AND stage IN ({marks(before)})", before
    )
    move_chosen(connection, FileEvent.REMOVE)
    open_multiparts.give_up_chosen(connection)


def undismiss(connection: sqlite3.Connection, upload_id: int) -> ChangedFiles:
    """Put an upload back on the list, and into its queue the files that its dismissal removed.

    Raises NoSuchUpload, and NotPossibleNow if only the record of its delivered files is left.
    """
    if uploads.upload(connection, upload_id).condensed:
        raise uploads.condensed(upload_id)
    connection.execute("UPDATE uploads SET dismissed = 0, dismissed_at = NULL WHERE id = ?", (upload_id,))
    set_aside = "upload = ? AND stage = ? AND set_aside"
    removed = (upload_id, FileStage.REMOVED)
    # Restored, and then failed or matched as before: their reasons are still there.
    back = connection.execute(
        f"UPDATE files SET stage = set_aside WHERE {set_aside} = ? OR {set_aside} = ? AND {_ORIGINAL_DELIVERS}",
        (*removed, FileStage.FAILED, *removed, FileStage.DUPLICATE),
    ).rowcount
    choose(connection)
    choose_where(connection, f"{set_aside} IS NOT NULL", *removed)
    checked_again = move_chosen(connection, FileEvent.RESTORE)
    connection.execute("UPDATE files SET set_aside = NULL WHERE upload = ? AND set_aside IS NOT NULL", (upload_id,))
    if checked_again:
        uploads.move_upload(connection, upload_id, UploadEvent.REOPENED)
    return {upload_id: back + checked_again} if back + checked_again else {}


@dataclass(frozen=True, slots=True)
class UndoneFiles:
    """What an undone addition did to the files of its upload."""

    upload: int
    removed: int
    sending: tuple[int, ...]
    """Files that are being sent: when that is stopped, `undo_addition` takes them out as well."""
    kept: int
    """Files of the addition that are uploaded, or stored and about to be registered."""
    paths: tuple[str, ...]
    """Paths that are no longer to be walked."""


def undo_addition(connection: sqlite3.Connection, addition: int, now: float) -> UndoneFiles:
    """Take out of the queue what an addition brought into it and was not sent yet. May be repeated.

    An upload that becomes empty leaves the list. Raises NotPossibleNow if there is no such addition, or its upload is
    condensed.
    """
    row = connection.execute("SELECT * FROM additions WHERE id = ?", (addition,)).fetchone()
    if row is None:
        raise NotPossibleNow(f"There is no addition {addition} to undo.")
    upload_id = int(row["upload"])
    if uploads.upload(connection, upload_id).condensed:
        raise uploads.condensed(upload_id)
    paths = sources.take_back(connection, upload_id, addition)
    choose(connection)
    choose_where(connection, "upload = ? AND addition = ?", upload_id, addition)
    removed = move_chosen(connection, FileEvent.REMOVE)
    choose(connection)
    choose_where(connection, "upload = ? AND addition = ? AND stage = ?", upload_id, addition, FileStage.REMOVED)
    open_multiparts.give_up_chosen(connection)
    in_stage = "FROM files WHERE upload = ? AND addition = ? AND stage IN (?, ?)"
    of_addition = (upload_id, addition)
    rows = connection.execute(f"SELECT id {in_stage}", (*of_addition, FileStage.SENDING, FileStage.SENDING))
    sending = tuple(each["id"] for each in rows)
    kept = connection.execute(f"SELECT COUNT(*) {in_stage}", (*of_addition, FileStage.STORED, FileStage.REGISTERED))
    connection.execute("UPDATE additions SET undone = ? WHERE id = ?", (1 if sending else 2, addition))
    if row["undone"] < 2 and not sending:
        _leave_as_before(connection, row, now)
    return UndoneFiles(upload_id, removed, sending, int(kept.fetchone()[0]), paths)


def finish_undoing(connection: sqlite3.Connection, now: float) -> None:
    """After a crash, complete the undoing of additions that it interrupted; nothing is being sent."""
    for row in connection.execute("SELECT id FROM additions WHERE undone = 1 ORDER BY id").fetchall():
        undo_addition(connection, row["id"], now)


def _leave_as_before(connection: sqlite3.Connection, addition: sqlite3.Row, now: float) -> None:
    """Bring the upload back to what it was before an addition that is undone, if nothing else was added since."""
    upload_id = int(addition["upload"])
    found = uploads.upload(connection, upload_id)
    if found.state is UploadState.PREPARING and not found.unscanned:
        uploads.move_upload(connection, upload_id, UploadEvent.SCANNED)
    standing = {
        row["id"]
        for row in connection.execute("SELECT id FROM additions WHERE upload = ? AND undone < 2", (upload_id,))
    }
    if any(other > addition["id"] for other in standing):
        return
    # Without its auto_before: what is uploaded of an undone addition is not what the user wants to have processed.
    uploads.set_auto_process(connection, upload_id, bool(addition["auto_before"]) and found.auto_process)
    created_for_additions = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM additions WHERE upload = ? AND state_before IS NULL)", (upload_id,)
    ).fetchone()[0]
    nothing_left = not tally_of(connection, upload_id).keys() - {FileStage.REMOVED}
    leaves = created_for_additions and nothing_left and not standing
    if leaves or addition["state_before"] == UploadState.CANCELLED:
        uploads.move_upload(connection, upload_id, UploadEvent.CANCEL, now, unless_impossible=True)
    if leaves:
        dismiss(connection, upload_id, now)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The files that a selection is taken from."""

    condition: str
    """SQL with one value."""
    value: int
    name: str
    """For messages: `Upload 3`."""
    whole: str
    """SQL condition, with the same value, for all of them."""


def _scope(connection: sqlite3.Connection, upload_id: int, *, whole_project: bool) -> _Scope:
    """Raises NoSuchUpload, and NotPossibleNow for an upload of which only a record is left."""
    found = uploads.upload(connection, upload_id)
    if not whole_project:
        if found.condensed:
            raise uploads.condensed(upload_id)
        return _Scope("upload = ?", upload_id, f"Upload {upload_id}", "upload = ?")
    of_project = "upload IN (SELECT id FROM uploads WHERE project = ? AND NOT condensed{})"
    # `undismiss` restores the files of dismissed uploads.
    return _Scope(of_project.format(""), found.project, "The project", of_project.format(" AND NOT dismissed"))


def _choose(connection: sqlite3.Connection, upload_id: int, selection: FileSelection) -> None:
    """Choose the selected files.

    Raises NoSuchUpload, NotPossibleNow for an upload of which only a record is left, and NoSuchFile if a named file
    does not exist.
    """
    scope = _scope(connection, upload_id, whole_project=selection.whole_project)
    choose(connection)
    for file_id in selection.ids:
        if not 0 < file_id <= _LARGEST_ID or not _holds(connection, scope, "id = ?", file_id):
            raise NoSuchFile(f"{scope.name} has no file with the number {file_id}.")
        choose_where(connection, "id = ?", file_id, how=Choice.NAMED)
    _choose_named(connection, scope, selection.names)
    stages = [stage for stage in FileStage if stage.status in selection.statuses]
    if stages:
        choose_where(connection, f"{scope.condition} AND stage IN ({marks(stages)})", scope.value, *stages)
    for first, last in selection.runs:
        choose_where(
            connection, f"{scope.condition} AND id BETWEEN ? AND ?", scope.value, first, last, how=Choice.IN_RUN
        )
    if selection.all:
        choose_where(connection, scope.whole, scope.value)
    results.choose_whole(connection)


def _choose_named(connection: sqlite3.Connection, scope: _Scope, names: Iterable[str]) -> None:
    """Choose files by path, or else by name on disk or in the project; one pass over the files serves all names."""
    wanted: dict[str, str] = {}
    for name in names:
        path = os.fsencode(name)
        if _holds(connection, scope, "path = ?", path):
            choose_where(connection, f"{scope.condition} AND path = ?", scope.value, path, how=Choice.NAMED)
        else:
            wanted[walked.searchable(name)] = name
    if not wanted:
        return
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (name TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.wanted")
    connection.executemany("INSERT INTO temp.wanted VALUES (?)", [(shown,) for shown in wanted])
    matches = connection.execute(
        f"SELECT id, name, object FROM files WHERE {scope.condition}"
        " AND (name IN (SELECT name FROM temp.wanted) OR object IN (SELECT name FROM temp.wanted))",
        (scope.value,),
    ).fetchall()
    found = {name for row in matches for name in (row["name"], row["object"])}
    for shown, name in wanted.items():
        if shown not in found:
            raise NoSuchFile(f"{scope.name} has no file {printable(name)}.")
    connection.executemany(
        "INSERT INTO temp.chosen (id, how) VALUES (?, ?) ON CONFLICT DO UPDATE SET how = excluded.how",
        [(row["id"], Choice.NAMED) for row in matches],
    )


def _holds(connection: sqlite3.Connection, scope: _Scope, condition: str, value: object) -> bool:
    row = connection.execute(
        f"SELECT 1 FROM files WHERE {scope.condition} AND {condition} LIMIT 1", (scope.value, value)
    )
    return row.fetchone() is not None


def _chosen_in(connection: sqlite3.Connection, stages: Sequence[FileStage]) -> ChangedFiles:
    """Count the chosen files in these stages."""
    rows = connection.execute(
        f"SELECT upload, COUNT(*) FROM files WHERE id IN {CHOSEN} AND stage IN ({marks(stages)})"
        " GROUP BY upload ORDER BY upload",
        tuple(stages),
    )
    return {row[0]: row[1] for row in rows}


def _retry_chosen(connection: sqlite3.Connection) -> None:
    """Files with a stored object only need registering, unless another file delivers their content."""
    holding = ", ".join(f"'{stage}'" for stage in HOLDING)  # literals, as in `files.holder`
    connection.execute("DROP TABLE IF EXISTS temp.only_to_register")
    connection.execute(
        "CREATE TEMP TABLE only_to_register AS SELECT MIN(f.id) AS id FROM files f"
        f" WHERE f.id IN {CHOSEN} AND f.stage = '{FileStage.FAILED}' AND f.etag IS NOT NULL AND f.identity IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM files h"
        f" WHERE h.project = f.project AND h.identity = f.identity AND h.stage IN ({holding}))"
        " AND NOT EXISTS (SELECT 1 FROM delivered d WHERE d.project = f.project AND d.identity = f.identity)"
        " GROUP BY f.project, f.identity"
    )
    move_chosen(
        connection,
        FileEvent.RETRY_REGISTRATION,
        {"error": None, "reason": None},
        among="(SELECT id FROM temp.only_to_register)",
    )
    move_chosen(connection, FileEvent.RETRY)

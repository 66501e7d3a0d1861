"""An immutable summary of the journal, without single files, that every commit updates.

It is read as a whole when the journal is opened. From then on temporary triggers note which projects and uploads a
transaction changes, and only those are read again: the cost of a commit does not grow with the past uploads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tui_uploader.engine.journal.columns import word
from tui_uploader.engine.journal.records import (
    NOTHING,
    UNDER_WAY,
    ProjectRecord,
    Tally,
    UploadRecord,
    all_uploads,
    one_upload,
    tally_of,
)
from tui_uploader.model.states import FileStage, UploadState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProjectUploads:
    """The uploads of a project and their files by stage, including past uploads."""

    uploads: tuple[int, ...] = ()
    """In order of creation."""
    files: Mapping[FileStage, int] = field(default_factory=dict)


NO_UPLOADS = ProjectUploads()


@dataclass(frozen=True, slots=True)
class Summary:
    projects: Mapping[int, ProjectRecord]
    uploads: Mapping[int, UploadRecord]
    """Uploads that may have work left, in order of creation."""
    past: Mapping[int, UploadRecord]
    """Dismissed uploads that have ended: many, after some years."""
    tallies: Mapping[int, Mapping[FileStage, Tally]]
    """By upload, including past ones."""
    of_projects: Mapping[int, ProjectUploads]
    history: int = 0
    """Number of the newest event."""

    @classmethod
    def of(
        cls,
        projects: Mapping[int, ProjectRecord],
        uploads: Mapping[int, UploadRecord],
        tallies: Mapping[int, Mapping[FileStage, Tally]],
        history: int = 0,
    ) -> Summary:
        """`uploads`: all of them, in order of creation."""
        of_projects: dict[int, ProjectUploads] = {}
        for number, row in uploads.items():
            before = of_projects.get(row.project, NO_UPLOADS)
            files = _changed(before.files, {}, tallies.get(number, {}))
            of_projects[row.project] = ProjectUploads((*before.uploads, number), files)
        return cls(
            projects,
            {number: row for number, row in uploads.items() if not row.past},
            {number: row for number, row in uploads.items() if row.past},
            tallies,
            of_projects,
            history,
        )

    def upload(self, number: int) -> UploadRecord | None:
        return self.uploads.get(number) or self.past.get(number)

    def files(self, upload: int, *stages: FileStage) -> int:
        of_upload = self.tallies.get(upload, {})
        return sum(of_upload.get(stage, NOTHING).files for stage in stages)

    def bytes(self, upload: int, *stages: FileStage) -> int:
        of_upload = self.tallies.get(upload, {})
        return sum(of_upload.get(stage, NOTHING).bytes for stage in stages)

    def busy(self, upload: int) -> bool:
        """Whether the upload runs, and has something to walk, check, send or register."""
        row = self.uploads.get(upload)
        if row is None or row.state not in (UploadState.PREPARING, UploadState.ACTIVE):
            return False
        return bool(row.unscanned or self.files(upload, *UNDER_WAY))

    def uploads_of(self, project: int) -> tuple[UploadRecord, ...]:
        """Return all uploads of the project, including past ones, in order of creation."""
        numbers = self.of_projects.get(project, NO_UPLOADS).uploads
        return tuple(row for row in map(self.upload, numbers) if row is not None)

    def newest_upload(self, project: int) -> int:
        """Return the number of the newest upload of the project, including past ones; 0: there is none."""
        return max(self.of_projects.get(project, NO_UPLOADS).uploads, default=0)

    def vanished(self, project: int) -> bool:
        """Whether the project does not exist at the service, and nothing on the list asks for it."""
        row = self.projects.get(project)
        return row is None or (row.remote_id is None and all(upload.dismissed for upload in self.uploads_of(project)))

    def project_files(self, project: int, *stages: FileStage) -> int:
        files = self.of_projects.get(project, NO_UPLOADS).files
        return sum(files.get(stage, 0) for stage in stages)


@dataclass(frozen=True, slots=True)
class Commit:
    """The changes of the summary by one commit."""

    before: Summary
    after: Summary
    projects: frozenset[int] = frozenset()
    """Numbers of the changed rows."""
    uploads: frozenset[int] = frozenset()
    stages: frozenset[FileStage] = frozenset()
    """Stages that files entered or left."""


def _changed(
    files: Mapping[FileStage, int], before: Mapping[FileStage, Tally], after: Mapping[FileStage, Tally]
) -> Mapping[FileStage, int]:
    """Return `files` of a project after the tallies of one of its uploads changed."""
    changed = dict(files)
    for stage in before.keys() | after.keys():
        difference = after.get(stage, NOTHING).files - before.get(stage, NOTHING).files
        changed[stage] = changed.get(stage, 0) + difference
    return {stage: number for stage, number in changed.items() if number}


_NOTED = (
    ("projects", "changed_projects", "id"),
    ("uploads", "changed_uploads", "id"),
    ("sources", "changed_uploads", "upload"),
    ("tallies", "changed_uploads", "upload"),
    ("tallies", "changed_stages", "stage"),
)
"""Each table, the temporary table that notes its changes, and the column whose value is noted."""


def read_summary(connection: sqlite3.Connection) -> Summary:
    """Read the summary of the whole journal."""
    projects = {row["id"]: ProjectRecord.of(row) for row in connection.execute("SELECT * FROM projects ORDER BY id")}
    uploads = {upload.id: upload for upload in all_uploads(connection)}
    tallies: dict[int, dict[FileStage, Tally]] = {number: {} for number in uploads}
    for upload, stage, files, size in connection.execute(
        "SELECT upload, stage, files, bytes FROM tallies WHERE files > 0"
    ):
        tallies[upload][word(FileStage, stage)] = Tally(files, size)
    return Summary.of(projects, uploads, tallies, newest_event(connection))


def newest_event(connection: sqlite3.Connection) -> int:
    """Return the highest number that an event of the history ever had; 0: there was none."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'history'").fetchone()
    return 0 if row is None else int(row[0])


def note_changes(connection: sqlite3.Connection) -> None:
    """Let the connection note its changes from now on, for `committed`."""
    connection.execute("PRAGMA temp_store = MEMORY")
    for noted in sorted({noted for _, noted, _ in _NOTED}):
        connection.execute(f"CREATE TEMP TABLE {noted} (value PRIMARY KEY) WITHOUT ROWID")
    for table, noted, column in _NOTED:
        for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
            connection.execute(
                f"CREATE TEMP TRIGGER {table}_{event.lower()}_{column}_noted AFTER {event} ON main.{table}"
                f" WHEN {row}.{column} NOT IN (SELECT value FROM {noted})"
                f" BEGIN INSERT INTO {noted} VALUES ({row}.{column}); END"
            )


def committed(connection: sqlite3.Connection, before: Summary) -> Commit:
    """Return the changes of the transaction that is about to be committed, and delete the notes of them.

    Without the events that are derived from them: see `with_history`.
    """
    projects: list[int] = _taken(connection, "changed_projects")
    uploads: list[int] = _taken(connection, "changed_uploads")
    stages = frozenset(word(FileStage, stage) for stage in _taken(connection, "changed_stages"))
    after = _brought_up_to_date(connection, before, projects, uploads) if projects or uploads else before
    return Commit(before, after, frozenset(projects), frozenset(uploads), stages)


def with_history(connection: sqlite3.Connection, commit: Commit) -> Commit:
    """`commit` with the events that its transaction wrote."""
    newest = newest_event(connection)
    if newest == commit.after.history:
        return commit
    return replace(commit, after=replace(commit.after, history=newest))


def _brought_up_to_date(
    connection: sqlite3.Connection, before: Summary, changed_projects: Iterable[int], changed_uploads: Iterable[int]
) -> Summary:
    projects, uploads, past = dict(before.projects), dict(before.uploads), dict(before.past)
    tallies, of_projects = dict(before.tallies), dict(before.of_projects)
    for number in changed_projects:
        row = connection.execute("SELECT * FROM projects WHERE id = ?", (number,)).fetchone()
        _put(projects, number, None if row is None else ProjectRecord.of(row))
    for number in changed_uploads:
        upload = one_upload(connection, number)
        _put(uploads, number, None if upload is None or upload.past else upload)
        _put(past, number, upload if upload is not None and upload.past else None)
        tally = tally_of(connection, number) if upload is not None else {}
        known = upload or before.upload(number)
        if known is not None:
            of_project = of_projects.get(known.project, NO_UPLOADS)
            kept = [other for other in of_project.uploads if other != number] + ([] if upload is None else [number])
            files = _changed(of_project.files, before.tallies.get(number, {}), tally)
            _put(of_projects, known.project, ProjectUploads(tuple(sorted(kept)), files) if kept else None)
        _put(tallies, number, tally if upload is not None else None)
    return Summary(projects, dict(sorted(uploads.items())), past, tallies, of_projects, before.history)


def _taken(connection: sqlite3.Connection, noted: str) -> list[Any]:
    values = [value for (value,) in connection.execute(f"SELECT value FROM temp.{noted} ORDER BY value")]
    if values:
        connection.execute(f"DELETE FROM temp.{noted}")
    return values


def _put(rows: dict[int, T], number: int, row: T | None) -> None:
    if row is None:
        rows.pop(number, None)
    else:
        rows[number] = row

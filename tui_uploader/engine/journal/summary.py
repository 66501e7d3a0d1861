"""What the engine knows without looking at single files: one value, brought up to date at every commit.

It is read as a whole once, when the journal is opened. From then on temporary triggers note which projects and uploads
a transaction changes, and only those are read again: a commit costs the same for any number of past uploads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
from tui_uploader.model import FileStage, UploadState

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class OfProject:
    """All uploads of a project, past ones too."""

    uploads: tuple[int, ...] = ()
    """In the order in which they were made."""
    files: Mapping[FileStage, int] = field(default_factory=dict)


NO_UPLOADS = OfProject()


@dataclass(frozen=True, slots=True)
class Summary:
    projects: Mapping[int, ProjectRecord]
    uploads: Mapping[int, UploadRecord]
    """Those that work may be done for, in the order in which they were made."""
    past: Mapping[int, UploadRecord]
    """The others: many, after some years."""
    tallies: Mapping[int, Mapping[FileStage, Tally]]
    """Of all uploads, past ones too."""
    of_projects: Mapping[int, OfProject]

    @classmethod
    def of(
        cls,
        projects: Mapping[int, ProjectRecord],
        uploads: Mapping[int, UploadRecord],
        tallies: Mapping[int, Mapping[FileStage, Tally]],
    ) -> Summary:
        """`uploads`: all, in the order in which they were made."""
        of_projects: dict[int, OfProject] = {}
        for number, row in uploads.items():
            before = of_projects.get(row.project, NO_UPLOADS)
            files = _changed(before.files, {}, tallies.get(number, {}))
            of_projects[row.project] = OfProject((*before.uploads, number), files)
        return cls(
            projects,
            {number: row for number, row in uploads.items() if not row.past},
            {number: row for number, row in uploads.items() if row.past},
            tallies,
            of_projects,
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
        """It runs, and has something to walk, check, send or register."""
        row = self.uploads.get(upload)
        if row is None or row.state not in (UploadState.PREPARING, UploadState.ACTIVE):
            return False
        return bool(row.unscanned or self.files(upload, *UNDER_WAY))

    def uploads_of(self, project: int) -> tuple[UploadRecord, ...]:
        """All of the project, past ones too, in the order in which they were made."""
        numbers = self.of_projects.get(project, NO_UPLOADS).uploads
        return tuple(row for row in map(self.upload, numbers) if row is not None)

    def project_files(self, project: int, *stages: FileStage) -> int:
        files = self.of_projects.get(project, NO_UPLOADS).files
        return sum(files.get(stage, 0) for stage in stages)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit changed of the summary."""

    before: Summary
    after: Summary
    projects: frozenset[int] = frozenset()
    """Numbers of the rows that were written."""
    uploads: frozenset[int] = frozenset()
    stages: frozenset[FileStage] = frozenset()
    """Those that files came to or left."""


def _changed(
    files: Mapping[FileStage, int], before: Mapping[FileStage, Tally], after: Mapping[FileStage, Tally]
) -> Mapping[FileStage, int]:
    """`files` of a project, after the tallies of one of its uploads changed."""
    changed = dict(files)
    for stage in before.keys() | after.keys():
        difference = after.get(stage, NOTHING).files - before.get(stage, NOTHING).files
        changed[stage] = changed.get(stage, 0) + difference
    return {stage: number for stage, number in changed.items() if number}


# --------------------------------------------------------------------------------------------------- reading


_NOTED = (
    ("projects", "changed_projects", "id"),
    ("uploads", "changed_uploads", "id"),
    ("sources", "changed_uploads", "upload"),
    ("tallies", "changed_uploads", "upload"),
    ("tallies", "changed_stages", "stage"),
)
"""A table, where its changes are noted, and the column whose value is noted."""


def read_summary(connection: sqlite3.Connection) -> Summary:
    """The summary of everything, for a connection that has just been opened."""
    projects = {row["id"]: ProjectRecord.of(row) for row in connection.execute("SELECT * FROM projects ORDER BY id")}
    uploads = {upload.id: upload for upload in all_uploads(connection)}
    tallies: dict[int, dict[FileStage, Tally]] = {number: {} for number in uploads}
    for upload, stage, files, size in connection.execute(
        "SELECT upload, stage, files, bytes FROM tallies WHERE files > 0"
    ):
        tallies[upload][word(FileStage, stage)] = Tally(files, size)
    return Summary.of(projects, uploads, tallies)


def note_changes(connection: sqlite3.Connection) -> None:
    """From now on the connection notes what it changes, for `committed`."""
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
    """The changes of this transaction, which is about to be committed. The notes about them are deleted."""
    projects: list[int] = _taken(connection, "changed_projects")
    uploads: list[int] = _taken(connection, "changed_uploads")
    stages = frozenset(word(FileStage, stage) for stage in _taken(connection, "changed_stages"))
    after = _brought_up_to_date(connection, before, projects, uploads) if projects or uploads else before
    return Commit(before, after, frozenset(projects), frozenset(uploads), stages)


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
        project = upload or before.upload(number)
        if project is not None:
            of_project = of_projects.get(project.project, NO_UPLOADS)
            kept = [other for other in of_project.uploads if other != number] + ([] if upload is None else [number])
            files = _changed(of_project.files, before.tallies.get(number, {}), tally)
            _put(of_projects, project.project, OfProject(tuple(sorted(kept)), files) if kept else None)
        _put(tallies, number, tally if upload is not None else None)
    return Summary(projects, dict(sorted(uploads.items())), past, tallies, of_projects)


def _taken(connection: sqlite3.Connection, noted: str) -> list[Any]:
    values = [value for (value,) in connection.execute(f"SELECT value FROM temp.{noted} ORDER BY value")]
    if values:
        connection.execute(f"DELETE FROM temp.{noted}")
    return values


def _put(rows: dict[int, Row], number: int, row: Row | None) -> None:
    if row is None:
        rows.pop(number, None)
    else:
        rows[number] = row

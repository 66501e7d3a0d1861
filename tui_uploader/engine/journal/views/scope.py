"""The files that a front end asks for: those of one upload, or of all uploads of its project."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tui_uploader.engine.journal.columns import word
from tui_uploader.engine.journal.tables import retention, uploads
from tui_uploader.model.projects import ProjectKind


@dataclass(frozen=True, slots=True)
class FileScope:
    """SQL that selects the files, as rows `f`."""

    source: str
    """A table in the columns of `FileRecord.of`."""
    upload: int
    project: int
    whole_project: bool
    kind: ProjectKind

    @property
    def condition(self) -> str:
        return "f.project = :project" if self.whole_project else "f.upload = :upload"

    @property
    def of_project(self) -> str:
        """The same condition, for which SQLite uses an index by project."""
        return "f.project = :project" if self.whole_project else "f.project = :project AND +f.upload = :upload"

    @property
    def tallies(self) -> str:
        """SQL condition for `tallies`."""
        if self.whole_project:
            return "upload IN (SELECT id FROM uploads WHERE project = :project)"
        return "upload = :upload"

    @property
    def values(self) -> dict[str, object]:
        """Values of the conditions."""
        return {"upload": self.upload, "project": self.project}


def scope(connection: sqlite3.Connection, upload_id: int, *, whole_project: bool = False) -> FileScope:
    """Raises NoSuchUpload."""
    upload = uploads.upload(connection, upload_id)
    row = connection.execute(
        "SELECT kind, EXISTS (SELECT 1 FROM uploads WHERE project = p.id AND condensed) AS condensed"
        " FROM projects p WHERE id = ?",
        (upload.project,),
    ).fetchone()
    source = retention.all_files(condensed=bool(row["condensed"]) if whole_project else upload.condensed)
    return FileScope(source, upload_id, upload.project, whole_project, word(ProjectKind, row["kind"]))

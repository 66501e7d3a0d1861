"""What the engine knows without looking at single files: one small value, read anew after every commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from tui_uploader.engine.journal.failures import word
from tui_uploader.model import FileStage, ProcessingState, ProjectKind, UploadState

_ROWS_KEPT = 2048


@dataclass(frozen=True, slots=True)
class ProjectRow:
    id: int
    account: str
    remote_id: str | None
    name: str
    kind: ProjectKind
    made_here: bool
    make_asked_at: float | None
    make_before: str
    web_address: str | None
    processing: ProcessingState
    word: str | None
    waiting_seconds: float | None
    processing_seconds: float | None
    reason: str | None
    start_asked_at: float | None
    start_word: str | None
    start_images: int | None
    started_at: float | None

    @classmethod
    def of(cls, row: sqlite3.Row) -> ProjectRow:
        values = dict(row)
        values["kind"] = word(ProjectKind, values["kind"])
        values["made_here"] = bool(values["made_here"])
        values["processing"] = word(ProcessingState, values["processing"])
        return cls(**values)

    @property
    def start_in_doubt(self) -> bool:
        """Processing was asked for, and whether the service heard it was never learned."""
        return self.start_asked_at is not None and self.started_at is None


@dataclass(frozen=True, slots=True)
class UploadRow:
    id: int
    project: int
    state: UploadState
    auto_process: bool
    added_at: float
    active_seconds: float
    dismissed: bool
    notice_kind: str | None
    notice: str | None
    skipped: int
    unscanned: int
    """Paths that have not been walked to the end."""
    failed_walks: int = 0
    """Those of them whose last walk failed."""
    walk_error: str | None = None
    """Kind of the failure of the first of these."""
    walk_reason: str | None = None
    """What the user reads of it."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> UploadRow:
        values = dict(row)
        values["state"] = word(UploadState, values["state"])
        values["auto_process"] = bool(values["auto_process"])
        values["dismissed"] = bool(values["dismissed"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Tally:
    files: int = 0
    bytes: int = 0


NOTHING = Tally()


UNDER_WAY = (FileStage.FOUND, FileStage.READY, FileStage.SENDING, FileStage.STORED)
"""To be uploaded, and neither there yet nor given up."""
UNFINISHED = (*UNDER_WAY, FileStage.FAILED)
"""Not uploaded, and neither a duplicate nor removed: an upload with such files is not complete."""


@dataclass(frozen=True, slots=True)
class Summary:
    projects: Mapping[int, ProjectRow]
    uploads: Mapping[int, UploadRow]
    """In the order in which they were made."""
    tallies: Mapping[int, Mapping[FileStage, Tally]]

    def files(self, upload: int, *stages: FileStage) -> int:
        of_upload = self.tallies.get(upload, {})
        return sum(of_upload.get(stage, NOTHING).files for stage in stages)

    def bytes(self, upload: int, *stages: FileStage) -> int:
        of_upload = self.tallies.get(upload, {})
        return sum(of_upload.get(stage, NOTHING).bytes for stage in stages)

    def busy(self, upload: int) -> bool:
        """It runs, and has something to walk, check, send or register."""
        row = self.uploads[upload]
        if row.state not in (UploadState.PREPARING, UploadState.ACTIVE):
            return False
        return bool(row.unscanned or self.files(upload, *UNDER_WAY))

    def uploads_of(self, project: int) -> tuple[UploadRow, ...]:
        return tuple(upload for upload in self.uploads.values() if upload.project == project)

    def project_files(self, project: int, *stages: FileStage) -> int:
        return sum(self.files(upload.id, *stages) for upload in self.uploads_of(project))


# A commit changes few rows, and those that stayed need not be made anew.
_project = lru_cache(maxsize=_ROWS_KEPT)(ProjectRow.of)
_upload = lru_cache(maxsize=_ROWS_KEPT)(UploadRow.of)
_tally = lru_cache(maxsize=_ROWS_KEPT)(Tally)


# Where MIN finds the first failure, SQLite takes the other columns from the same row.
_WALKS = """
    SELECT upload, COUNT(*) AS unscanned, COUNT(error) AS failed_walks,
           MIN(CASE WHEN error IS NOT NULL THEN id END), error AS walk_error, reason AS walk_reason
      FROM sources WHERE NOT scanned GROUP BY upload
"""


def read_summary(connection: sqlite3.Connection) -> Summary:
    projects = {row["id"]: _project(row) for row in connection.execute("SELECT * FROM projects ORDER BY id")}
    uploads = {
        row["id"]: _upload(row)
        for row in connection.execute(
            "SELECT u.*, COALESCE(s.unscanned, 0) AS unscanned, COALESCE(s.failed_walks, 0) AS failed_walks,"
            f" s.walk_error, s.walk_reason FROM uploads u LEFT JOIN ({_WALKS}) s ON s.upload = u.id ORDER BY u.id"
        )
    }
    tallies: dict[int, dict[FileStage, Tally]] = {upload: {} for upload in uploads}
    for upload, stage, files, size in connection.execute(
        "SELECT upload, stage, files, bytes FROM tallies WHERE files > 0"
    ):
        tallies[upload][word(FileStage, stage)] = _tally(files, size)
    return Summary(MappingProxyType(projects), MappingProxyType(uploads), MappingProxyType(tallies))

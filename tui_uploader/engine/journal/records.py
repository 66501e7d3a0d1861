"""Rows of the journal as immutable values, and the SQL that reads uploads with their walks and tallies."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tui_uploader.engine.journal.columns import candidate_in, word
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.files import Proof
from tui_uploader.model.projects import Processing, ProcessingState, ProjectKind
from tui_uploader.model.results import ResultType
from tui_uploader.model.states import FileStage, UploadState

UNDER_WAY = (FileStage.FOUND, FileStage.READY, FileStage.SENDING, FileStage.STORED)
"""Still to be uploaded, without failed files."""
UNFINISHED = (*UNDER_WAY, FileStage.FAILED)
"""Not uploaded, and neither duplicate nor removed: an upload with such files is not complete."""


@dataclass(frozen=True, slots=True)
class ProjectRecord:
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
    ended_at: float | None = None
    processed_images: int | None = None
    cloud_images: int | None = None

    @classmethod
    def of(cls, row: sqlite3.Row) -> ProjectRecord:
        values = dict(row)
        values["kind"] = word(ProjectKind, values["kind"])
        values["made_here"] = bool(values["made_here"])
        values["processing"] = word(ProcessingState, values["processing"])
        return cls(**values)

    @property
    def start_in_doubt(self) -> bool:
        """Whether the start of processing was requested, and its answer is unknown."""
        return self.start_asked_at is not None and self.started_at is None

    @property
    def was_processed(self) -> bool:
        """Whether processing was requested before, from here or elsewhere, or may have been."""
        return self.processing is not ProcessingState.NOT_STARTED or self.start_in_doubt


def processing_of(project: ProjectRecord) -> Processing:
    return Processing(
        state=project.processing,
        word=project.word,
        waiting_seconds=project.waiting_seconds,
        processing_seconds=project.processing_seconds,
        submitted_at=project.started_at,
        reason=project.reason,
        ended_at=project.ended_at,
        images=project.processed_images,
    )


@dataclass(frozen=True, slots=True)
class UploadRecord:
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
    """Number of paths whose walk is not complete."""
    failed_walks: int = 0
    """Number of those whose last walk failed."""
    walk_error: str | None = None
    """Kind of the first of these failures."""
    walk_reason: str | None = None
    """Its message for the user."""
    dismissed_at: float | None = None
    condensed: bool = False
    """Whether only the record of delivered files is kept, or will be (see `tables.retention`)."""
    ended_at: float | None = None
    watch: int | None = None
    """The watch that fills it."""
    receipt: str | None = None
    """Path of the receipt that is written when it is completed."""
    receipt_at: float | None = None
    """When that was written last; None: it is about to be written, or there is none."""
    receipt_copied: float | None = None
    """When it was last copied to where the user wants copies."""

    @property
    def past(self) -> bool:
        """Whether it is dismissed and has ended, so that no work is left for it."""
        return self.dismissed and self.state.ended

    @classmethod
    def of(cls, row: sqlite3.Row) -> UploadRecord:
        values = dict(row)
        values["state"] = word(UploadState, values["state"])
        values["auto_process"] = bool(values["auto_process"])
        values["dismissed"] = bool(values["dismissed"])
        values["condensed"] = bool(values["condensed"])
        values["receipt"] = None if values["receipt"] is None else os.fsdecode(values["receipt"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class FileRecord:
    id: int
    upload: int
    project: int
    path: str
    size: int
    mtime_ns: int
    inode: int
    stage: FileStage
    identity: str | None
    crc32: int | None
    object: str | None
    duplicate_of: int | None
    error: str | None
    reason: str | None
    etag: str | None
    multipart: str | None
    part_size: int | None
    register_asked: bool
    accepted: bool = False
    ctime_ns: int | None = None
    mount: str = ""
    proof: Proof | None = None
    """How the storage proved the object; None: no object, or stored by a version that did not keep the proof."""
    real: str = ""
    """See `Candidate.real`."""
    uploaded_at: float | None = None
    stored_at: float | None = None
    result_type: ResultType | None = None
    """Of a result, and of its companions; None: an image."""
    belongs_to: int | None = None
    """The file of the same upload that it is a companion of."""
    replaces: str | None = None
    """Name of the project's result whose place it takes, as the user agreed."""
    crs: str | None = None
    """The coordinate reference system of a result: a `CoordinateSystem` as JSON."""
    replaced_at: float | None = None
    """When another result took its place: the project no longer has it."""

    @property
    def candidate(self) -> Candidate:
        """The file as it was when it was found, or later when it was checked."""
        return Candidate(self.path, self.size, self.mtime_ns, self.inode, self.ctime_ns, self.mount, self.real)

    @classmethod
    def of(cls, row: sqlite3.Row) -> FileRecord:
        candidate = candidate_in(row)
        return cls(
            id=row["id"],
            upload=row["upload"],
            project=row["project"],
            path=candidate.path,
            size=candidate.size,
            mtime_ns=candidate.mtime_ns,
            inode=candidate.inode,
            stage=word(FileStage, row["stage"]),
            identity=row["identity"],
            crc32=row["crc32"],
            object=row["object"],
            duplicate_of=row["duplicate_of"],
            error=row["error"],
            reason=row["reason"],
            etag=row["etag"],
            multipart=row["multipart"],
            part_size=row["part_size"],
            register_asked=bool(row["register_asked"]),
            accepted=bool(row["accepted"]),
            ctime_ns=candidate.ctime_ns,
            mount=candidate.mount,
            proof=word(Proof, row["proof"]) if row["proof"] is not None else None,
            real="" if row["real"] is None else os.fsdecode(row["real"]),
            uploaded_at=row["uploaded_at"],
            stored_at=row["stored_at"],
            result_type=word(ResultType, row["result_type"]) if row["result_type"] is not None else None,
            belongs_to=row["belongs_to"],
            replaces=row["replaces"],
            crs=row["crs"],
            replaced_at=row["replaced_at"],
        )


@dataclass(frozen=True, slots=True)
class Tally:
    files: int = 0
    bytes: int = 0


NOTHING = Tally()


# In an aggregate with MIN, SQLite takes the bare columns from the row of the minimum: the first failure.
_UPLOADS = """
    SELECT u.*, COALESCE(s.unscanned, 0) AS unscanned, COALESCE(s.failed_walks, 0) AS failed_walks,
           s.walk_error, s.walk_reason
      FROM uploads u LEFT JOIN (
           SELECT upload, COUNT(*) AS unscanned, COUNT(error) AS failed_walks,
                  MIN(CASE WHEN error IS NOT NULL THEN id END), error AS walk_error, reason AS walk_reason
             FROM sources WHERE NOT scanned {condition} GROUP BY upload
           ) s ON s.upload = u.id
"""
_ALL_UPLOADS = _UPLOADS.format(condition="") + " ORDER BY u.id"
_ONE_UPLOAD = _UPLOADS.format(condition="AND upload = :upload") + " WHERE u.id = :upload"

_UPLOADS_OF_PROJECT = (
    _UPLOADS.format(condition="AND upload IN (SELECT id FROM uploads WHERE project = :project)")
    + " WHERE u.project = :project ORDER BY u.id"
)


def all_uploads(connection: sqlite3.Connection) -> Iterator[UploadRecord]:
    """Read all uploads in the order in which they were created."""
    return map(UploadRecord.of, connection.execute(_ALL_UPLOADS))


def one_upload(connection: sqlite3.Connection, upload: int) -> UploadRecord | None:
    row = connection.execute(_ONE_UPLOAD, {"upload": upload}).fetchone()
    return None if row is None else UploadRecord.of(row)


def uploads_of(connection: sqlite3.Connection, project: int) -> Iterator[UploadRecord]:
    """Read all uploads of a project in the order in which they were created."""
    return map(UploadRecord.of, connection.execute(_UPLOADS_OF_PROJECT, {"project": project}))


def tally_of(connection: sqlite3.Connection, upload: int) -> Mapping[FileStage, Tally]:
    """Return the files and bytes of an upload by stage, without empty stages."""
    rows = connection.execute("SELECT stage, files, bytes FROM tallies WHERE upload = ? AND files > 0", (upload,))
    return {word(FileStage, stage): Tally(files, size) for stage, files, size in rows}

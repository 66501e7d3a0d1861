"""Values that front ends show, computed from the journal's summary and the progress of transfers: pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tui_uploader.engine.journal.records import FileRecord, ProjectRecord, UploadRecord, processing_of
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.journal.views.windows import ImageFacts
from tui_uploader.engine.status.file_holds import FileHold
from tui_uploader.engine.status.holds import FREE, Held
from tui_uploader.errors import SourceDamaged, UploaderError
from tui_uploader.model.engine import AccountLink, Link, LinkState
from tui_uploader.model.files import FileItem
from tui_uploader.model.projects import Project
from tui_uploader.model.states import FileStage, FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, Notice, UploadStatus

_TO_UPLOAD = (
    FileStage.FOUND,
    FileStage.READY,
    FileStage.SENDING,
    FileStage.STORED,
    FileStage.REGISTERED,
    FileStage.FAILED,
)


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """Progress of an upload that is not in the journal yet."""

    sent: int = 0
    """Bytes sent of files that are not complete yet."""
    rate: float = 0.0
    """Bytes a second."""
    eta: EtaRange | None = None
    active_seconds: float = 0.0
    moving: int = 0
    """Files that streams carry."""


_STAGES_OF_STATUS = {status: tuple(stage for stage in FileStage if stage.status is status) for status in FileStatus}


def counts_of(summary: Summary, upload: int) -> Counts:
    by_status = {status: summary.files(upload, *stages) for status, stages in _STAGES_OF_STATUS.items()}
    return Counts(
        uploaded=by_status[FileStatus.UPLOADED],
        uploading=by_status[FileStatus.UPLOADING],
        waiting=by_status[FileStatus.WAITING],
        duplicate=by_status[FileStatus.DUPLICATE],
        failed=by_status[FileStatus.FAILED],
    )


def byte_counts_of(summary: Summary, upload: int, sent_of_unfinished: int) -> ByteCounts:
    total = summary.bytes(upload, *_TO_UPLOAD)
    stored = summary.bytes(upload, FileStage.STORED, FileStage.REGISTERED)
    return ByteCounts(
        total=total,
        # The journal and the progress are read a moment apart: a file that has just been stored may be in both.
        sent=min(total, stored + sent_of_unfinished),
        stored=stored,
        registered=summary.bytes(upload, FileStage.REGISTERED),
    )


def bytes_left(summary: Summary, upload: int, sent_of_unfinished: int) -> int:
    """Bytes that are still to be sent without the user's help: those of failed files are not."""
    queued = summary.bytes(upload, FileStage.FOUND, FileStage.READY, FileStage.SENDING)
    return max(0, queued - sent_of_unfinished)


def upload_status(
    summary: Summary,
    upload: UploadRecord,
    project: ProjectRecord,
    progress: UploadProgress,
    notice: Notice | None,
    held: Held = FREE,
    starts_at: float | None = None,
) -> UploadStatus:
    """`starts_at`: when processing of the project starts automatically."""
    byte_counts = byte_counts_of(summary, upload.id, progress.sent)
    return UploadStatus(
        upload=upload.id,
        project=project.remote_id,
        project_name=project.name,
        state=upload.state,
        counts=counts_of(summary, upload.id),
        bytes=byte_counts,
        skipped=upload.skipped,
        rate=round(progress.rate),
        eta=progress.eta,
        seconds=round(upload.active_seconds + progress.active_seconds, 1),
        auto_process=upload.auto_process,
        processing=processing_of(project),
        notice=notice,
        dismissed=upload.dismissed,
        account=project.account,
        kind=project.kind,
        added_at=upload.added_at,
        ended_at=upload.ended_at,
        moving=progress.moving,
        registering=summary.files(upload.id, FileStage.STORED),
        hold=held.hold,
        behind=_project_of(summary, held.behind),
        process_at=None if upload.state is UploadState.CANCELLED else starts_at,
        watch=upload.watch,
        receipt=None if upload.receipt_at is None else upload.receipt,
    )


def _project_of(summary: Summary, upload: int | None) -> str | None:
    """The name of the upload's project."""
    found = None if upload is None else summary.upload(upload)
    return None if found is None else summary.projects[found.project].name


def project_value(summary: Summary, project: ProjectRecord) -> Project:
    return Project(
        id=project.remote_id,
        name=project.name,
        kind=project.kind,
        account=project.account,
        processing=processing_of(project),
        uploads=tuple(upload.id for upload in summary.uploads_of(project.id)),
        images=summary.project_files(project.id, FileStage.REGISTERED),
        web_address=project.web_address,
        images_in_cloud=project.cloud_images,
    )


def file_item(
    row: FileRecord,
    facts: ImageFacts,
    held: FileHold,
    originals: Mapping[int, str],
    sent_of_unfinished: Mapping[int, int],
) -> FileItem:
    """`originals`: the paths of files that others are duplicates of or belong to; `sent_of_unfinished`: bytes; both by
    file."""
    status = row.stage.status
    assert status is not None, "removed files are in no window"
    duplicate_of = originals.get(row.duplicate_of) if row.duplicate_of is not None else None
    complete = row.stage in (FileStage.STORED, FileStage.REGISTERED)
    return FileItem(
        id=row.id,
        path=row.path,
        name=row.path.rsplit("/", 1)[-1],
        object=row.object,
        size=row.size,
        status=status,
        reason=f"copy of {seen_from(row.path, duplicate_of)}" if duplicate_of else held.reason,
        duplicate_of=duplicate_of,
        sent=row.size if complete else min(row.size, sent_of_unfinished.get(row.id, 0)),
        verified=row.proof if complete else None,
        upload=row.upload,
        hold=held.hold,
        damaged=row.stage is FileStage.FAILED and row.error == SourceDamaged.__name__,
        taken_at=facts.taken_at,
        located=facts.located,
        camera=facts.camera,
        height=facts.height,
        uploaded_at=row.uploaded_at if row.stage is FileStage.REGISTERED else None,
        result=row.result_type,
        belongs_to=None if row.belongs_to is None else originals.get(row.belongs_to),
        replaced=row.stage is FileStage.REGISTERED and row.replaced_at is not None,
    )


def seen_from(path: str, other: str) -> str:
    """Return the absolute path `other` without the folders that it shares with `path`."""
    shared = os.path.commonpath((path, other))
    return other.rsplit("/", 1)[-1] if shared == other else other.removeprefix(shared).removeprefix("/")


def account_link(account: str, link: Link, problem: UploaderError | None) -> AccountLink:
    notice = None if problem is None else Notice(problem.kind, str(problem), needs_person=True)
    return AccountLink(account, link, notice)


def worst_link(links: list[Link]) -> Link:
    """The link to show where there is space for one: down before up before unknown."""
    order = (LinkState.DOWN, LinkState.UP, LinkState.UNKNOWN)
    return min(links, key=lambda link: order.index(link.state), default=Link())

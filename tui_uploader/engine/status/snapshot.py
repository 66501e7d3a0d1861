"""From what the journal and the memory know to what front ends show: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

import msgspec

from tui_uploader.engine.journal.records import UNDER_WAY, FileRecord, ProjectRecord, UploadRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.scheduling.worker_failures import UPLOADING_WORKERS, WorkerKey
from tui_uploader.engine.sources.unfinished import DeferredFile
from tui_uploader.errors import NotSignedIn, SourceChanged, SourceUnreadable, UploaderError
from tui_uploader.model import (
    Counts,
    EtaRange,
    FileItem,
    FileStage,
    FileStatus,
    Link,
    LinkState,
    Notice,
    Processing,
    ProcessingState,
    Project,
    UploadState,
    UploadStatus,
    Volume,
)
from tui_uploader.text import counted, printable

_TO_UPLOAD = (
    FileStage.FOUND,
    FileStage.READY,
    FileStage.SENDING,
    FileStage.STORED,
    FileStage.REGISTERED,
    FileStage.FAILED,
)


@dataclass(frozen=True, slots=True)
class Way:
    """How things stand between this machine and the account of a project."""

    signed_in: bool
    link: Link
    problem: UploaderError | None
    account: str
    closed: Notice | None = None
    """Why the user's own bandwidth settings let nothing out."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What moves of an upload right now."""

    sent: int = 0
    """Bytes of files that are not whole yet."""
    rate: float = 0.0
    eta: Callable[[int], EtaRange | None] = lambda left: None
    active_seconds: float = 0.0


def counts_of(summary: Summary, upload: int) -> Counts:
    by_status = {
        status: summary.files(upload, *(stage for stage in FileStage if stage.status is status))
        for status in FileStatus
    }
    return Counts(
        uploaded=by_status[FileStatus.UPLOADED],
        uploading=by_status[FileStatus.UPLOADING],
        waiting=by_status[FileStatus.WAITING],
        duplicate=by_status[FileStatus.DUPLICATE],
        failed=by_status[FileStatus.FAILED],
    )


def volume_of(summary: Summary, upload: int, sent_of_unfinished: int) -> Volume:
    total = summary.bytes(upload, *_TO_UPLOAD)
    stored = summary.bytes(upload, FileStage.STORED, FileStage.REGISTERED)
    return Volume(
        total=total,
        # The journal and the memory are read a moment apart: a file that just got whole may be in both.
        sent=min(total, stored + sent_of_unfinished),
        stored=stored,
        registered=summary.bytes(upload, FileStage.REGISTERED),
    )


def processing_of(project: ProjectRecord) -> Processing:
    return Processing(
        state=project.processing,
        word=project.word,
        waiting_seconds=project.waiting_seconds,
        processing_seconds=project.processing_seconds,
        submitted_at=project.started_at,
        reason=project.reason,
    )


def fault_of(
    faults: Mapping[WorkerKey, UploaderError], upload: UploadRecord, project: ProjectRecord
) -> UploaderError | None:
    """What keeps the engine's workers from doing what is left to do for the upload."""
    ended = upload.state in (UploadState.COMPLETE, UploadState.CANCELLED)
    followed = upload.auto_process or project.processing is not ProcessingState.NOT_STARTED
    to_process = upload.state is UploadState.COMPLETE and followed and not project.processing.ended
    for worker, fault in faults.items():
        needed = to_process if worker.name == "process" else not ended and worker.name in UPLOADING_WORKERS
        if needed and worker.project in (None, project.id):
            return fault
    return None


def notice_of(upload: UploadRecord, way: Way, fault: UploaderError | None, *, moving: bool = False) -> Notice | None:
    """The one thing that the user should know first. `moving`: files of the upload are on their way."""
    if fault is not None:
        return Notice(fault.kind, str(fault), needs_person=True)
    ended = upload.state in (UploadState.COMPLETE, UploadState.CANCELLED)
    if not ended and way.problem is not None:
        return Notice(way.problem.kind, str(way.problem), needs_person=True)
    if not ended and not way.signed_in:
        message = f"Nobody is signed in as {way.account}. Run `tui-uploader login`; the upload then goes on by itself."
        return Notice(NotSignedIn.__name__, message, needs_person=True)
    paused = upload.state is UploadState.PAUSED
    if not ended and not paused and way.closed is not None:
        return way.closed
    if not ended and upload.walk_error is not None and not (paused and upload.notice is not None):
        return _notice_of_walks(upload, moving)
    if upload.notice is not None:
        held_back = upload.notice_kind == SourceChanged.__name__  # see `uploads.hold_start`
        return Notice(upload.notice_kind or "", upload.notice, needs_person=paused or held_back)
    return None


def resting_notice(rests: Sequence[DeferredFile]) -> Notice:
    """Of files that are looked at again before they are read."""
    name = printable(PurePath(rests[0].path).name)
    others = f" and {counted(len(rests) - 1, 'other file')}" if len(rests) > 1 else ""
    verb = "are" if others else "is"
    message = f"{name}{others} may not be finished ({rests[0].reason}), and {verb} looked at again before the upload."
    return Notice(SourceChanged.__name__, message, needs_person=False)


def silent_disk_notice(point: str) -> Notice:
    """`point`: where the memory card or disk is mounted."""
    message = (
        f"The memory card or disk at {printable(point)} does not answer. Its files wait until it does; "
        "other files go on. If it stays silent, take it out and put it in again."
    )
    return Notice(SourceUnreadable.__name__, message, needs_person=False)


def _notice_of_walks(upload: UploadRecord, moving: bool) -> Notice:
    """A path that could not be walked to its end holds only itself up, until all the others are through."""
    more = upload.failed_walks - 1
    others = f" The same holds for {counted(more, 'other path')} of this upload." if more else ""
    moves = upload.state is not UploadState.PAUSED and (moving or upload.failed_walks < upload.unscanned)
    return Notice(upload.walk_error or "", f"{upload.walk_reason}{others}", needs_person=not moves)


def upload_status(
    summary: Summary,
    upload: UploadRecord,
    project: ProjectRecord,
    way: Way,
    motion: Motion,
    fault: UploaderError | None,
) -> UploadStatus:
    volume = volume_of(summary, upload.id, motion.sent)
    return UploadStatus(
        upload=upload.id,
        project=project.remote_id,
        project_name=project.name,
        state=upload.state,
        counts=counts_of(summary, upload.id),
        bytes=volume,
        skipped=upload.skipped,
        rate=round(motion.rate),
        eta=motion.eta(volume.total - volume.sent) if summary.busy(upload.id) else None,
        seconds=round(upload.active_seconds + motion.active_seconds, 1),
        auto_process=upload.auto_process,
        processing=processing_of(project),
        notice=notice_of(upload, way, fault, moving=bool(summary.files(upload.id, *UNDER_WAY))),
        dismissed=upload.dismissed,
    )


def with_hindrance(status: UploadStatus, hindrance: Notice | None) -> UploadStatus:
    """The status with what keeps files of the upload from being sent or registered, unless it tells of worse."""
    told = status.notice
    if hindrance is None or (told is not None and (told.needs_person or not hindrance.needs_person)):
        return status
    return msgspec.structs.replace(status, notice=hindrance)


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
    )


def waiting_reason(row: FileRecord, upload: UploadRecord, way: Way, rest: tuple[float, str] | None) -> str | None:
    """Why the file does not move; None if it does, or has arrived. `rest`: seconds left, and what came before."""
    if row.stage is FileStage.SENDING:
        return None
    if row.stage is FileStage.STORED:
        return "stored; being registered"
    if row.stage not in (FileStage.FOUND, FileStage.READY):
        return row.reason
    if upload.state is UploadState.PAUSED:
        return "paused"
    if upload.state is UploadState.CANCELLED:
        return "cancelled"
    if row.stage is FileStage.FOUND:
        return f"{rest[1]}; looked at again in {rest[0]:.0f} s" if rest else "to be checked"
    if not way.signed_in or way.problem is not None:
        return "signing in"
    if way.closed is not None:
        return way.closed.message
    if way.link.state is LinkState.DOWN:
        return _link_down(way.link)
    if rest is not None:
        return f"again in {rest[0]:.0f} s: {rest[1]}"
    return "queued"


def _link_down(link: Link) -> str:
    if link.next_try is None:
        return "link down"
    return f"link down, next try {datetime.fromtimestamp(link.next_try):%H:%M:%S}"


def file_item(
    row: FileRecord, reason: str | None, originals: Mapping[int, str], sent_of_unfinished: Mapping[int, int]
) -> FileItem:
    status = row.stage.status
    assert status is not None, "removed files are in no window"
    duplicate_of = originals.get(row.duplicate_of) if row.duplicate_of is not None else None
    whole = row.stage in (FileStage.STORED, FileStage.REGISTERED)
    return FileItem(
        id=row.id,
        path=row.path,
        name=row.path.rsplit("/", 1)[-1],
        object=row.object,
        size=row.size,
        status=status,
        reason=f"same content as {duplicate_of.rsplit('/', 1)[-1]}" if duplicate_of else reason,
        duplicate_of=duplicate_of,
        sent=row.size if whole else min(row.size, sent_of_unfinished.get(row.id, 0)),
        verified=row.proof if whole else None,
    )


def overall_link(links: list[Link]) -> Link:
    """The worst of all, for the one line that a front end has for it."""
    order = (LinkState.DOWN, LinkState.UP, LinkState.UNKNOWN)
    return min(links, key=lambda link: order.index(link.state), default=Link())

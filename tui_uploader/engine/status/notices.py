"""The one notice that a user should read about an upload, and why a single file waits: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from tui_uploader.engine.journal.records import UNDER_WAY, ProjectRecord, UploadRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.scheduling.worker_failures import UPLOADING_WORKERS, WorkerKey
from tui_uploader.engine.sources.unfinished import DeferredFile
from tui_uploader.errors import NotSignedIn, SourceChanged, SourceUnreadable, UploaderError
from tui_uploader.model.engine import Link
from tui_uploader.model.files import Hold
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Notice
from tui_uploader.text import counted, printable


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account of a project, its link, and the permission to send."""

    account: str
    signed_in: bool = False
    link: Link = field(default_factory=Link)
    problem: UploaderError | None = None
    """Needs a person."""
    closed: Notice | None = None
    """The bandwidth setting by which nothing may be sent now."""
    closed_by: Hold = Hold.LIMIT
    """The same in one word."""


@dataclass(frozen=True, slots=True)
class Hindrances:
    """Everything that may keep the files of one upload from moving, apart from its account."""

    fault: UploaderError | None = None
    """A worker of the engine fails."""
    storage: Notice | None = None
    """The storage refuses the files of the project."""
    registration: Notice | None = None
    """The service does not register the stored files of the project."""
    deferred: Sequence[DeferredFile] = ()
    """Files that may still be written by another program."""
    silent_disk: str | None = None
    """Mount point of a memory card or disk that does not respond."""
    postponed: int = 0
    """Files that wait for another attempt after a failed one."""


def notice_of(summary: Summary, upload: UploadRecord, account: AccountState, hindrances: Hindrances) -> Notice | None:
    """The most important notice. One that needs a person comes before one that passes without help."""
    busy = summary.busy(upload.id)
    notice = _own_notice(upload, account, hindrances.fault, moving=bool(summary.files(upload.id, *UNDER_WAY)))
    if busy:
        notice = _more_important(notice, hindrances.storage)
    if summary.files(upload.id, FileStage.STORED):
        notice = _more_important(notice, hindrances.registration)
    if notice is not None:
        return notice
    running = upload.state in (UploadState.PREPARING, UploadState.ACTIVE)
    if hindrances.deferred and running and summary.files(upload.id, FileStage.FOUND):
        return _deferred_notice(hindrances.deferred)
    if hindrances.silent_disk is not None and busy:
        return _silent_disk_notice(hindrances.silent_disk)
    return None


def fault_of(
    faults: Mapping[WorkerKey, UploaderError], upload: UploadRecord, project: ProjectRecord
) -> UploaderError | None:
    """The failure of a worker that the upload still needs."""
    followed = upload.auto_process or project.processing is not ProcessingState.NOT_STARTED
    to_process = upload.state is UploadState.COMPLETE and followed and not project.processing.ended
    for worker, fault in faults.items():
        to_upload = not upload.state.ended and worker.name in UPLOADING_WORKERS
        needed = to_process if worker.name == "process" else to_upload
        if needed and worker.project in (None, project.id):
            return fault
    return None


def _own_notice(
    upload: UploadRecord, account: AccountState, fault: UploaderError | None, *, moving: bool
) -> Notice | None:
    """`moving`: some files of the upload are on their way."""
    if fault is not None:
        return Notice(fault.kind, str(fault), needs_person=True)
    paused = upload.state is UploadState.PAUSED
    if not upload.state.ended:
        if account.problem is not None:
            return Notice(account.problem.kind, str(account.problem), needs_person=True)
        if not account.signed_in:
            message = f"Not signed in as {account.account}. Run `tui-uploader login`; the upload then continues."
            return Notice(NotSignedIn.__name__, message, needs_person=True)
        if account.closed is not None and not paused:
            return account.closed
        if upload.walk_error is not None and not (paused and upload.notice is not None):
            return _failed_walks_notice(upload, moving)
    if upload.notice is not None:
        held_back = upload.notice_kind == SourceChanged.__name__  # see `uploads.hold_start`
        return Notice(upload.notice_kind or "", upload.notice, needs_person=paused or held_back)
    return None


def _failed_walks_notice(upload: UploadRecord, moving: bool) -> Notice:
    """A path that could not be walked to its end needs a person only when the upload has nothing else to do."""
    more = upload.failed_walks - 1
    others = f" The same is true of {counted(more, 'other path')} of this upload." if more else ""
    moves = upload.state is not UploadState.PAUSED and (moving or upload.failed_walks < upload.unscanned)
    return Notice(upload.walk_error or "", f"{upload.walk_reason}{others}", needs_person=not moves)


def _more_important(notice: Notice | None, other: Notice | None) -> Notice | None:
    if other is None or (notice is not None and (notice.needs_person or not other.needs_person)):
        return notice
    return other


def _deferred_notice(deferred: Sequence[DeferredFile]) -> Notice:
    name, more = printable(PurePath(deferred[0].path).name), len(deferred) - 1
    files = f"{name} and {counted(more, 'other file')}" if more else name
    message = (
        f"{files} may still be written by another program ({deferred[0].reason}). "
        f"The engine checks {'them' if more else 'it'} again before the upload."
    )
    return Notice(SourceChanged.__name__, message, needs_person=False)


def _silent_disk_notice(point: str) -> Notice:
    message = (
        f"The memory card or disk at {printable(point)} does not respond. Its files wait until it does; "
        "other files are still sent. If it stays silent, take it out and put it back."
    )
    return Notice(SourceUnreadable.__name__, message, needs_person=False)

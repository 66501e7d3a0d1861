"""States of files and uploads, the events that change them, and all possible transitions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FileStatus(StrEnum):
    """The status of a file as shown to the user."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    DUPLICATE = "duplicate"
    FAILED = "failed"


BY_ATTENTION = (
    FileStatus.UPLOADED,
    FileStatus.WAITING,
    FileStatus.UPLOADING,
    FileStatus.DUPLICATE,
    FileStatus.FAILED,
)
"""By the attention that they need, the least first: of several files in one place, the last status is shown."""


class FileStage(StrEnum):
    """The status of a file in the journal, in more detail."""

    FOUND = "found"
    """On disk; not yet read."""
    READY = "ready"
    """Read, usable, and named: may be sent."""
    SENDING = "sending"
    STORED = "stored"
    """The object store confirmed it; the project does not know it yet."""
    REGISTERED = "registered"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    REMOVED = "removed"
    """Taken out of the queue by the user, who can undo that."""

    @property
    def status(self) -> FileStatus | None:
        """None for a removed file, which is not shown."""
        return _STATUS_OF_STAGE[self]


_STATUS_OF_STAGE: Mapping[FileStage, FileStatus | None] = {
    FileStage.FOUND: FileStatus.WAITING,
    FileStage.READY: FileStatus.WAITING,
    FileStage.SENDING: FileStatus.UPLOADING,
    FileStage.STORED: FileStatus.UPLOADING,
    FileStage.REGISTERED: FileStatus.UPLOADED,
    FileStage.DUPLICATE: FileStatus.DUPLICATE,
    FileStage.FAILED: FileStatus.FAILED,
    FileStage.REMOVED: None,
}


class FileEvent(StrEnum):
    """A change of a file's stage."""

    CHECKED = "checked"
    MATCHED = "matched"
    """Its content is already in the project."""
    PICKED = "picked"
    HELD = "held"
    """Sending stopped before the end: paused, offline, or to be retried."""
    STORED = "stored"
    REGISTERED = "registered"
    FAILED = "failed"
    CHANGED = "changed"
    """The file on disk is no longer the one that was read."""
    FREED = "freed"
    """The file that it duplicates will not be uploaded after all."""
    RETRY = "retry"
    RETRY_REGISTRATION = "retry_registration"
    REMOVE = "remove"
    RESTORE = "restore"


FILE_TRANSITIONS: Mapping[tuple[FileStage, FileEvent], FileStage] = {
    (FileStage.FOUND, FileEvent.CHECKED): FileStage.READY,
    (FileStage.FOUND, FileEvent.MATCHED): FileStage.DUPLICATE,
    (FileStage.FOUND, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.FOUND, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.FOUND, FileEvent.STORED): FileStage.STORED,
    (FileStage.FOUND, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.READY, FileEvent.PICKED): FileStage.SENDING,
    (FileStage.READY, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.READY, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.READY, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.SENDING, FileEvent.HELD): FileStage.READY,
    (FileStage.SENDING, FileEvent.STORED): FileStage.STORED,
    (FileStage.SENDING, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.SENDING, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.STORED, FileEvent.REGISTERED): FileStage.REGISTERED,
    (FileStage.STORED, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.STORED, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.DUPLICATE, FileEvent.FREED): FileStage.FOUND,
    (FileStage.DUPLICATE, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.DUPLICATE, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.FAILED, FileEvent.RETRY): FileStage.FOUND,
    (FileStage.FAILED, FileEvent.RETRY_REGISTRATION): FileStage.STORED,
    (FileStage.FAILED, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.FAILED, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.REMOVED, FileEvent.RESTORE): FileStage.FOUND,
    (FileStage.REMOVED, FileEvent.CHANGED): FileStage.FOUND,
}
"""All possible transitions."""


class UploadState(StrEnum):
    PREPARING = "preparing"
    """Folders are still being walked; files that were found are already sent."""
    ACTIVE = "active"
    """Files are waiting, being sent, or failed and can be retried."""
    PAUSED = "paused"
    COMPLETE = "complete"
    """Everything is uploaded and nothing failed."""
    CANCELLED = "cancelled"
    """Stopped by the user; uploaded files stay, the rest can be resumed."""

    @property
    def ended(self) -> bool:
        return self in (UploadState.COMPLETE, UploadState.CANCELLED)


class UploadEvent(StrEnum):
    ADDED = "added"
    SCANNED = "scanned"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISHED = "finished"
    REOPENED = "reopened"
    """A removed file was restored, or a file has to be checked again."""


UPLOAD_TRANSITIONS: Mapping[tuple[UploadState, UploadEvent], UploadState] = {
    (UploadState.PREPARING, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.PREPARING, UploadEvent.SCANNED): UploadState.ACTIVE,
    (UploadState.PREPARING, UploadEvent.PAUSE): UploadState.PAUSED,
    (UploadState.PREPARING, UploadEvent.CANCEL): UploadState.CANCELLED,
    (UploadState.PREPARING, UploadEvent.REOPENED): UploadState.PREPARING,
    (UploadState.ACTIVE, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.ACTIVE, UploadEvent.SCANNED): UploadState.ACTIVE,
    (UploadState.ACTIVE, UploadEvent.PAUSE): UploadState.PAUSED,
    (UploadState.ACTIVE, UploadEvent.CANCEL): UploadState.CANCELLED,
    (UploadState.ACTIVE, UploadEvent.FINISHED): UploadState.COMPLETE,
    (UploadState.ACTIVE, UploadEvent.REOPENED): UploadState.ACTIVE,
    (UploadState.PAUSED, UploadEvent.ADDED): UploadState.PAUSED,
    (UploadState.PAUSED, UploadEvent.SCANNED): UploadState.PAUSED,
    (UploadState.PAUSED, UploadEvent.RESUME): UploadState.ACTIVE,
    (UploadState.PAUSED, UploadEvent.CANCEL): UploadState.CANCELLED,
    (UploadState.PAUSED, UploadEvent.REOPENED): UploadState.PAUSED,
    (UploadState.COMPLETE, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.COMPLETE, UploadEvent.REOPENED): UploadState.ACTIVE,
    (UploadState.CANCELLED, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.CANCELLED, UploadEvent.SCANNED): UploadState.CANCELLED,
    (UploadState.CANCELLED, UploadEvent.RESUME): UploadState.ACTIVE,
    (UploadState.CANCELLED, UploadEvent.REOPENED): UploadState.CANCELLED,
}


class ImpossibleTransition(ValueError):
    """The event is not possible in this state: a command came too late, or the program has a bug."""


def next_stage(stage: FileStage, event: FileEvent) -> FileStage:
    """Raises `ImpossibleTransition`."""
    try:
        return FILE_TRANSITIONS[stage, event]
    except KeyError:
        raise ImpossibleTransition(f"a {stage} file cannot be {event}") from None


def next_state(state: UploadState, event: UploadEvent) -> UploadState:
    """Raises `ImpossibleTransition`."""
    try:
        return UPLOAD_TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleTransition(f"a {state} upload takes no {event}") from None

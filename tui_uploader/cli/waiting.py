"""When `upload --wait` ends, and with which exit code. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tui_uploader.errors import UsageError, revived
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus

DONE, SOME_FAILED = 0, 1

SUBMISSION_PATIENCE = 60.0
"""Seconds that a complete upload has to submit its processing: one round trip with a few retries."""

SECOND_SUBMISSION_PATIENCE = 3.0

_FIRST_LINE_AFTER, _LONGEST_SILENCE = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Ending:
    exit_code: int


def ending(status: UploadStatus, settled_for: float) -> Ending | None:
    """None while there is something to wait for. `settled_for`: seconds since the upload was first seen settled.

    Waiting ends when the upload is settled or blocked until the user acts. A complete upload that starts processing
    automatically gets some time to do so, because the user asked for that too.
    """
    if blocked := blocked_ending(status):
        return blocked
    if not status.settled:
        return None
    if not _all_uploaded(status):
        finishing = status.state is UploadState.ACTIVE and status.counts.failed == 0
        return None if finishing else Ending(SOME_FAILED)
    if status.process_at is not None or (will_submit(status) and settled_for < _patience(status)):
        return None
    return Ending(DONE)


def blocked_ending(status: UploadStatus) -> Ending | None:
    """The ending of a command whose upload is blocked until the user acts; None if it is not blocked."""
    notice = status.notice
    if notice is None or not notice.needs_person:
        return None
    error = revived(notice.kind, notice.message)
    # Too few images for processing do not make an upload fail whose files are all uploaded.
    return Ending(DONE if _all_uploaded(status) and isinstance(error, UsageError) else error.exit_code)


def _all_uploaded(status: UploadStatus) -> bool:
    return status.state is UploadState.COMPLETE and status.counts.failed == 0


def _patience(status: UploadStatus) -> float:
    """Processing that was done before follows only if images were added: the engine decides that at once."""
    return SECOND_SUBMISSION_PATIENCE if status.processing.state.ended else SUBMISSION_PATIENCE


def will_submit(status: UploadStatus) -> bool:
    """Whether the engine will start processing automatically, and has not done so yet."""
    return (
        status.state is UploadState.COMPLETE
        and status.auto_process
        and (status.processing.state is ProcessingState.NOT_STARTED or status.processing.state.ended)
        and status.processing.reason is None
        and blocked_ending(status) is None
    )


def next_silence(silence: float) -> float:
    """Seconds until the next progress line in a log: twice the previous pause, at most five minutes."""
    return min(_LONGEST_SILENCE, max(_FIRST_LINE_AFTER, silence * 2))

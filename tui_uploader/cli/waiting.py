"""When `upload --wait` is over, and with which exit code: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

from tui_uploader.errors import UsageError, revived
from tui_uploader.model import ProcessingState, UploadState, UploadStatus

DONE, SOME_FAILED = 0, 1

SUBMISSION_PATIENCE = 60.0
"""Seconds that a complete upload is given to submit its processing: one round trip, and a few attempts of it."""

_FIRST_LINE_AFTER, _LONGEST_SILENCE = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Ending:
    exit_code: int


def ending(status: UploadStatus, settled_for: float) -> Ending | None:
    """None while waiting makes sense. `settled_for`: seconds since the upload was first seen settled.

    Ends when nothing moves any more, or when nothing will before a person acts. A complete upload that starts
    processing by itself is given a moment to do so, because that is part of what was asked for.
    """
    if needing := standstill(status):
        return needing
    if not status.settled:
        return None
    if not _whole(status):
        finishing = status.state is UploadState.ACTIVE and status.counts.failed == 0
        return None if finishing else Ending(SOME_FAILED)
    if will_submit(status) and settled_for < SUBMISSION_PATIENCE:
        return None
    return Ending(DONE)


def standstill(status: UploadStatus) -> Ending | None:
    """How a command ends whose upload stands still until a person acts; None if it does not."""
    notice = status.notice
    if notice is None or not notice.needs_person:
        return None
    error = revived(notice.kind, notice.message)
    # Every file arrived: that they are too few to be processed is no failure of the upload.
    return Ending(DONE if _whole(status) and isinstance(error, UsageError) else error.exit_code)


def _whole(status: UploadStatus) -> bool:
    return status.state is UploadState.COMPLETE and status.counts.failed == 0


def will_submit(status: UploadStatus) -> bool:
    """Processing is going to be started by the engine itself, and has not been yet."""
    return (
        status.state is UploadState.COMPLETE
        and status.auto_process
        and status.processing.state is ProcessingState.NOT_STARTED
        and status.processing.reason is None
        and standstill(status) is None
    )


def next_silence(silence: float) -> float:
    """Seconds until the next line of progress in a log: each twice the one before, up to five minutes."""
    return min(_LONGEST_SILENCE, max(_FIRST_LINE_AFTER, silence * 2))

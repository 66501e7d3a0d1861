"""Words for what an upload does now, or why it does nothing, and how uploads with one name are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum

from tui_uploader.model.files import Hold
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import printable
from tui_uploader.wording.clock import time_of_day
from tui_uploader.wording.processing import ready_at

_LONGEST_NAME = 200
_WORDS: Mapping[Hold, str] = {
    Hold.CHECKING: "checking",
    Hold.PAUSED: "paused",
    Hold.CANCELLED: "cancelled",
    Hold.OFFLINE: "offline",
    Hold.SIGNED_OUT: "signed out",
    Hold.LIMIT: "limit",
    Hold.BUDGET: "budget",
    Hold.MEDIUM: "card not readable",
    Hold.STORAGE: "storage refuses",
    Hold.RETRY: "retrying soon",
    Hold.REGISTERING: "adding to project",
    Hold.FAULT: "engine fault",
}


class Urgency(IntEnum):
    """Uploads that need the user come first, those that have ended last."""

    NEEDS_YOU = 0
    ACTIVE = 1
    FINISHED = 2


def urgency(status: UploadStatus) -> Urgency:
    if status.notice is not None and status.notice.needs_person:
        return Urgency.NEEDS_YOU
    if status.state.ended:
        return Urgency.FINISHED
    return Urgency.NEEDS_YOU if status.settled or status.hold is Hold.FAULT else Urgency.ACTIVE


def state_words(status: UploadStatus, now: float) -> str:
    """`offline`, `queued behind Flight check`, `processing, ~14:23`, `uploaded 14:02`; empty while it sends."""
    if status.state is UploadState.COMPLETE:
        return _after_upload(status, now)
    if status.state is UploadState.CANCELLED:
        return _at("cancelled", status.ended_at, now)
    if status.settled:
        return f"{status.counts.failed:,} failed"
    if status.hold is Hold.QUEUED and status.behind is not None:
        return f"queued behind {printable(status.behind, _LONGEST_NAME)}"
    if status.hold is not None and status.hold in _WORDS:
        return _WORDS[status.hold]
    if status.state is UploadState.PAUSED:
        return "paused"
    if status.watch is not None and status.counts.total and not status.counts.waiting + status.counts.uploading:
        return "waits for images"
    return "" if status.moving or status.rate > 0 else "starting"


def _after_upload(status: UploadStatus, now: float) -> str:
    processing = status.processing
    if processing.state.running:
        at = ready_at(processing, now)
        return f"processing, ~{at}" if at else "processing"
    if processing.state is ProcessingState.DONE:
        return _at("processed", processing.ended_at, now)
    if processing.state is ProcessingState.FAILED:
        return "processing failed"
    return _at("uploaded", status.ended_at, now)


def _at(word: str, at: float | None, now: float) -> str:
    return f"{word} {time_of_day(at, now)}" if at is not None else word


def distinctions(uploads: Sequence[UploadStatus], now: float) -> Mapping[int, str]:
    """What tells uploads of the same name apart, by upload: when they were added, or else their numbers."""
    names = Counter(upload.project_name for upload in uploads)
    alike = [upload for upload in uploads if names[upload.project_name] > 1]
    times = {upload.upload: time_of_day(upload.added_at, now) if upload.added_at else "" for upload in alike}
    same = Counter((upload.project_name, times[upload.upload]) for upload in alike)
    return {
        upload.upload: times[upload.upload]
        if times[upload.upload] and same[upload.project_name, times[upload.upload]] == 1
        else f"#{upload.upload}"
        for upload in alike
    }

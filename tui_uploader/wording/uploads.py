"""Words about one upload: its files, its bytes, how fast it is."""

from __future__ import annotations

from msgspec.structs import replace

from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, UploadStatus
from tui_uploader.text import byte_count, counted, printable
from tui_uploader.wording.amounts import byte_rate, duration_range, percent
from tui_uploader.wording.clock import done_at

NO_UPLOADS = "No uploads."

_LONGEST_NAME = 200


def project_name(status: UploadStatus, limit: int = _LONGEST_NAME) -> str:
    return printable(status.project_name, limit)


def percent_sent(status: UploadStatus) -> int:
    """Of the bytes to upload, as a bar shows it; 100 also for an upload that had nothing to send."""
    if status.bytes.total == 0 and status.state is UploadState.COMPLETE:
        return 100
    return percent(status.bytes.sent, status.bytes.total)


def without_stale_rate(status: UploadStatus, streams: int) -> UploadStatus:
    """`status` without rate and estimate where nothing is being sent: they are those of a while ago."""
    return status if streams else replace(status, rate=0.0, eta=None)


def rate(status: UploadStatus) -> str | None:
    """None while nothing moves."""
    moves = status.rate > 0 and status.state in (UploadState.ACTIVE, UploadState.PREPARING) and not status.settled
    return byte_rate(status.rate) if moves else None


def time_left(status: UploadStatus) -> str | None:
    """`12–15 min`, also of an upload that waits for another; None while the engine cannot estimate it."""
    runs = status.state in (UploadState.ACTIVE, UploadState.PREPARING) and not status.settled
    return duration_range(status.eta.low, status.eta.high) if status.eta is not None and runs else None


def end(eta: EtaRange, now: float) -> str:
    """`done ~14:29 (12–15 min)`: the likelier end as a time of day, and the range."""
    return f"done ~{done_at(eta, now)} ({duration_range(eta.low, eta.high)})"


def waiting(status: UploadStatus) -> int:
    """Number of files that no stream carries and that are not stored; some are chosen to be sent next."""
    return status.counts.waiting + max(0, status.counts.uploading - status.moving - status.registering)


def carried_counts(status: UploadStatus) -> Counts:
    """Files by status, of which only those that a stream carries now count as uploading.

    What is stored and not in the project yet, or chosen to be sent next, counts as waiting.
    """
    numbers = status.counts
    carried = min(status.moving, numbers.uploading)
    return replace(numbers, uploading=carried, waiting=numbers.waiting + numbers.uploading - carried)


def counts(status: UploadStatus) -> str:
    """`1,234 uploaded, 4 uploading, 3 stored, 466 waiting, 2 duplicates, 1 failed`, without zeros.

    `uploading` are files that streams carry now, `stored` those that are not in the project yet.
    """
    numbers = status.counts
    words = (
        (numbers.uploaded, "uploaded"),
        (status.moving, "uploading"),
        (status.registering, "stored"),
        (waiting(status), "waiting"),
        (numbers.duplicate, "duplicate" if numbers.duplicate == 1 else "duplicates"),
        (numbers.failed, "failed"),
        (status.skipped, "skipped"),
    )
    return ", ".join(f"{number:,} {word}" for number, word in words if number) or "no files yet"


def truths(volume: ByteCounts) -> str:
    """`Sent 48.0, stored 30.2, in the project 30.2 of 75.6 MB`; a unit that all share is written once."""
    amounts = [byte_count(number) for number in (volume.sent, volume.stored, volume.registered, volume.total)]
    if len({amount.split(" ")[1] for amount in amounts}) == 1:
        amounts = [*(amount.split(" ")[0] for amount in amounts[:3]), amounts[3]]
    sent, stored, registered, total = amounts
    return f"Sent {sent}, stored {stored}, in the project {registered} of {total}"


def outcome(status: UploadStatus) -> str:
    """`456 of 461 images in the project, 5 failed; 2 files skipped`, for an upload in which nothing moves any more."""
    numbers = status.counts
    wanted = numbers.total - numbers.duplicate
    noun = "image" if status.kind is ProjectKind.IMAGES else "file"
    uploaded = f"{numbers.uploaded:,}" if numbers.uploaded == wanted else f"{numbers.uploaded:,} of {wanted:,}"
    parts = [f"{uploaded} {noun if wanted == 1 else f'{noun}s'} in the project"]
    if numbers.duplicate:
        parts.append(counted(numbers.duplicate, "duplicate"))
    if left := numbers.waiting + numbers.uploading:
        parts.append(f"{left:,} not uploaded")
    if numbers.failed:
        parts.append(f"{numbers.failed:,} failed")
    return "; ".join([", ".join(parts), *([skipped(status.skipped)] if status.skipped else [])])


def uploaded(status: UploadStatus) -> str:
    """`1,711 files uploaded (7.02 GB)`."""
    return f"{counted(status.counts.uploaded, 'file')} uploaded ({byte_count(status.bytes.registered)})"


def failed(number: int) -> str:
    """`1 file failed`."""
    return f"{counted(number, 'file')} failed"


def skipped(number: int) -> str:
    """`2 files skipped`: what was found and is not to be uploaded."""
    return f"{counted(number, 'file')} skipped"

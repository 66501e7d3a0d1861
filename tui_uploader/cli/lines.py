"""How things are shown: pure functions from the model's values to lines of text and to the JSON that scripts read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui_uploader.errors import ProxyRefused, ProxyUnusable, TrustFailed
from tui_uploader.model import (
    NOT_VERIFIED,
    Bandwidth,
    BudgetPeriod,
    EngineStatus,
    FileItem,
    FileStatus,
    Link,
    LinkState,
    Notice,
    Processing,
    ProcessingState,
    Project,
    Proof,
    Skipped,
    UploadState,
    UploadStatus,
)
from tui_uploader.text import byte_count, byte_rate, counted, duration, duration_range, exact_bytes, printable

DUPLICATES_SHOWN, FAILED_SHOWN, SKIPPED_SHOWN = 5, 10, 10
"""Lines that the summary at the end gives to each."""

_NAME_LIMIT = 200

_GLYPHS: Mapping[FileStatus, tuple[str, str]] = {
    FileStatus.UPLOADED: ("✓", "+"),
    FileStatus.UPLOADING: ("⇡", "^"),
    FileStatus.WAITING: ("∙", "."),
    FileStatus.DUPLICATE: ("⚠", "!"),
    FileStatus.FAILED: ("↻", "x"),
}
# SGR parameters, ECMA-48: 1 bold, 31 red, 32 green, 34 blue, 90 grey.
_COLOURS: Mapping[FileStatus, str] = {
    FileStatus.UPLOADED: "32",
    FileStatus.UPLOADING: "34",
    FileStatus.WAITING: "90",
    FileStatus.DUPLICATE: "31",
    FileStatus.FAILED: "1;31",
}
_ABOUT_SETTINGS = (TrustFailed.__name__, ProxyRefused.__name__, ProxyUnusable.__name__)


@dataclass(frozen=True, slots=True)
class Style:
    """What the stream can show."""

    ascii: bool = False
    colour: bool = False


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The files that a summary names, in the first few lines of each kind, and how many the storage did not verify."""

    duplicates: Sequence[FileItem] = ()
    failed: Sequence[FileItem] = ()
    skipped: Sequence[Skipped] = ()
    not_verified: int = 0


# ---------------------------------------------------------------------------------------------------- for scripts


def result(status: UploadStatus, skipped: Sequence[Skipped]) -> dict[str, Any]:
    """What `upload --json` prints. Its keys are a contract with scripts."""
    return {
        "upload": status.upload,
        "project": status.project,
        "state": status.state,
        "counts": status.counts,
        "bytes": status.bytes,
        "skipped": skipped,
        "seconds": round(status.seconds, 3),
        "processing": status.processing.state,
    }


def listed(status: UploadStatus, skipped: Sequence[Skipped]) -> dict[str, Any]:
    """One element of `uploads` in `status --json`: the same, how fast it goes, and what holds it up."""
    return result(status, skipped) | {"rate": status.rate, "eta": status.eta, "notice": status.notice}


def file_record(item: FileItem) -> dict[str, Any]:
    """One line of `files --json`."""
    return {
        "path": item.path,
        "name": item.name,
        "object": item.object,
        "size": item.size,
        "status": item.status,
        "reason": item.reason,
        "duplicate_of": item.duplicate_of,
        "verified": item.verified,
    }


# ----------------------------------------------------------------------------------------------------- for people


def glyph(status: FileStatus, style: Style) -> str:
    """One cell that tells the status by its shape; colour only repeats it."""
    shape = _GLYPHS[status][1 if style.ascii else 0]
    return f"\x1b[{_COLOURS[status]}m{shape}\x1b[0m" if style.colour else shape


def file_line(item: FileItem, style: Style) -> str:
    """`✓ uploaded    4.03 MB  DJI_0001.JPG`, with the other name and the reason where there are any."""
    parts = [f"{glyph(item.status, style)} {item.status:<9} {byte_count(item.size):>8}  {printable(item.name)}"]
    if item.object is not None and item.object != item.name:
        parts.append(f"→ {printable(item.object)}")
    if item.status is FileStatus.DUPLICATE and item.duplicate_of is not None:
        parts.append(_original(item.path, item.duplicate_of))
    elif item.reason:
        parts.append(printable(item.reason))
    elif item.verified is Proof.NONE:
        parts.append(NOT_VERIFIED)
    return "  ".join(parts)


def _original(path: str, duplicate_of: str) -> str:
    return "uploaded before" if path == duplicate_of else f"same content as {printable(duplicate_of)}"


def percent_stored(status: UploadStatus) -> int:
    """Of the bytes that are to be uploaded; 100 only when every one of them is stored."""
    if status.bytes.total == 0:
        return 100 if status.state is UploadState.COMPLETE else 0
    return min(100, status.bytes.stored * 100 // status.bytes.total)


def counts_line(status: UploadStatus) -> str:
    """`1,234 uploaded · 8 uploading · 466 waiting · 2 duplicates · 1 failed`, without what is zero."""
    counts = status.counts
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (counts.uploaded, "uploaded"),
            (counts.uploading, "uploading"),
            (counts.waiting, "waiting"),
            (counts.duplicate, "duplicate" if counts.duplicate == 1 else "duplicates"),
            (counts.failed, "failed"),
            (status.skipped, "skipped"),
        )
        if number
    ]
    return " · ".join(parts) or "no file yet"


def truths_line(status: UploadStatus) -> str:
    """The three truths side by side: what left, what arrived, what the project knows."""
    volume = status.bytes
    sent, stored, registered = byte_count(volume.sent), byte_count(volume.stored), byte_count(volume.registered)
    return f"sent {sent} · stored {stored} · registered {registered} of {byte_count(volume.total)}"


def pace(status: UploadStatus) -> str | None:
    """`4.03 MB/s · 12–15 min left`; the estimate is withheld until the engine trusts it."""
    if status.rate <= 0 or status.settled:
        return None
    if status.eta is None:
        return byte_rate(status.rate)
    return f"{byte_rate(status.rate)} · {duration_range(status.eta.low, status.eta.high)} left"


def upload_lines(status: UploadStatus) -> list[str]:
    """One upload as a few lines: what it is, its files, its bytes, and what somebody should know."""
    lines = [
        f"{status.upload}  {printable(status.project_name, _NAME_LIMIT)}: {status.state}, {percent_stored(status)} %",
        f"   {counts_line(status)}",
        f"   {' · '.join(filter(None, (truths_line(status), pace(status))))}",
    ]
    if status.processing.state is not ProcessingState.NOT_STARTED or status.processing.reason:
        lines.append(f"   {processing_line(status.processing)}")
    if status.notice is not None:
        lines.append(f"   ! {notice_line(status.notice)}")
    return lines


def status_lines(engine: EngineStatus, now: float) -> list[str]:
    """Everything that `status` shows; `now` in seconds since the epoch."""
    link = link_line(engine.link, now)
    lines = [link] if link else []
    if engine.bandwidth.rate:  # where nothing is sent, each upload says why
        lines.append(f"Bandwidth: {printable(engine.bandwidth.holds)}.")
    for status in engine.uploads:
        lines.extend(upload_lines(status))
    return lines or ["No uploads."]


def progress_line(status: UploadStatus) -> str:
    """How far it is, in one line: `42 %, 717 of 1,711 files, 1.80 of 4.03 GB stored, 4.03 MB/s, 12–15 min left`."""
    counts, volume = status.counts, status.bytes
    parts = [
        f"{percent_stored(status)} %",
        f"{counts.uploaded:,} of {counted(counts.total - counts.duplicate, 'file')}",
        f"{byte_count(volume.stored)} of {byte_count(volume.total)} stored",
    ]
    if moving := pace(status):
        parts.append(moving.replace(" · ", ", "))
    if counts.failed:
        parts.append(f"{counts.failed:,} failed")
    return ", ".join(parts)


def notice_line(notice: Notice) -> str:
    return explained(notice.kind, notice.message)


def explained(kind: str, message: str) -> str:
    """The sentence of an error, and what else helps against errors of its `kind`."""
    if kind not in _ABOUT_SETTINGS:
        return printable(message)
    return (
        f"{printable(message)} A running engine keeps the settings that it was started with;"
        " after a change, `tui-uploader engine stop` lets the next command start one with the new ones."
    )


def bar(percent: int, width: int) -> str:
    """`percent` of `width` cells filled."""
    filled = percent * width // 100
    return "█" * filled + "░" * (width - filled)


def link_line(link: Link, now: float) -> str | None:
    """What a dead link means for the queue; None while there is nothing to say."""
    if link.state is not LinkState.DOWN:
        return None
    parts = ["The link is down"]
    if link.since is not None:
        parts.append(f" since {duration(now - link.since)}")
    if link.next_try is not None and link.next_try > now:
        parts.append(f", next try in {duration(link.next_try - now)}")
    reason = f": {printable(link.reason)}" if link.reason else "."
    return "".join(parts) + reason


def bandwidth_lines(bandwidth: Bandwidth) -> list[str]:
    """The three settings, one a line, and what they come to now."""
    lines = [f"Limit: {_rate_words(bandwidth.limit)}", f"Schedule: {printable(bandwidth.schedule or 'off')}"]
    if bandwidth.budget is None:
        lines.append("Budget: off")
    else:
        per = "in total" if bandwidth.per is BudgetPeriod.TOTAL else f"per {bandwidth.per}"
        left = max(0, bandwidth.budget - bandwidth.used)
        used = f"{byte_count(bandwidth.used)} used, {byte_count(left)} left"
        lines.append(f"Budget: {exact_bytes(bandwidth.budget)} {per}; {used}")
    return [*lines, f"Now: {printable(bandwidth.holds)}"]


def _rate_words(rate: int | None) -> str:
    if rate is None:
        return "off"
    return f"{exact_bytes(rate)}/s" if rate else "pause"


def processing_line(processing: Processing) -> str:
    """`Processing: submitted, starts in about 5 min 00 s, takes about 1 h 10 min.`"""
    words = processing.state.replace("_", " ")
    begun = processing.state not in (ProcessingState.NOT_STARTED, ProcessingState.SUBMITTED)
    if begun and processing.word and processing.word.lower() != words:
        words += f" ({printable(processing.word, _NAME_LIMIT)})"
    if processing.waiting_seconds is not None and not processing.state.ended:
        words += f", waits about {duration(processing.waiting_seconds)}"
    if processing.processing_seconds is not None and not processing.state.ended:
        words += f", takes about {duration(processing.processing_seconds)}"
    reason = f" {printable(processing.reason)}" if processing.reason else ""
    return f"Processing: {words}.{reason}"


def project_line(project: Project) -> str:
    """One project of `projects list`; its name comes last because only that has no known width."""
    number = printable(project.id) if project.id is not None else "(not made yet)"
    state = project.processing.word or project.processing.state.replace("_", " ")
    return f"{number:>10}  {printable(state, 20):<12} {counted(project.images, 'image'):>12}  {printable(project.name)}"


def project_lines(project: Project) -> list[str]:
    """One project of `projects show`."""
    lines = [
        f"{printable(project.name)}",
        f"   id {printable(project.id) if project.id is not None else 'not given yet: the link is down'}",
        f"   {project.kind} of {printable(project.account)}",
        f"   {counted(project.images, 'image')} of this machine registered",
        f"   {processing_line(project.processing)}",
    ]
    if project.uploads:
        lines.append(f"   uploads {', '.join(str(upload) for upload in project.uploads)}")
    if project.web_address is not None:
        lines.append(f"   {printable(project.web_address)}")
    return lines


def queued_line(status: UploadStatus) -> str:
    """What was queued, whether it moves, and what to do next."""
    number, name = status.upload, printable(status.project_name, _NAME_LIMIT)
    what = f"Upload {number}: {counted(status.counts.total, 'file')} ({byte_count(status.bytes.total)})"
    if status.state is UploadState.COMPLETE:
        return f"{what}, and nothing is left to upload to {name}."
    if status.notice is not None and status.notice.needs_person:
        return f"{what} queued for {name}, and nothing moves until somebody acts."
    if status.state is UploadState.PAUSED:
        return f"{what} queued for {name}; the upload is paused. Go on with: tui-uploader resume {number}"
    more = ", and more are being looked for" if status.state is UploadState.PREPARING else ""
    return f"{what} on the way to {name}{more}. Follow with: tui-uploader status {number} --watch"


def summary_lines(status: UploadStatus, leftovers: Leftovers, style: Style) -> list[str]:
    """The end of an upload: what arrived, and by name what did not."""
    counts, name = status.counts, printable(status.project_name, _NAME_LIMIT)
    arrived = f"{counted(counts.uploaded, 'file')} uploaded ({byte_count(status.bytes.registered)})"
    lines = [f"{name}: {arrived} in {_elapsed(status.seconds)}."]
    if unfinished := counts.waiting + counts.uploading:
        lines.append(f"{counted(unfinished, 'file')} not uploaded yet; the upload is {status.state}.")
    if leftovers.not_verified:
        lines.append(
            f"{leftovers.not_verified:,} of them not verified: the storage confirmed no checksum of what it stored."
        )
    if counts.duplicate:
        lines.append(f"{counted(counts.duplicate, 'duplicate')}, not sent again:")
        lines += _first(leftovers.duplicates, DUPLICATES_SHOWN, counts.duplicate, style)
    if counts.failed:
        lines.append(f"{counted(counts.failed, 'file')} failed:")
        lines += _first(leftovers.failed, FAILED_SHOWN, counts.failed, style)
        upload = status.upload
        lines.append(
            f"  Try again with: tui-uploader retry {upload}; leave out with: tui-uploader remove {upload} --failed"
        )
    if status.skipped:
        lines.append(f"{counted(status.skipped, 'path')} skipped:")
        lines += [f"  {printable(gone.path)}: {printable(gone.reason)}" for gone in leftovers.skipped[:SKIPPED_SHOWN]]
        lines += _rest(status.skipped - min(SKIPPED_SHOWN, len(leftovers.skipped)))
    if status.processing.state is not ProcessingState.NOT_STARTED or status.processing.reason:
        lines.append(processing_line(status.processing))
    if status.notice is not None:
        lines.append(notice_line(status.notice))
    return lines


def _elapsed(seconds: float) -> str:
    return duration(seconds) if seconds >= 1 else "less than a second"


def _first(items: Sequence[FileItem], shown: int, count: int, style: Style) -> list[str]:
    some = items[:shown]
    return [f"  {file_line(item, style)}" for item in some] + _rest(count - len(some))


def _rest(count: int) -> list[str]:
    return [f"  … and {count:,} more"] if count > 0 else []

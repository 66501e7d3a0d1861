"""What the uploads pane says of an upload, of the link and of the engine. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from tui_uploader.model import (
    MIN_IMAGES,
    Bandwidth,
    EngineStatus,
    FileStatus,
    Link,
    LinkState,
    ProcessingState,
    Project,
    ProjectKind,
    UploadState,
    UploadStatus,
)
from tui_uploader.text import byte_count, counted, duration, exact_bytes
from tui_uploader.tui.lines.columns import Column, cell_text, clipped_name, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, bar, percent, without_ornament
from tui_uploader.tui.panes.project_rows import processing_words
from tui_uploader.wording.amounts import byte_rate, duration_range

COLUMNS = (
    Column("", 1),
    Column("Upload", 12, share=3),
    Column("Bar", 8, share=2),
    Column("Stored", 5, right=True),
    Column("Rate", 9, right=True),
    Column("Left", 9, right=True),
    Column("Files", 18, share=2),
    Column("Auto", 4, from_width=72),
)
STARTED = frozenset(ProcessingState) - {ProcessingState.NOT_STARTED}
_AUTOMATIC = {
    True: "processing starts by itself when all is uploaded; a: only with s",
    False: "processing starts with s; a: by itself when all is uploaded",
}
_NOTE_LINES = 2


def upload_cells(status: UploadStatus, columns: Sequence[tuple[Column, int]], glyphs: Glyphs) -> list[Sequence[Span]]:
    """One cell for each column that is shown."""
    cells: list[Sequence[Span]] = []
    for column, width in columns:
        if column.title == "":
            cells.append([_glyph(status, glyphs)])
        elif column.title == "Upload":
            cells.append([Span(clipped_name(cell_text(status.project_name), width, glyphs.cut))])
        elif column.title == "Bar":
            cells.append(bar(status.bytes, width, glyphs))
        elif column.title == "Stored":
            cells.append([Span(f"{percent_stored(status)} %")])
        elif column.title == "Rate":
            cells.append([rate_span(status)])
        elif column.title == "Left":
            cells.append([Span(eta_words(status))])
        elif column.title == "Files":
            cells.append(count_spans(status, glyphs))
        else:
            cells.append([Span("auto" if status.auto_process else "", "muted")])
    return cells


def without_stale_rate(status: UploadStatus, streams: int) -> UploadStatus:
    """Where nothing is under way, a rate is that of a while ago, and an estimate made from it too."""
    return status if streams else replace(status, rate=0.0, eta=None)


def _glyph(status: UploadStatus, glyphs: Glyphs) -> Span:
    if status.settled and status.state is UploadState.ACTIVE:
        return Span(glyphs.statuses[FileStatus.FAILED], "failed")
    styles = {UploadState.COMPLETE: "uploaded", UploadState.PAUSED: "warning", UploadState.CANCELLED: "muted"}
    return Span(glyphs.states[status.state], styles.get(status.state, "uploading"))


def percent_stored(status: UploadStatus) -> int:
    """Of the bytes; 100 for an upload that is complete because there was nothing to send."""
    if status.bytes.total == 0 and status.state is UploadState.COMPLETE:
        return 100
    return percent(status.bytes.stored, status.bytes.total)


def rate_span(status: UploadStatus) -> Span:
    """The rate of what moves, else what state it is in."""
    if status.state not in (UploadState.ACTIVE, UploadState.PREPARING):
        return Span(status.state, "warning" if status.state is UploadState.PAUSED else "muted")
    if status.settled:
        return Span("failed", "failed")
    return Span(byte_rate(status.rate)) if status.rate > 0 else Span("waiting", "muted")


def eta_words(status: UploadStatus) -> str:
    """A range; nothing while the engine cannot tell, or nothing moves."""
    if status.eta is None or status.rate <= 0 or status.state not in (UploadState.ACTIVE, UploadState.PREPARING):
        return ""
    return without_ornament(duration_range(status.eta.low, status.eta.high))


def count_spans(status: UploadStatus, glyphs: Glyphs) -> list[Span]:
    """`↻1 ⚠2 ✓717 ⇡8 ∙466`, without what is zero; what needs somebody first, where it is never cut off."""
    spans: list[Span] = []
    for kind in (
        FileStatus.FAILED,
        FileStatus.DUPLICATE,
        FileStatus.UPLOADED,
        FileStatus.UPLOADING,
        FileStatus.WAITING,
    ):
        number: int = getattr(status.counts, kind)
        if number:
            spans.append(Span(f"{glyphs.statuses[kind]}{number} ", kind))
    return spans


def detail_lines(status: UploadStatus, project: Project | None, width: int) -> list[list[Span]]:
    """What stands below the list of the upload under the cursor: what somebody should know, then the three truths.

    `project` is where it goes, if that is known. The first part is wrapped at `width` cells, in two lines at most.
    """
    if status.notice is not None:
        style = "error" if status.notice.needs_person else "warning"
        said = f"! {cell_text(status.notice.message)}"
    else:
        hold_up = hold_up_note(status, project)
        style, said = ("warning", hold_up) if hold_up else ("muted", processing_note(status, project))
    return [*([Span(line, style)] for line in wrapped(said, width, most=_NOTE_LINES)), [Span(truths(status), "muted")]]


def truths(status: UploadStatus) -> str:
    """`sent 48.0, stored 30.2, registered 30.2 of 75.6 MB`; units only where they differ."""
    volume = status.bytes
    amounts = [byte_count(number) for number in (volume.sent, volume.stored, volume.registered, volume.total)]
    if len({amount.split(" ")[1] for amount in amounts}) == 1:
        amounts = [*(amount.split(" ")[0] for amount in amounts[:3]), amounts[3]]
    sent, stored, registered, total = amounts
    skipped = f"; {counted(status.skipped, 'path')} skipped" if status.skipped else ""
    return f"sent {sent}, stored {stored}, registered {registered} of {total}{skipped}"


def hold_up_note(status: UploadStatus, project: Project | None) -> str | None:
    """What keeps the images from being processed until somebody does something."""
    if status.state in (UploadState.PAUSED, UploadState.CANCELLED) or status.processing.state in STARTED:
        return None
    counts = status.counts
    if counts.failed:
        files = counted(counts.failed, "failed file")
        holds = "holds" if counts.failed == 1 else "hold"
        held = f" {holds} up processing" if status.auto_process else ""
        return f"{files}{held}: r retries, x removes, s starts without"
    if status.processing.reason:
        return f"not processed: {cell_text(status.processing.reason)}"
    of_images = project is None or project.kind is ProjectKind.IMAGES
    expected = counts.uploaded + counts.uploading + counts.waiting + (project.images if project else 0)
    if of_images and status.auto_process and status.state is not UploadState.PREPARING and expected < MIN_IMAGES:
        return f"{counted(expected, 'image')}: processing needs at least {MIN_IMAGES}; u adds more"
    return None


def processing_note(status: UploadStatus, project: Project | None = None) -> str:
    """What becomes of the images when they are there."""
    processing = status.processing
    if processing.state is ProcessingState.FAILED:
        return f"processing failed{f': {cell_text(processing.reason)}' if processing.reason else ''}"
    if processing.state in STARTED:
        times = (("waiting", processing.waiting_seconds), ("work", processing.processing_seconds))
        estimates = [f"{duration(seconds)} of {what}" for what, seconds in times if seconds is not None]
        expected = f", estimated {' and '.join(estimates)}" if estimates and not processing.state.ended else ""
        return f"processing: {processing_words(processing)}{expected}"
    if status.state is UploadState.PAUSED:
        return "paused: p goes on with it"
    if status.state is UploadState.CANCELLED:
        return "cancelled: p goes on with it, d takes it off the list"
    looking = ""
    if status.state is UploadState.PREPARING:
        looking = f"looking through the folders, {counted(status.counts.total, 'file')} so far; "
    if project is not None and project.kind is ProjectKind.RESULTS:
        return f"{looking}results are not processed"
    return f"{looking}{_AUTOMATIC[status.auto_process]}"


def summary_spans(status: EngineStatus | None) -> list[Span]:
    """`1 active  2 recent  8 streams  4.03 MB/s`."""
    if status is None:
        return []
    active = sum(not upload.settled for upload in status.uploads)
    parts = [f"{active:,} active", f"{len(status.uploads) - active:,} recent"]
    if status.streams:
        parts += [counted(status.streams, "stream"), byte_rate(status.rate)]
    return [Span("  " + "  ".join(parts)), *_bandwidth_spans(status.bandwidth)]


def _bandwidth_spans(bandwidth: Bandwidth) -> list[Span]:
    """`cap 500 KB/s`; the uploads themselves say why nothing is sent, and the dialog until when."""
    if bandwidth.rate is None:
        return []
    if bandwidth.rate:
        return [Span(f"  cap {exact_bytes(bandwidth.rate)}/s", "muted")]
    return [Span("  budget used up" if bandwidth.used_up else "  sending paused", "warning")]


def link_spans(link: Link, now: float) -> list[Span]:
    """`link down since 14:02, next try 0:20`; `now` in seconds since the epoch."""
    if link.state is LinkState.UNKNOWN:
        return []
    if link.state is LinkState.UP:
        return [Span("link up", "muted")]
    since = f" since {datetime.fromtimestamp(link.since):%H:%M}" if link.since is not None else ""
    next_try = ""
    if link.next_try is not None:
        minutes, seconds = divmod(max(0, round(link.next_try - now)), 60)
        next_try = f", next try {minutes}:{seconds:02}" if minutes or seconds else ", trying now"
    return [Span(f"link down{since}{next_try}", "error")]

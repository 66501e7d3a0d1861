"""What the uploads pane says of an upload, of the link and of the engine. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tui_uploader.model import EngineStatus, FileStatus, Link, LinkState, UploadState, UploadStatus
from tui_uploader.text import byte_count, byte_rate, counted, duration_range
from tui_uploader.tui.columns import Column, cell_text, clipped_name
from tui_uploader.tui.glyphs import Glyphs, Span, bar, percent, without_ornament
from tui_uploader.tui.panes.project_rows import processing_words

COLUMNS = (
    Column("", 1),
    Column("Upload", 12, share=3),
    Column("Bar", 8, share=2),
    Column("Stored", 5, right=True),
    Column("Rate", 9, right=True),
    Column("Left", 9, right=True),
    Column("Files", 23, share=1),
    Column("Auto", 6, from_width=96),
)


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
            cells.append([Span("auto" if status.auto_process else "manual", "muted")])
    return cells


def settled_down(status: UploadStatus, streams: int) -> UploadStatus:
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
    if status.eta is None or status.state not in (UploadState.ACTIVE, UploadState.PREPARING):
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


def detail_spans(status: UploadStatus) -> list[Span]:
    """The line below the list, of the upload under the cursor: what somebody should know, else the three truths."""
    if status.notice is not None:
        return [Span(f"! {cell_text(status.notice.message)}", "error" if status.notice.needs_person else "warning")]
    volume = status.bytes
    truths = (
        f"sent {byte_count(volume.sent)}, stored {byte_count(volume.stored)},"
        f" registered {byte_count(volume.registered)} of {byte_count(volume.total)}"
    )
    skipped = f"; {counted(status.skipped, 'path')} skipped" if status.skipped else ""
    return [Span(f"{processing_note(status)}; {truths}{skipped}", "muted")]


def processing_note(status: UploadStatus) -> str:
    """What becomes of the images when they are there."""
    if status.processing.reason:
        return f"processing: {cell_text(status.processing.reason)}"
    words = processing_words(status.processing)
    if words != "not started":
        return f"processing: {words}"
    return "processing starts by itself" if status.auto_process else "processing starts with s"


def summary_spans(status: EngineStatus | None) -> list[Span]:
    """`1 active  2 recent  8 streams  4.03 MB/s`."""
    if status is None:
        return []
    active = sum(not upload.settled for upload in status.uploads)
    parts = [f"{active:,} active", f"{len(status.uploads) - active:,} recent"]
    if status.streams:
        parts += [counted(status.streams, "stream"), byte_rate(status.rate)]
    return [Span("  " + "  ".join(parts))]


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

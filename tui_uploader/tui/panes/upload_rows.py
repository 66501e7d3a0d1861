"""Rows of the uploads pane, the lines below them, and the title line with link and totals. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import MIN_IMAGES, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import Column, cell_text, clipped_name, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, bar, without_ornament
from tui_uploader.wording.processing import processing_sentence
from tui_uploader.wording.uploads import percent_stored, rate, skipped, time_left, truths

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
    True: "processing starts automatically after the upload; a: only with P",
    False: "P starts processing; a: automatically after the upload",
}
_NOTE_LINES = 2


def upload_cells(status: UploadStatus, columns: Sequence[tuple[Column, int]], glyphs: Glyphs) -> list[Sequence[Span]]:
    """One cell for each visible column."""
    return [_cell(status, column.title, width, glyphs) for column, width in columns]


def _cell(status: UploadStatus, title: str, width: int, glyphs: Glyphs) -> Sequence[Span]:
    match title:
        case "":
            return [_glyph(status, glyphs)]
        case "Upload":
            return [Span(clipped_name(cell_text(status.project_name), width, glyphs.cut))]
        case "Bar":
            return bar(status.bytes, width, glyphs)
        case "Stored":
            return [Span(f"{percent_stored(status)} %")]
        case "Rate":
            return [rate_span(status)]
        case "Left":
            return [Span(without_ornament(time_left(status) or ""))]
        case "Files":
            return count_spans(status, glyphs)
        case _:
            return [Span("auto" if status.auto_process else "", "muted")]


def _glyph(status: UploadStatus, glyphs: Glyphs) -> Span:
    if status.settled and status.state is UploadState.ACTIVE:
        return Span(glyphs.statuses[FileStatus.FAILED], "failed")
    styles = {UploadState.COMPLETE: "uploaded", UploadState.PAUSED: "warning", UploadState.CANCELLED: "muted"}
    return Span(glyphs.states[status.state], styles.get(status.state, "uploading"))


def rate_span(status: UploadStatus) -> Span:
    """The rate while something is sent, else the state."""
    if status.state not in (UploadState.ACTIVE, UploadState.PREPARING):
        return Span(status.state, "warning" if status.state is UploadState.PAUSED else "muted")
    if status.settled:
        return Span("failed", "failed")
    speed = rate(status)
    return Span(speed) if speed else Span("waiting", "muted")


def count_spans(status: UploadStatus, glyphs: Glyphs) -> list[Span]:
    """`✗1 =2 ✓717 ⇡8 ∙466`, without zeros; problems come first, where they are never cut off."""
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
    """The lines below the list, about the upload under the cursor: notice or next step, then its bytes.

    `project`: its project, if known. The first part is wrapped at `width` cells, in two lines at most.
    """
    if status.notice is not None:
        style = "error" if status.notice.needs_person else "warning"
        text = f"! {cell_text(status.notice.message)}"
    else:
        hold_up = hold_up_note(status, project)
        style, text = ("warning", hold_up) if hold_up else ("muted", processing_note(status, project))
    return [
        *([Span(line, style)] for line in wrapped(text, width, most=_NOTE_LINES)),
        [Span(bytes_line(status), "muted")],
    ]


def bytes_line(status: UploadStatus) -> str:
    """The three truths, and how many paths were skipped."""
    left_out = f"; {skipped(status.skipped)}" if status.skipped else ""
    return f"{truths(status.bytes)}{left_out}"


def hold_up_note(status: UploadStatus, project: Project | None) -> str | None:
    """Why the images will not be processed until the user acts."""
    if status.state in (UploadState.PAUSED, UploadState.CANCELLED) or status.processing.state in STARTED:
        return None
    counts = status.counts
    if counts.failed:
        files = counted(counts.failed, "failed file")
        blocks = "blocks" if counts.failed == 1 else "block"
        blocked = f" {blocks} processing" if status.auto_process else ""
        return f"{files}{blocked}: r retries, x removes, P processes without them"
    if status.processing.reason:
        return f"not processed: {cell_text(status.processing.reason)}"
    of_images = project is None or project.kind is ProjectKind.IMAGES
    expected = counts.uploaded + counts.uploading + counts.waiting + (project.images if project else 0)
    if of_images and status.auto_process and status.state is not UploadState.PREPARING and expected < MIN_IMAGES:
        return f"{counted(expected, 'image')}: processing needs at least {MIN_IMAGES}; u adds more"
    return None


def processing_note(status: UploadStatus, project: Project | None = None) -> str:
    """The state of processing, or how it will start."""
    if status.processing.state in STARTED:
        return cell_text(processing_sentence(status.processing, time.time()))
    if status.state is UploadState.PAUSED:
        return "paused; p resumes"
    if status.state is UploadState.CANCELLED:
        return "cancelled; p resumes, d dismisses"
    scanning = ""
    if status.state is UploadState.PREPARING:
        scanning = f"scanning folders, {counted(status.counts.total, 'file')} so far; "
    if project is not None and project.kind is ProjectKind.RESULTS:
        return f"{scanning}results are not processed"
    return f"{scanning}{_AUTOMATIC[status.auto_process]}"


def summary_spans(status: EngineStatus | None) -> list[Span]:
    """`1 active  2 recent`."""
    if status is None:
        return []
    active = sum(not upload.settled for upload in status.uploads)
    return [Span(f"  {active:,} active  {len(status.uploads) - active:,} recent")]

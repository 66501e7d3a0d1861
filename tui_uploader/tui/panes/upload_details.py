"""The lines below the uploads, about the one under the cursor: what it needs or does next, then its bytes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui_uploader.model.files import Hold
from tui_uploader.model.projects import MIN_IMAGES, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import VerificationStatus
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import cell_text, wrapped
from tui_uploader.tui.lines.glyphs import Span, without_ornament
from tui_uploader.wording.clock import time_of_day
from tui_uploader.wording.processing import RESULTS_NOT_PROCESSED, processing_sentence, start_words
from tui_uploader.wording.uploads import skipped, time_left, truths
from tui_uploader.wording.verification import verification_of, verified_words

STARTED = frozenset(ProcessingState) - {ProcessingState.NOT_STARTED}
_IN_BANNER = frozenset({Hold.OFFLINE, Hold.BUDGET, Hold.LIMIT})
"""The first line of the screen has the whole sentence."""
_NOTE_LINES = 2
_GAP = "   "


def detail_lines(
    status: UploadStatus,
    project: Project | None,
    width: int,
    now: float,
    verifications: Sequence[VerificationStatus] = (),
) -> list[list[Span]]:
    """`project`: its project, if known. The first part is wrapped at `width` cells, in two lines at most."""
    if status.notice is not None and status.hold not in _IN_BANNER:
        style = "error" if status.notice.needs_person else "warning"
        text = f"! {cell_text(status.notice.message)}"
    else:
        hold_up = hold_up_note(status, project)
        style, text = ("warning", hold_up) if hold_up else ("muted", next_step(status, project, now))
    text, card = without_ornament(text), card_note(status, verifications, now)
    both = f"{text.rstrip('.')}.  {card}" if card else text
    notes = [text, card] if card and cell_len(text) <= width < cell_len(both) else [both]
    lines = [line for note in notes for line in wrapped(note, width, most=_NOTE_LINES)]
    return [
        *([Span(line, style)] for line in lines[:_NOTE_LINES]),
        [Span(facts_line(status, width, now), "muted")],
    ]


def card_note(status: UploadStatus, verifications: Sequence[VerificationStatus], now: float) -> str:
    """Whether the card of a complete upload may be wiped, or which key tells it."""
    if status.state is not UploadState.COMPLETE or status.kind is not ProjectKind.IMAGES or not status.counts.uploaded:
        return ""
    found = verification_of(status, verifications)
    if found is None:
        return "K checks whether the card may be wiped"
    words = verified_words(found, now)
    return cell_text(f"{words[:1].upper()}{words[1:]} (K)")


def facts_line(status: UploadStatus, width: int, now: float) -> str:
    """The three truths; then, as far as there is space, what was skipped, the receipt, when it began, and its end."""
    parts = [
        truths(status.bytes),
        skipped(status.skipped) if status.skipped else "",
        f"receipt {cell_text(status.receipt)}" if status.receipt else "",
        f"started {time_of_day(status.added_at, now)}" if status.added_at else "",
        f"{without_ornament(left)} left" if (left := time_left(status)) else "",
    ]
    line = parts[0]
    for part in parts[1:]:
        if part and cell_len(f"{line}{_GAP}{part}") <= width:
            line = f"{line}{_GAP}{part}"
    return line


def hold_up_note(status: UploadStatus, project: Project | None) -> str | None:
    """Why the images will not be processed until the user acts."""
    if status.state in (UploadState.PAUSED, UploadState.CANCELLED) or status.processing.state in STARTED:
        return None
    counts = status.counts
    if counts.failed:
        files = counted(counts.failed, "failed file")
        if status.kind is ProjectKind.RESULTS or (project is not None and project.kind is ProjectKind.RESULTS):
            return f"{files}. r retry, x remove, f show {'it' if counts.failed == 1 else 'them'}"
        holds = "holds" if counts.failed == 1 else "hold"
        held_up = f" {holds} up processing" if status.auto_process else ""
        them = "it" if counts.failed == 1 else "them"
        return f"{files}{held_up}. r retry, x remove, f show {them}, P process without {them}"
    if status.processing.reason:
        return f"Not processed: {cell_text(status.processing.reason)}"
    of_images = project is None or project.kind is ProjectKind.IMAGES
    there = max(counts.uploaded, project.images if project else 0)  # the list of projects may count this upload, too
    expected = there + counts.uploading + counts.waiting
    if status.watch is not None or status.state is UploadState.PREPARING:
        return None  # more may come
    if of_images and status.auto_process and expected < MIN_IMAGES:
        return f"{counted(expected, 'image')}: processing needs at least {MIN_IMAGES}; u adds more"
    return None


def next_step(status: UploadStatus, project: Project | None, now: float) -> str:
    """The state of processing, or how it will start."""
    if status.processing.state in STARTED:
        return cell_text(processing_sentence(status.processing, now))
    if status.state is UploadState.PAUSED:
        return "Paused. p resumes"
    if status.state is UploadState.CANCELLED:
        return "Cancelled. p resumes, d dismisses"
    scanning = ""
    if status.state is UploadState.PREPARING:
        scanning = f"Reading folders, {counted(status.counts.total, 'file')} found so far.  "
    if (project is not None and project.kind is ProjectKind.RESULTS) or status.kind is ProjectKind.RESULTS:
        return f"{scanning}{RESULTS_NOT_PROCESSED}"
    keys = "a: manual" if status.auto_process else "P starts it, a: automatic"
    return f"{scanning}Processing: {start_words(status, now)} ({keys})"

"""Rows of the uploads pane: which, in which order, and their cells. Pure.

The lines below the rows are in `upload_details`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.cells import cell_len

from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import byte_count
from tui_uploader.tui.lines.columns import Column, cell_text, clipped, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span, bar, without_ornament
from tui_uploader.wording.clock import about, done_at, middle
from tui_uploader.wording.upload_states import Urgency, distinctions, state_words, urgency
from tui_uploader.wording.uploads import carried_counts, percent_sent, rate

_WITH_BAR, _WIDE, _WIDEST = 64, 96, 150
"""Cells of a table that has space for a bar; for bytes and how long they take; for a long bar."""
_RATE, _GAP = 9, 2
_DONE, _DONE_IN = len("~14:29"), len("~14:29 (2 h 10 min)")
_SHORTEST_STATE = len("processing, ~14:32")
_MOST_FILES, _FEWEST_FILES = 30, 8
_MOST_MEASURED = 50
"""Rows whose texts decide the widths of columns: more are never seen together."""


class FoldedUploads(msgspec.Struct, frozen=True):
    """One row that stands for uploads that have ended."""

    number: int
    upload: None = None


Row = UploadStatus | FoldedUploads


class Ordered(msgspec.Struct, frozen=True):
    """The uploads in the order in which they are shown, and how many need the user, are active, and have ended."""

    uploads: tuple[UploadStatus, ...] = ()
    numbers: tuple[int, int, int] = (0, 0, 0)
    apart: Mapping[int, str] = {}
    """What tells uploads of the same name apart."""


def ordered(uploads: Sequence[UploadStatus], now: float) -> Ordered:
    """Those that need the user, then the active ones, the newest first; then those that ended, the latest first."""
    ranked = sorted(uploads, key=_rank)
    urgencies = [urgency(upload) for upload in uploads]
    needs, active, finished = (urgencies.count(each) for each in Urgency)
    return Ordered(tuple(ranked), (needs, active, finished), distinctions(uploads, now))


def _rank(status: UploadStatus) -> tuple[int, float, int]:
    found = urgency(status)
    ended = status.ended_at or 0.0 if found is Urgency.FINISHED else 0.0
    return found, -ended, -status.upload


def rows_of(found: Ordered, page: int, keep: int | None, *, unfolded: bool) -> tuple[Row, ...]:
    """The rows of the table. Where `page` lines do not hold all, those that have ended become one row.

    `keep`: an upload that stays a row of its own, because the cursor is on it.
    """
    finished = found.numbers[Urgency.FINISHED]
    if unfolded or len(found.uploads) <= page or finished < 2:
        return found.uploads
    before, ended = found.uploads[:-finished], found.uploads[-finished:]
    kept = tuple(upload for upload in ended if upload.upload == keep)
    return (*before, *kept, FoldedUploads(len(ended) - len(kept)))


def title_words(found: Ordered) -> str:
    """`: 1 needs you, 2 active, 5 finished`."""
    needs, active, finished = found.numbers
    asking = f"{needs:,} {'needs' if needs == 1 else 'need'} you, " if needs else ""
    return f": {asking}{active:,} active, {finished:,} finished"


def columns(found: Ordered, width: int, now: float, glyphs: Glyphs) -> tuple[Column, ...]:
    """The columns for a table of `width` cells: what is empty in all rows leaves its cells to the names."""
    seen = found.uploads[:_MOST_MEASURED]
    wide = width >= _WIDE
    sends = any(rate(upload) for upload in seen)
    most = _RATE + _GAP + (_DONE_IN if wide else _DONE)
    longest = max((cell_len(_state(upload, now)) for upload in seen), default=0)
    state = max(most if sends else 0, min(longest, most), min(longest, _SHORTEST_STATE), 8)
    files = max((cell_len(_text(count_spans(upload, glyphs))) for upload in seen), default=0)
    return (
        Column("", 1),
        Column("Project", 12, share=3),
        Column("Sent", *_bar(width), from_width=_WITH_BAR),
        Column("%", 5, right=True),
        *((Column("Of", len("900 KB of 1.20 GB"), right=True),) if wide else ()),
        Column(f"{'Rate':>{_RATE}}{' ' * _GAP}Done" if sends else "State", state),
        Column("Files", min(_MOST_FILES, max(_FEWEST_FILES, files)), share=1 if wide else 0),
    )


def _bar(width: int) -> tuple[int, int]:
    """Cells of the bar, and its share of spare cells."""
    return (8, 2) if width < _WIDE else (16 if width < _WIDEST else 30, 0)


def cells(
    row: Row, shown: Sequence[tuple[Column, int]], found: Ordered, now: float, glyphs: Glyphs
) -> list[list[Span]]:
    """One cell for each visible column."""
    if isinstance(row, FoldedUploads):
        return [_folded_cell(row, column.title, width, glyphs) for column, width in shown]
    return [_cell(row, column.title, width, found, now, glyphs) for column, width in shown]


def _folded_cell(row: FoldedUploads, title: str, width: int, glyphs: Glyphs) -> list[Span]:
    if title == "":
        return [Span(glyphs.states[UploadState.COMPLETE], "uploaded")]
    return (
        [Span(clipped(f"{row.number:,} finished", width, glyphs.cut))]
        if title == "Project"
        else ([Span("Enter", "muted")] if title == "Sent" else [])
    )


def _cell(status: UploadStatus, title: str, width: int, found: Ordered, now: float, glyphs: Glyphs) -> list[Span]:
    match title:
        case "":
            return [_glyph(status, glyphs)]
        case "Project":
            return [Span(name_cell(status, found.apart.get(status.upload, ""), width, glyphs))]
        case "Sent":
            return list(bar(status.bytes, width, glyphs))
        case "%":
            return [Span(f"{percent_sent(status)} %")]
        case "Of":
            return [Span(sent_of(status), "muted" if _ended(status) else "")]
        case "Files":
            return count_spans(status, glyphs)
        case _:
            return [_state_span(status, width, now, glyphs)]


def name_cell(status: UploadStatus, apart: str, width: int, glyphs: Glyphs) -> str:
    """The name of the project, which gives way to `apart`."""
    suffix = f" {apart}" if apart else ""
    return clipped_name(cell_text(status.project_name), max(4, width - cell_len(suffix)), glyphs.cut) + suffix


def sent_of(status: UploadStatus) -> str:
    """`56.2 of 119 MB`; `3.10 MB` when all is sent."""
    sent, total = byte_count(status.bytes.sent), byte_count(status.bytes.total)
    if status.bytes.sent >= status.bytes.total:
        return total
    unit = total.partition(" ")[2]
    return f"{sent.removesuffix(f' {unit}')} of {total}"


def _glyph(status: UploadStatus, glyphs: Glyphs) -> Span:
    if urgency(status) is Urgency.NEEDS_YOU:
        return Span(glyphs.statuses[FileStatus.FAILED] if status.counts.failed else "!", "failed")
    styles = {UploadState.COMPLETE: "uploaded", UploadState.PAUSED: "warning", UploadState.CANCELLED: "muted"}
    return Span(glyphs.states[status.state], styles.get(status.state, "uploading"))


def _ended(status: UploadStatus) -> bool:
    return urgency(status) is Urgency.FINISHED


def _state(status: UploadStatus, now: float) -> str:
    return cell_text(without_ornament(state_words(status, now)))


def _state_span(status: UploadStatus, width: int, now: float, glyphs: Glyphs) -> Span:
    speed = rate(status)
    words = _state(status, now)
    if speed is None or words:
        style = {Urgency.NEEDS_YOU: "failed", Urgency.FINISHED: "muted"}.get(urgency(status), "warning")
        return Span(clipped(words, width, glyphs.cut), "muted" if words == "starting" else style)
    if status.eta is None:
        return Span(f"{speed:>{_RATE}}")
    at = f"{speed:>{_RATE}}{' ' * _GAP}~{done_at(status.eta, now)}"
    span = f"{at} ({about(middle(status.eta))})"
    day = at.rpartition(" ")[0]  # of `Mon 14:29`, where there is no place for the time
    return Span(next((words for words in (span, at) if cell_len(words) <= width), day))


def count_spans(status: UploadStatus, glyphs: Glyphs) -> list[Span]:
    """`✗1 =2 ✓717 ⇡8 ∙466`, without zeros; problems come first, where they are never cut off.

    `⇡` counts what streams carry now; what is stored and not in the project yet counts as waiting.
    """
    counts = carried_counts(status)
    numbers = (
        (FileStatus.FAILED, counts.failed),
        (FileStatus.DUPLICATE, counts.duplicate),
        (FileStatus.UPLOADED, counts.uploaded),
        (FileStatus.UPLOADING, counts.uploading),
        (FileStatus.WAITING, counts.waiting),
    )
    return [Span(f"{glyphs.statuses[kind]}{number} ", kind) for kind, number in numbers if number]


def _text(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)

"""Rows of the files pane, and its orders and filters by status. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tui_uploader.model.files import FileItem, SortKey
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import ByteCounts, Counts
from tui_uploader.text import byte_count
from tui_uploader.tui.lines.columns import Column, cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span, bar
from tui_uploader.wording.amounts import byte_rate, percent
from tui_uploader.wording.files import other_name, reason

COLUMNS = (
    Column("", 1),
    Column("Name", 14, share=1, sort="name"),
    Column("Size", 8, right=True, sort="size"),
    Column("State", 18, share=2, sort="status"),
)
SORTS: tuple[SortKey, ...] = ("added", "name", "size", "status")
_BAR_CELLS = 8
_SMOOTHING = 0.5


class FileRate(msgspec.Struct, frozen=True):
    """The smoothed rate at which a file is sent."""

    sent: int
    """Bytes sent when the file was last seen."""
    at: float
    """When that was, in seconds of a monotonic clock."""
    bytes_per_second: float


def file_rates(before: Mapping[int, FileRate], files: Iterable[FileItem], now: float) -> dict[int, FileRate]:
    """The rates of the files that are uploading, by file id. `now`: seconds of a monotonic clock."""
    uploading = (file for file in files if file.status is FileStatus.UPLOADING)
    return {file.id: _updated_rate(before.get(file.id), file.sent, now) for file in uploading}


def _updated_rate(before: FileRate | None, sent: int, now: float) -> FileRate:
    if before is None or sent < before.sent:
        return FileRate(sent, now, 0.0)
    if now <= before.at:
        return before
    latest = (sent - before.sent) / (now - before.at)
    known = before.bytes_per_second
    return FileRate(sent, now, latest if known == 0.0 else _SMOOTHING * latest + (1 - _SMOOTHING) * known)


def file_cells(
    item: FileItem, columns: Sequence[tuple[Column, int]], rate: float, glyphs: Glyphs
) -> list[Sequence[Span]]:
    """One cell for each visible column."""
    return [_cell(item, column.title, width, rate, glyphs) for column, width in columns]


def _cell(item: FileItem, title: str, width: int, rate: float, glyphs: Glyphs) -> Sequence[Span]:
    match title:
        case "":
            return [Span(glyphs.statuses[item.status], item.status)]
        case "Name":
            return [Span(clipped_name(cell_text(item.name), width, glyphs.cut))]
        case "Size":
            return [Span(byte_count(item.size), "muted")]
        case _:
            return state_spans(item, rate, glyphs)


def state_spans(item: FileItem, rate: float, glyphs: Glyphs) -> Sequence[Span]:
    """Its progress, or why it waits, failed or is a duplicate."""
    status = item.status
    if status is FileStatus.UPLOADING and item.reason is None:
        moved = f" {percent(item.sent, item.size):3} %"
        pace = f" {byte_rate(rate)}" if rate > 0 else ""
        return [*bar(ByteCounts(total=item.size, sent=item.sent), _BAR_CELLS, glyphs), Span(moved + pace, status)]
    if status is FileStatus.UPLOADED:
        renamed = other_name(item)
        return [Span(f"uploaded as {cell_text(renamed)}" if renamed else "uploaded", status)]
    return [Span(cell_text(reason(item) or status), status)]


def count_words(total: int, counts: Counts | None, filtered: bool) -> str:
    """`37 of 12,480`, or only the number where nothing is filtered."""
    return f"{total:,} of {counts.total:,}" if filtered and counts is not None else f"{total:,}"


def next_status(status: FileStatus | None) -> FileStatus | None:
    """None stands for all; problems come first, because they are looked for most."""
    cycle = (
        None,
        FileStatus.FAILED,
        FileStatus.DUPLICATE,
        FileStatus.UPLOADING,
        FileStatus.WAITING,
        FileStatus.UPLOADED,
    )
    return cycle[(cycle.index(status) + 1) % len(cycle)]


def next_sort(sort: SortKey, descending: bool) -> tuple[SortKey, bool]:
    """Each column ascending, then descending; `added` is the order in which the files were found."""
    if not descending and sort != "added":
        return sort, True
    return SORTS[(SORTS.index(sort) + 1) % len(SORTS)], False


def clicked_sort(clicked: str, sort: SortKey, descending: bool) -> tuple[SortKey, bool]:
    """A click sorts by the column, a second one reverses the order."""
    return next(key for key in SORTS if key == clicked), clicked == sort and not descending

"""Rows of the files pane: files, and folds that stand for many of them; and the words about a file's state. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from tui_uploader.model.files import FileItem, FileWindow
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import ByteCounts
from tui_uploader.text import counted
from tui_uploader.tui.files.folders import FolderNames
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span, bar
from tui_uploader.wording.amounts import byte_rate, percent
from tui_uploader.wording.files import copied, holding, other_name, reason

_BAR_CELLS = 8
_SMOOTHING = 0.5
_FOLDED = {
    FileStatus.WAITING: "{} more waiting",
    FileStatus.DUPLICATE: "{} (not sent)",
    FileStatus.UPLOADED: "{} more uploaded",
}


class Fold(msgspec.Struct, frozen=True):
    """A row that stands for files of one status."""

    status: FileStatus
    files: int
    part: int = 0
    """Files of one status are folded in two parts while the cursor is on a file between them."""


FileRow = FileItem | Fold


def rows_of(window: FileWindow) -> list[FileRow]:
    """The rows of `window` in order."""
    rows: list[FileRow] = list(window.files)
    parts: dict[FileStatus, int] = {}
    for fold in sorted(window.folds, key=lambda each: each.row):
        part = parts[fold.status] = parts.get(fold.status, -1) + 1
        rows.insert(fold.row - window.offset, Fold(fold.status, fold.files, part))
    return rows


def row_key(row: FileRow) -> Hashable:
    return row.id if isinstance(row, FileItem) else (row.status, row.part)


def fold_spans(fold: Fold, glyphs: Glyphs) -> list[Span]:
    """`∙ 232 more waiting`."""
    number = counted(fold.files, "more duplicate") if fold.status is FileStatus.DUPLICATE else f"{fold.files:,}"
    words = _FOLDED.get(fold.status, f"{{}} more {fold.status}").format(number)
    return [Span(glyphs.statuses[fold.status], fold.status), Span(f" {words}", "muted")]


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


class StateWords(msgspec.Struct, frozen=True):
    """What the words about a file's state depend on beside the file."""

    glyphs: Glyphs
    folders: FolderNames
    today: date
    uploaded_elsewhere: bool = False
    """Another column says when it was uploaded."""
    renamed_elsewhere: bool = False
    """Another column names it as it is called in the project."""


def state_spans(item: FileItem, rate: float, look: StateWords) -> Sequence[Span]:
    """Its progress, or why it waits, failed or is a duplicate. `rate`: bytes a second."""
    status = item.status
    match status:
        case FileStatus.UPLOADING if item.hold is None and item.reason is None:
            moved = f" {percent(item.sent, item.size):3} %"
            pace = f" {byte_rate(rate)}" if rate > 0 else ""
            return [
                *bar(ByteCounts(total=item.size, sent=item.sent), _BAR_CELLS, look.glyphs),
                Span(moved + pace, status),
            ]
        case FileStatus.UPLOADED:
            return [Span(_uploaded_words(item, look), status)]
        case FileStatus.DUPLICATE if item.duplicate_of is not None and item.duplicate_of != item.path:
            return [Span(copied(look.folders.located(item.duplicate_of)), status)]
        case FileStatus.WAITING | FileStatus.UPLOADING:
            return [Span(cell_text(holding(item) or reason(item) or status), status)]
    return [Span(cell_text(reason(item) or status), status)]


def _uploaded_words(item: FileItem, look: StateWords) -> str:
    """`14:19  as DJI_0001-739bb7.JPG`."""
    known = item.uploaded_at is not None and not look.uploaded_elsewhere
    words = uploaded_words(item.uploaded_at, look.today) if known else "uploaded"
    renamed = None if look.renamed_elsewhere else other_name(item)
    return f"{words}  as {cell_text(renamed)}" if renamed else words


def uploaded_words(at: float | None, today: date) -> str:
    """The local time, with the date unless that is `today`: `14:19`, `28 Nov 14:19`."""
    if at is None:
        return ""
    then = datetime.fromtimestamp(at)
    return f"{then:%H:%M}" if then.date() == today else f"{then.day} {then:%b %H:%M}"

"""The columns of the files pane: which ones a table of some width shows, how wide, and their cells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec
from rich.cells import cell_len

from tui_uploader.model.files import FileItem
from tui_uploader.model.states import FileStatus
from tui_uploader.text import byte_count
from tui_uploader.tui.files.folders import FolderNames
from tui_uploader.tui.files.rows import FileRate, StateWords, state_spans, uploaded_words
from tui_uploader.tui.lines.columns import Column, cell_text, clipped, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.wording.files import in_short, other_name, result_words, shown_status


class Widths(msgspec.Struct, frozen=True):
    """Cells that the widest text of a column has needed so far. They only grow, so that columns do not jump."""

    name: int = 4
    folder: int = 6
    camera: int = 6
    object: int = 10
    taken_on: frozenset[date] = frozenset()
    """Two of the days on which photos were taken, if there were several: then the day is shown too."""
    result: int = 0
    """Of the type of a result, or of what a companion is part of; 0: there are no results."""

    def including(self, files: Iterable[FileItem], folders: FolderNames) -> Widths:
        name, folder, camera, named, days = self.name, self.folder, self.camera, self.object, self.taken_on
        result = self.result
        for file in files:
            name = max(name, cell_len(cell_text(file.name)))
            folder = max(folder, cell_len(folders.of(file.path)))
            camera = max(camera, cell_len(cell_text(file.camera or "")))
            named = max(named, cell_len(other_name(file) or ""))
            result = max(result, cell_len(result_words(file)))
            if len(days) < 2 and (taken := _camera_time(file.taken_at)):
                days |= {taken.date()}
        return Widths(name, folder, camera, named, days, result)


def file_columns(widths: Widths) -> tuple[Column, ...]:
    """All columns in order. Other facts give way first, then names to folders, and folders to states."""
    if widths.result:
        return _columns_of_results(widths)
    several_days = len(widths.taken_on) > 1
    return (
        Column("", 1),
        Column("Name", min(widths.name, 40), least=12, gives_way=2, sort="name"),
        Column("Folder", min(widths.folder, 24), least=9, gives_way=3, sort="folder"),
        Column("Taken", 15 if several_days else 8, least=8, gives_way=1, from_width=70, sort="taken"),
        Column("GPS", 3, from_width=80),
        Column("Camera", min(widths.camera, 16), least=6, gives_way=1, from_width=115),
        Column("Height", 6, right=True, from_width=115),
        Column("Size", 7, right=True, sort="size"),
        Column("State", 30, least=18, share=1, gives_way=4, sort="activity"),
        Column("Uploaded", 12, least=8, gives_way=1, from_width=100, sort="uploaded"),
        Column("Name in project", min(widths.object, 32), least=15, gives_way=1, from_width=140),
    )


def _columns_of_results(widths: Widths) -> tuple[Column, ...]:
    """Without facts about photos."""
    return (
        Column("", 1),
        Column("Name", min(widths.name, 40), least=12, gives_way=2, sort="name"),
        Column("Type", min(widths.result, 28), least=11, gives_way=1),
        Column("Folder", min(widths.folder, 24), least=9, gives_way=3, from_width=70, sort="folder"),
        Column("Size", 7, right=True, sort="size"),
        Column("State", 30, least=18, share=1, gives_way=4, sort="activity"),
        Column("Uploaded", 12, least=8, gives_way=1, from_width=100, sort="uploaded"),
        Column("Name in project", min(widths.object, 32), least=15, gives_way=1, from_width=140),
    )


class Look(msgspec.Struct, frozen=True):
    """What cells depend on beside their file."""

    glyphs: Glyphs
    folders: FolderNames
    rates: Mapping[int, FileRate]
    today: date


def file_cells(item: FileItem, columns: Sequence[tuple[Column, int]], look: Look) -> list[Sequence[Span]]:
    """One cell for each visible column."""
    titles = {column.title for column, _ in columns}
    words = StateWords(look.glyphs, look.folders, look.today, "Uploaded" in titles, "Name in project" in titles)
    rate = look.rates[item.id].bytes_per_second if item.id in look.rates else 0.0
    return [
        _state(item, rate, words, width) if column.title == "State" else [_cell(item, column.title, width, look)]
        for column, width in columns
    ]


def _state(item: FileItem, rate: float, words: StateWords, width: int) -> Sequence[Span]:
    """In a narrow column the shortest words of why a file failed: the details say all."""
    spans = state_spans(item, rate, words)
    if item.status is FileStatus.FAILED and sum(cell_len(span.text) for span in spans) > width:
        return [Span(in_short(span.text), span.style) for span in spans]
    return spans


def _cell(item: FileItem, title: str, width: int, look: Look) -> Span:
    cut = look.glyphs.cut
    match title:
        case "":
            status = shown_status(item)
            return Span(look.glyphs.statuses[status], status)
        case "Name":
            return Span(clipped_name(cell_text(item.name), width, cut))
        case "Type":
            return Span(clipped_name(cell_text(result_words(item)), width, cut), "muted" if item.belongs_to else "")
        case "Folder":
            return Span(clipped_folder(look.folders.of(item.path), width, cut), "muted")
        case "Taken":
            return Span(taken_words(item.taken_at, width), "muted")
        case "GPS":
            return _position(item, look.glyphs)
        case "Camera":
            return Span(clipped_name(cell_text(item.camera or ""), width, cut), "muted")
        case "Height":
            return Span("" if item.height is None else f"{item.height:.0f} m", "muted")
        case "Size":
            return Span(byte_count(item.size), "muted")
        case "Uploaded":
            return Span(uploaded_words(item.uploaded_at, look.today), "muted")
        case _:
            return Span(clipped_name(cell_text(other_name(item) or ""), width, cut), "muted")


def _position(item: FileItem, glyphs: Glyphs) -> Span:
    if item.located is None:
        return Span("--", "muted")
    return Span(glyphs.yes, "muted") if item.located else Span("no", "warning")


def clipped_folder(name: str, width: int, cut: str) -> str:
    """At most `width` cells of a folder's name. What tells it apart is before its last slash, and keeps its end."""
    if cell_len(name) <= width:
        return name
    apart, slash, last = name.rpartition("/")
    if not slash:
        return clipped_name(name, width, cut)
    of_apart = min(cell_len(apart), max(2, width // 2))
    kept = apart
    while cell_len(kept) > of_apart - 1 and kept:
        kept = kept[1:]
    shown = apart if cell_len(apart) <= of_apart else f"{cut}{kept}"
    return clipped(f"{shown}/{clipped_name(last, max(1, width - cell_len(shown) - 1), cut)}", width, cut)


def taken_words(at: float | None, width: int) -> str:
    """`11:00:12`, with the day in a column that is wide enough; `--` where it is not known."""
    taken = _camera_time(at)
    if taken is None:
        return "--"
    day = f"{taken.day:2} {taken:%b} " if width > len("11:00:12") else ""
    return f"{day}{taken:%H:%M:%S}"


def _camera_time(at: float | None) -> datetime | None:
    """The time by the camera's clock, which has no zone; None if unknown or impossible."""
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None

"""The title of the files pane, and the line below the files: facts first, names in what is left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.cells import cell_len

from tui_uploader.model.files import FileProperty, FileQuery
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.text import byte_count
from tui_uploader.tui.files.orders import DEFAULT, order_of
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span

_SHORTEST_NAME = 8
"""Cells of a name that are worth showing."""
_LONGEST_TEXT = 16
_PROPERTIES = {
    FileProperty.MOVING: "moving",
    FileProperty.RENAMED: "renamed",
    FileProperty.NO_GPS: "without GPS",
    FileProperty.DAMAGED: "damaged",
    FileProperty.RESULTS: "results",
}
_COUNTED = (
    FileStatus.FAILED,
    FileStatus.UPLOADING,
    FileStatus.WAITING,
    FileStatus.DUPLICATE,
    FileStatus.UPLOADED,
)


class Title(msgspec.Struct, frozen=True):
    """What the title says."""

    name: str
    """Of the project, safe for a terminal."""
    query: FileQuery = FileQuery()
    matching: int | None = None
    """Files that match the filter; None: there is no upload."""
    counts: Counts | None = None
    """Of all files, filtered or not."""
    bytes: int = 0
    selected: int = 0
    ranging: bool = False
    unfolded: tuple[FileStatus, ...] = ()


def filtered(query: FileQuery) -> bool:
    return bool(query.text or query.status or query.except_status or query.property or query.except_property)


def title_spans(title: Title, width: int, glyphs: Glyphs) -> list[Span]:
    """The title in `width` cells: its order, bytes and counts by status are left out first; then the name is cut."""
    facts = [Span(f"  {_count_words(title)}")] if title.matching is not None else []
    facts += [Span(f"  {words}", "strong") for words in filter_words(title.query, glyphs)]
    if title.selected or title.ranging:
        selected = f"  {glyphs.mark} {title.selected:,} selected"
        facts.append(Span(f"{selected}, range" if title.ranging else selected, "strong"))
    head = Span("[2] Files", "strong")
    free = width - _cells([head, *facts])
    if free < 0:
        return [Span("[2]", "strong"), *facts]
    whole_name = cell_len(title.name) + 2 if title.name else 0
    if free < whole_name:
        name = clipped_name(title.name, free - 2, glyphs.cut) if free - 2 >= _SHORTEST_NAME else ""
        return [head, Span(f"  {name}" if name else ""), *facts]
    spare = free - whole_name
    extras = _fitting(_extras(title, glyphs), spare)
    spare -= _cells(extras)
    order = order_words(title.query, glyphs) if title.matching is not None else ""
    end = [Span(" " * (spare - cell_len(order)) + order, "muted")] if order and cell_len(order) + 2 <= spare else []
    return [head, Span(f"  {title.name}" if title.name else ""), *facts, *extras, *end]


def order_words(query: FileQuery, glyphs: Glyphs) -> str:
    """`by activity ▾`."""
    arrow = glyphs.descending if query.descending or query.sort == DEFAULT else glyphs.ascending
    return f"by {order_of(query.sort).word} {arrow}"


def _count_words(title: Title) -> str:
    """`466 files`, or `37 of 466` where the files are filtered."""
    matching = title.matching or 0
    if filtered(title.query) and title.counts is not None:
        return f"{matching:,} of {title.counts.total:,}"
    return f"{matching:,} {'file' if matching == 1 else 'files'}"


def _extras(title: Title, glyphs: Glyphs) -> list[list[Span]]:
    """The bytes and the counts by status, each of which may be left out."""
    if title.counts is None or not title.counts.total:
        return []
    counts = [
        Span(f"{glyphs.statuses[status]}{number:,} ", status)
        for status in _COUNTED
        if (number := int(getattr(title.counts, status)))
    ]
    size = [[Span(f", {byte_count(title.bytes)}")]] if title.bytes and not filtered(title.query) else []
    return [*size, [Span("   "), *counts]]


def filter_words(query: FileQuery, glyphs: Glyphs) -> list[str]:
    """`/dji`, `only failed`, `all but damaged`: each part of the filter."""
    words = []
    if query.text:
        words.append(f"/{clipped_name(cell_text(query.text), _LONGEST_TEXT, glyphs.cut)}")
    if query.status:
        words.append(f"{glyphs.statuses[query.status]} only {query.status}")
    if query.except_status:
        words.append(f"{glyphs.statuses[query.except_status]} all but {query.except_status}")
    if query.property:
        words.append(f"only {_PROPERTIES[query.property]}")
    if query.except_property:
        words.append(f"all but {_PROPERTIES[query.except_property]}")
    return words


def _fitting(parts: Iterable[Sequence[Span]], width: int) -> list[Span]:
    shown: list[Span] = []
    for part in parts:
        if _cells(part) <= width - _cells(shown):
            shown += part
    return shown


def _cells(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def empty_words(title: Title, glyphs: Glyphs) -> tuple[str, ...]:
    """What is filtered, when nothing matches."""
    words = ", ".join(filter_words(title.query, glyphs))
    every = title.counts.total if title.counts is not None else 0
    whose = f"None of the {every:,} files matches" if every else "No file matches"
    return (f"{whose}: {words}", "", "Esc shows all files; / changes the filter, f the status.")


def info_spans(title: Title, width: int, glyphs: Glyphs) -> list[Span]:
    """The line below the files: what is filtered, selected or unfolded, and the keys for it, as many as fit."""
    facts: list[Span] = []
    keys: list[tuple[str, str]] = []
    if title.selected or title.ranging:
        ends = [("V", "ends the range")] if title.ranging else [("V", "range")]
        facts.append(Span(f" {title.selected:,} selected", "strong"))
        keys += [
            ("R", "retry"),
            ("x", "remove"),
            ("v", "view"),
            ("Y", "copy paths"),
            *ends,
            ("A", "all shown"),
            ("Esc", "none"),
        ]
    if filtered(title.query):
        words = ", ".join(filter_words(title.query, glyphs))
        number = f": {_count_words(title)}" if title.matching is not None else ""
        facts.append(Span(f" {words}{number}"))
        some = [("n N", "next"), ("A", "select all shown")] if title.matching else []
        keys += [("/", "change"), ("f", "status"), *some, ("Esc", "show all")]
    elif title.unfolded:
        facts.append(Span(f" all {' and '.join(title.unfolded)} files shown"))
        keys += [("-", "folds them")]
    spans = facts
    for key, label in _first_of_each(keys):
        more = [Span(f"   {key}", "key"), Span(f" {label}")]
        if _cells([*spans, *more]) <= width:
            spans = [*spans, *more]
    return spans


def _first_of_each(keys: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each key once."""
    return [(key, label) for at, (key, label) in enumerate(keys) if key not in {each for each, _ in keys[:at]}]

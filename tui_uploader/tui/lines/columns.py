"""Lay out lines of cells: every text gets exactly the width of its column, whatever it contains. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size

from tui_uploader.text import printable
from tui_uploader.tui.lines.glyphs import Glyphs, Span

_GAP = 1
_LONGEST = 2_000

# Joiners and variation selectors change the width of their neighbours, in every terminal differently.
_WIDTH_CHANGERS = dict.fromkeys((0x200D, *range(0xFE00, 0xFE10)))


def cell_text(text: str) -> str:
    """`text` from outside made safe, and of a width on which all terminals agree."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", printable(text[:_LONGEST]).translate(_WIDTH_CHANGERS))


def clipped(text: str, width: int, cut: str) -> str:
    """At most `width` cells of `text`; `cut` marks the missing end."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + cut if width > 0 else ""


def clipped_name(name: str, width: int, cut: str) -> str:
    """At most `width` cells of a file name, keeping its end, where numbers and extensions are."""
    if cell_len(name) <= width:
        return name
    tail = _last_cells(name, min(12, (width - 1) // 2))
    return clipped(name, width - cell_len(tail), cut) + tail


def _last_cells(text: str, width: int) -> str:
    taken = 0
    for index in range(len(text) - 1, -1, -1):
        taken += cell_len(text[index])
        if taken > width:
            return text[index + 1 :].lstrip("".join(c for c in text[index + 1 :] if not cell_len(c)))
    return text


def wrapped(text: str, width: int, *, most: int) -> list[str]:
    """`text` in at most `most` lines of at most `width` cells, broken between words where that is possible."""
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        candidate = f"{current} {word}" if current else word
        if cell_len(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        while cell_len(word) > width > 0:
            head = _head(word, width)
            lines.append(head)
            word = word[len(head) :]
        current = word
    return [*lines, current][:most]


def _head(word: str, width: int) -> str:
    """The longest beginning of at most `width` cells, at least one character."""
    end = 1
    while end < len(word) and cell_len(word[: end + 1]) <= width:
        end += 1
    return word[:end]


class Column(msgspec.Struct, frozen=True):
    """One column of a table."""

    title: str
    width: int
    """Cells; for a flexible column the minimum."""
    share: int = 0
    """Share of the spare cells; 0: a fixed column."""
    least: int = 0
    """Cells that it keeps in a table that is too narrow; for columns that give way."""
    gives_way: int = 0
    """Turn in which it gives cells to the others in a table that is too narrow, from 1; 0: it keeps its width."""
    right: bool = False
    from_width: int = 0
    """Hidden in tables that are narrower."""
    sort: str = ""
    """The sort key for this column; empty: not sortable."""


def layout(columns: Sequence[Column], total: int) -> tuple[tuple[Column, int], ...]:
    """The columns that a table of `total` cells shows, with their widths; together with gaps they fill it."""
    shown = [column for column in columns if total >= column.from_width]
    spare = total - sum(column.width for column in shown) - _GAP * max(0, len(shown) - 1)
    shares = sum(column.share for column in shown)
    given = _given(shown, -spare)
    widths = []
    for column, less in zip(shown, given, strict=True):
        extra = max(0, spare) * column.share // shares if shares else 0
        widths.append(column.width + extra - less)
    flexible = [index for index, column in enumerate(shown) if column.share]
    if flexible:
        missing = total - sum(widths) - _GAP * (len(shown) - 1)
        widths[flexible[-1]] = max(0, widths[flexible[-1]] + missing)
    return tuple(zip(shown, widths, strict=True))


def _given(columns: Sequence[Column], missing: int) -> list[int]:
    """The cells that each column gives away where `missing` ones are needed."""
    given = [0] * len(columns)
    in_turn = sorted((column.gives_way, index) for index, column in enumerate(columns) if column.gives_way)
    for _, index in in_turn:
        given[index] = min(max(0, missing), max(0, columns[index].width - columns[index].least))
        missing -= given[index]
    return given


def fitted(spans: Iterable[Span], width: int, glyphs: Glyphs, *, right: bool = False) -> list[Span]:
    """The spans, padded or clipped to exactly `width` cells."""
    fitting: list[Span] = []
    left = width
    for span in spans:
        if left <= 0:
            break
        text = clipped(span.text, left, glyphs.cut)
        fitting.append(span._replace(text=text))
        left -= cell_len(text)
    if left > 0:
        padding = Span(" " * left)
        fitting = [padding, *fitting] if right else [*fitting, padding]
    return fitting


def line(columns: Sequence[tuple[Column, int]], cells: Sequence[Sequence[Span]], glyphs: Glyphs) -> list[Span]:
    """One row: `cells` holds the spans of each shown column."""
    spans: list[Span] = []
    for (column, width), cell in zip(columns, cells, strict=True):
        if spans:
            spans.append(Span(" " * _GAP))
        spans += fitted(cell, width, glyphs, right=column.right)
    return spans


def header(columns: Sequence[tuple[Column, int]], sort: str, descending: bool, glyphs: Glyphs) -> list[Span]:
    """The titles, with an arrow at the column that the table is sorted by."""
    arrow = glyphs.descending if descending else glyphs.ascending
    titles = [
        [Span(f"{column.title}{arrow}" if column.sort and column.sort == sort else column.title)]
        for column, _ in columns
    ]
    return line(columns, titles, glyphs)


def column_at(columns: Sequence[tuple[Column, int]], x: int) -> Column | None:
    """The column at cell `x`, counted from 0; None beyond the last."""
    for column, width in columns:
        if x < width + _GAP:
            return column
        x -= width + _GAP
    return None

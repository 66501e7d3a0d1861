"""The lines around a picture: what is shown, its facts, the keys that apply to it, and notes."""

from __future__ import annotations

from rich.cells import cell_len

from tui_uploader.model.files import FileItem, PhotoFacts
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine, SpanLines
from tui_uploader.tui.pictures.captions import fact_column, fact_lines, state_spans
from tui_uploader.tui.pictures.file_steps import Place

BESIDE_FROM = 100
"""Columns from which the facts stand beside the picture."""
_FACT_CELLS, _FACT_LINES = 42, 2
_ONE_LINE_FROM = 114
"""Columns from which all keys are in one line."""
_LONGEST_NAME = 60
_REMOVABLE = (FileStatus.WAITING, FileStatus.DUPLICATE, FileStatus.FAILED)


class PictureLines:
    """The widgets. Their heights never change with the file, so that the picture between them keeps its size."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self.title, self.note = (SpanLine(glyphs, classes="caption") for _ in range(2))
        self.beside, self.below, self.keys = (SpanLines(glyphs, id=name) for name in ("beside", "below", "keys"))

    def show_file(self, place: Place, width: int, *, marked: bool, zoomed: bool) -> None:
        left = [Span(" removed", "strong")] if place.gone else state_spans(place.item, self._glyphs)
        if marked:
            left = [Span(f" {self._glyphs.mark}", "strong"), *left]
        where = "U undoes it" if place.gone else "not in this list any more"
        position = where if place.index is None else f"{place.index + 1:,} of {place.total:,}"
        if not place.total and not place.gone:
            position = ""  # not known yet
        problem = f"problem {place.problem[0]:,} of {place.problem[1]:,}   " if place.problem else ""
        right = f"{problem}{position} "
        free = width - sum(cell_len(span.text) for span in left) - len(right) - 4
        name = clipped_name(cell_text(place.item.name), max(1, min(_LONGEST_NAME, free)), self._glyphs.cut)
        self.title.show([*left, Span(f"  {name}", "strong")], [Span(right)])
        self._show_keys(place, width, zoomed=zoomed)

    def show_facts(self, item: FileItem, facts: PhotoFacts | None, trouble: str, width: int) -> None:
        """`facts`: None while they are asked for; `trouble`: why they cannot be had."""
        if width >= BESIDE_FROM:
            self.beside.show(fact_column(item, facts, trouble, _FACT_CELLS, self._glyphs))
            self.below.show([])
        else:
            lines = fact_lines(item, facts, trouble, width, _FACT_LINES)
            self.below.show([*lines, *([] for _ in range(_FACT_LINES - len(lines)))])

    def say(self, text: str) -> None:
        self.note.show([Span(f" {cell_text(text)}", "strong")])

    def show_note(self, width: int, zoom: str, sent: str = "", how: str = "") -> None:
        """What is shown, and the bytes it took: as much as fits, the bytes first."""
        for left, right in ((zoom, f"{sent} ({how})" if how else ""), (zoom, sent), (sent, "")):
            if cell_len(left) + cell_len(right) + 3 <= width:
                break
        self.note.show([Span(f" {left}")], [Span(f"{right} ", "muted")] if right else [])

    def _show_keys(self, place: Place, width: int, *, zoomed: bool) -> None:
        status = None if place.gone else place.item.status
        keys = [("Left Right", "image"), ("n N", "problem"), ("z Z", "zoom")]
        keys += [("h j k l", "move")] if zoomed else []
        keys += [("U", "undo")] if place.gone else [("Space", "select")]
        keys += [("R", "retry")] if status is FileStatus.FAILED else []
        keys += [("x", "remove")] if status in _REMOVABLE else []
        keys += [("y", "copy path"), ("Esc", "close")]
        lines: list[list[Span]] = [[]]
        for key, label in keys:
            spans = [Span(f" {key}", "key"), Span(f" {label} ")]
            if lines[-1] and sum(cell_len(span.text) for span in (*lines[-1], *spans)) > width:
                lines.append([])
            lines[-1] += spans
        most = 1 if width >= _ONE_LINE_FROM else 2
        self.keys.show([*lines[:most], *([] for _ in range(most - len(lines)))])

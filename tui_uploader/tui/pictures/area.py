"""The widget that shows a picture in its cells, or a sentence instead of one."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.tui.lines.columns import cell_text, wrapped
from tui_uploader.tui.lines.glyphs import Span
from tui_uploader.tui.lines.spans import segments
from tui_uploader.tui.pictures.cells import CellPicture, Colour, Rows

_MOST_LINES = 6
_RULE = "-"


class CellArea(Widget):
    """A picture in the middle. Drawn only when it is told to show something else."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._strips: list[Strip] = []
        self._rule: tuple[int, str] | None = None
        self._sentence, self._style = "", ""

    def show(self, picture: CellPicture, rule: tuple[int, str] | None = None) -> None:
        """`rule`: a line of the picture, and the sentence that is drawn across it; nothing is drawn below it."""
        self._strips, self._rule = strips(picture.rows, self.rich_style), rule
        self._sentence = ""
        self.refresh()

    def show_sentence(self, sentence: str, style: str = "muted") -> None:
        if (sentence, style, []) != (self._sentence, self._style, self._strips):
            self._strips, self._sentence, self._style = [], sentence, style
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if self._sentence:
            return self._sentence_line(y)
        line = y - (self.size.height - len(self._strips)) // 2
        if not 0 <= line < len(self._strips) or (self._rule is not None and line > self._rule[0]):
            return Strip.blank(width, base)
        if self._rule is not None and line == self._rule[0]:
            ruled = f" {self._rule[1]} ".center(max(0, width - 2), _RULE)
            return Strip(segments(self, [Span(f" {ruled}", "warning")], base)).adjust_cell_length(width, base)
        strip = self._strips[line]
        left = Strip.blank(max(0, width - strip.cell_length) // 2, base)
        return Strip.join((left, strip)).adjust_cell_length(width, base)

    def _sentence_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        lines = wrapped(cell_text(self._sentence), max(1, width - 2), most=_MOST_LINES)
        line = y - (self.size.height - len(lines)) // 2
        spans = [Span(f" {lines[line]}", self._style)] if 0 <= line < len(lines) else []
        return Strip(segments(self, spans, base)).adjust_cell_length(width, base)


def strips(rows: Rows, base: Style) -> list[Strip]:
    """`rows` as Textual strips; `base` is the style of cells without colours of their own."""
    known: dict[tuple[Colour | None, Colour | None], Style] = {}

    def style(ink: Colour | None, paper: Colour | None) -> Style:
        found = known.get((ink, paper))
        if found is None:
            own = Style(color=Color.from_rgb(*ink) if ink else None, bgcolor=Color.from_rgb(*paper) if paper else None)
            found = known[ink, paper] = base + own
        return found

    return [Strip([Segment(run.text, style(run.ink, run.paper)) for run in row]) for row in rows]

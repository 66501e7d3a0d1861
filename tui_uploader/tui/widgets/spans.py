"""From spans to what Textual draws. Spans name their style; `spans.tcss` says what it looks like in any theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.tui.columns import clipped
from tui_uploader.tui.glyphs import Glyphs, Span

SPAN_STYLES = (
    *("uploaded", "uploading", "waiting", "duplicate", "failed"),
    *("registered", "stored", "sent", "ahead"),
    *("muted", "strong", "warning", "error", "key"),
)
SPAN_CLASSES = {f"span--{style}" for style in SPAN_STYLES}
"""For the `COMPONENT_CLASSES` of a widget that draws spans."""


def segments(widget: Widget, spans: Iterable[Span], base: Style, *, coloured: bool = True) -> list[Segment]:
    """With `coloured` off only the base's colours count, as on a row that the cursor is on."""
    drawn = []
    for span in spans:
        style = base
        if span.style:
            own = widget.get_component_rich_style(f"span--{span.style}")
            style = base + Style(color=own.color if coloured else None, bold=own.bold or None)
        drawn.append(Segment(span.text, style))
    return drawn


class SpanLine(Widget):
    """One line of spans at the left, and more at the right where there is room. Redrawn only when it changed."""

    COMPONENT_CLASSES = SPAN_CLASSES

    def __init__(self, glyphs: Glyphs, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self._left: tuple[Span, ...] = ()
        self._right: tuple[Span, ...] = ()

    def show(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    @property
    def text(self) -> str:
        """What it says, however much of it fits."""
        return "".join(span.text for span in (*self._left, *self._right))

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.size.width
        if y:
            return Strip.blank(width, base)
        return Strip(segments(self, between(self._left, self._right, width, self._glyphs), base)).adjust_cell_length(
            width, base
        )


def between(left: Sequence[Span], right: Sequence[Span], width: int, glyphs: Glyphs) -> list[Span]:
    """`left` from the left, `right` up to the right edge; what has no room at the right is left out, then clipped."""
    taken = sum(cell_len(span.text) for span in left)
    wanted = sum(cell_len(span.text) for span in right)
    if right and taken + wanted + 1 <= width:
        return [*left, Span(" " * (width - taken - wanted)), *right]
    line: list[Span] = []
    free = width
    for span in left:
        line.append(span._replace(text=clipped(span.text, free, glyphs.cut)))
        free -= cell_len(line[-1].text)
        if free <= 0:
            break
    return line

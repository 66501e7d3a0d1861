"""Turn spans into what Textual draws, in any theme. The shape shows the status, the colour repeats it.

`contrast.ReadableFilter` makes the colours readable, whatever the theme says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.tui.lines.columns import clipped
from tui_uploader.tui.lines.glyphs import Glyphs, Span

# Theme colour of each style. Looked up here rather than in a stylesheet, which would compute every colour for every
# widget before the first frame.
_COLOURS: Mapping[str, str] = {
    "uploaded": "text-success",
    "uploading": "text-primary",
    "waiting": "foreground-muted",
    "duplicate": "text-error",
    "failed": "text-error",
    "registered": "success",
    "stored": "secondary",
    "sent": "primary",
    "ahead": "foreground-muted",
    "muted": "foreground-muted",
    "warning": "text-warning",
    "error": "text-error",
    "key": "footer-key-foreground",
}
_BOLD = frozenset({"failed", "strong", "error", "key", "button"})
_REVERSED = frozenset({"button"})


@lru_cache(maxsize=512)
def _drawn(name: str, colour: str | None, background: RichColor | None) -> Style:
    """The style for `colour` as the theme writes it; a translucent colour is blended with the background."""
    bold = name in _BOLD or None
    if colour is None:
        return Style(bold=bold, reverse=name in _REVERSED or None)
    if colour.startswith("ansi_") and colour.endswith("%"):
        return Style(dim=True, bold=bold)  # a terminal's own colours cannot be blended
    parsed = Color.parse(colour)
    if background is not None and not background.is_default and parsed.ansi is None:
        parsed = Color.from_rich_color(background).blend(parsed, parsed.a)
    return Style(color=parsed.rich_color, bold=bold)


def segments(
    widget: Widget, spans: Iterable[Span], base: Style, *, coloured: bool = True, on_bar: bool = False
) -> list[Segment]:
    """Segments for `spans` in the style `base`; without `coloured` in its colours only.

    `on_bar`: in the strong colours of the theme, which still differ from each other on a background of colour.
    """
    theme = widget.app.theme_variables
    drawn = []
    for span in spans:
        style = base
        if span.style:
            name = _COLOURS.get(span.style, "") if coloured else ""
            colour = theme.get(name.removeprefix("text-") if on_bar else name)
            style = base + _drawn(span.style, colour, base.bgcolor)
        drawn.append(Segment(span.text, style))
    return drawn


class SpanLine(Widget):
    """One line of spans at the left, and more at the right if it fits. Redrawn only when it changed."""

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
        """The whole text, whether it fits or not."""
        return "".join(span.text for span in (*self._left, *self._right))

    def spans(self, width: int) -> Sequence[Span]:
        """What is shown in `width` cells."""
        return between(self._left, self._right, width, self._glyphs)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.size.width
        if y:
            return Strip.blank(width, base)
        return Strip(segments(self, self.spans(width), base)).adjust_cell_length(width, base)


class SpanLines(Widget):
    """Several lines of spans; its height is their number. Redrawn only when they changed."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._lines: list[list[Span]] = []

    def show(self, lines: list[list[Span]]) -> None:
        if lines != self._lines:
            if len(lines) != len(self._lines):
                self.styles.height = len(lines)
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, base)
        line = between(self._lines[y], (), width, self._glyphs)
        return Strip(segments(self, line, base)).adjust_cell_length(width, base)


def between(left: Sequence[Span], right: Sequence[Span], width: int, glyphs: Glyphs) -> list[Span]:
    """`left`, then `right` at the right edge; where both do not fit, `right` is dropped and `left` clipped."""
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

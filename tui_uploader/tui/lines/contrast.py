"""Words that can be read: a filter over everything that is drawn, for the themes whose colours are too close.

Contrast as in WCAG 2.1, section 1.4.3: from 1 (none) to 21 (black on white).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

LEAST = 4.5
"""Least contrast of text (WCAG 2.1, AA)."""
_LEAST_OF_BAR = 7.0
"""Least contrast of plain text on a bar of colour: other colours on it then still differ from each other."""
_BLACK, _WHITE = Color(0, 0, 0), Color(255, 255, 255)
_STEPS = 20
_NO_WORDS = " ▀▄█▌▐▔▁▎▊"
"""Blanks, halves of pictures, and the edges that Textual draws."""


class ReadableFilter(LineFilter):
    """Moves the colour of text away from that of its background where it is too close."""

    def __init__(self, *, in_palette: bool) -> None:
        """`in_palette`: the terminal rounds colours to the nearest of 256."""
        super().__init__()
        self._in_palette = in_palette

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(segment.text, legible(segment.style, self._in_palette), segment.control)
            if segment.style is not None and segment.text.strip(_NO_WORDS)
            else segment
            for segment in segments
        ]


class ReadableApp(App[None]):
    """An app with this filter."""

    _readable: ReadableFilter | None = None

    def get_line_filters(self) -> Sequence[LineFilter]:
        if self._readable is None:
            self._readable = ReadableFilter(in_palette=self.console.color_system == "256")
        return (*super().get_line_filters(), self._readable)


@lru_cache(maxsize=1024)
def legible(style: Style, in_palette: bool = False) -> Style:
    """`style` with a foreground that is readable on its background, where both are RGB colours."""
    if style.color is None or style.bgcolor is None or not (style.color.triplet and style.bgcolor.triplet):
        return style
    colour, behind = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    shade = readable(colour, behind, LEAST, in_palette=in_palette)
    return style if shade is colour else style + Style(color=shade.rich_color)


def is_mixed(style: Style) -> bool:
    """Whether both colours are known: those of the terminal's own palette may be anything."""
    return all(colour is not None and colour.triplet is not None for colour in (style.color, style.bgcolor))


@lru_cache(maxsize=64)
def deepened(style: Style) -> Style:
    """`style` with a background that is far enough from its foreground to be a bar on which other colours are read."""
    if style.color is None or style.bgcolor is None or not (style.color.triplet and style.bgcolor.triplet):
        return style
    front, behind = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    front, pole = (_WHITE, _BLACK) if contrast(front, _BLACK) > contrast(front, _WHITE) else (_BLACK, _WHITE)
    shades = (behind.blend(pole, step / _STEPS) for step in range(_STEPS + 1))
    deep = next((shade for shade in shades if contrast(front, shade) >= _LEAST_OF_BAR), pole)
    return style + Style(color=front.rich_color, bgcolor=deep.rich_color)


def readable(colour: Color, background: Color, least: float, *, in_palette: bool = False) -> Color:
    """`colour`, or the nearest shade with a contrast of at least `least`."""

    def seen(shade: Color) -> Color:
        return _rounded(shade) if in_palette else shade

    behind = seen(background)
    if contrast(seen(colour), behind) >= least:
        return colour
    pole = max((_BLACK, _WHITE), key=lambda end: contrast(end, behind))
    steps = (colour.blend(pole, step / _STEPS) for step in range(1, _STEPS))
    return next((shade for shade in steps if contrast(seen(shade), behind) >= least), pole)


def _rounded(colour: Color) -> Color:
    """As a terminal of 256 colours shows it."""
    rounded = RichColor.from_rgb(*colour.rgb).downgrade(ColorSystem.EIGHT_BIT)
    return Color(*rounded.get_truecolor())


def contrast(one: Color, other: Color) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.1), from 0 to 1."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

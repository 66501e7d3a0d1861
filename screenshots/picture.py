"""Draw a terminal's screen as a picture: every cell at its position and in its colours.

The font is DejaVu Sans Mono, with DejaVu Sans for glyphs that it lacks. Dots of Braille, which the app draws its bars
with, and the sign for a pause are drawn here: neither font has them, and terminals draw them without a font too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont
from pyte.screens import Char

FONTS = Path(sys.prefix) / "fonts" / "matplotlib" / "mpl-data" / "fonts" / "ttf"
"""Folder of the fonts; `make screenshots` unpacks them from a wheel that contains them."""

Colour = tuple[int, int, int]

_SIZE = 22
"""Font size in pixels."""
_CELL = (13, 27)
_MARGIN = 14
_BACKGROUND: Colour = (18, 18, 18)
_FOREGROUND: Colour = (224, 224, 224)

# The first sixteen colours of xterm; pyte calls yellow brown.
_NAMED: Mapping[str, Colour] = {
    "black": (0, 0, 0),
    "red": (205, 49, 49),
    "green": (13, 188, 121),
    "brown": (229, 229, 16),
    "blue": (36, 114, 200),
    "magenta": (188, 63, 188),
    "cyan": (17, 168, 205),
    "white": (229, 229, 229),
    "brightblack": (102, 102, 102),
    "brightred": (241, 76, 76),
    "brightgreen": (35, 209, 139),
    "brightbrown": (245, 245, 67),
    "brightblue": (59, 142, 234),
    "brightmagenta": (214, 112, 214),
    "brightcyan": (41, 184, 219),
    "brightwhite": (255, 255, 255),
}
# Bits of a Braille sign, left column from above, then right column (Unicode 15, chapter 21.1).
_DOTS = ((0x01, 0, 0), (0x02, 0, 1), (0x04, 0, 2), (0x40, 0, 3), (0x08, 1, 0), (0x10, 1, 1), (0x20, 1, 2), (0x80, 1, 3))
_PAUSE = "\N{DOUBLE VERTICAL BAR}"


class NoGlyph(LookupError):
    """The fonts have no glyph for a character: it would be drawn as a box."""


@dataclass(frozen=True)
class Fonts:
    regular: ImageFont.FreeTypeFont
    bold: ImageFont.FreeTypeFont
    spare: ImageFont.FreeTypeFont

    @classmethod
    def load(cls, folder: Path = FONTS) -> Fonts:
        names = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSans.ttf")
        return cls(*(ImageFont.truetype(folder / name, _SIZE) for name in names))

    def for_sign(self, sign: str, bold: bool) -> ImageFont.FreeTypeFont:
        """Raises NoGlyph."""
        for font in (self.bold if bold else self.regular, self.spare):
            if bytes(font.getmask(sign)) != bytes(font.getmask("\U0010ffff")):
                return font
        raise NoGlyph(f"{sign!r} (U+{ord(sign[0]):04X}) is in none of the fonts")


def picture(screen: pyte.Screen, fonts: Fonts) -> Image.Image:
    """Raises NoGlyph."""
    width, height = screen.columns * _CELL[0] + 2 * _MARGIN, screen.lines * _CELL[1] + 2 * _MARGIN
    image = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    cells = list(_cells(screen))
    for x, y, cell in cells:
        draw.rectangle((x, y, x + _CELL[0] - 1, y + _CELL[1] - 1), fill=_colours(cell)[1])
    for x, y, cell in cells:
        if cell.data.strip():
            _draw_sign(draw, x, y, cell, fonts)
        if cell.underscore:
            draw.line((x, y + _CELL[1] - 3, x + _CELL[0] - 1, y + _CELL[1] - 3), fill=_colours(cell)[0])
    return image


def _cells(screen: pyte.Screen) -> Iterator[tuple[int, int, Char]]:
    for row in range(screen.lines):
        for column in range(screen.columns):
            yield _MARGIN + column * _CELL[0], _MARGIN + row * _CELL[1], screen.buffer[row][column]


def _colours(cell: Char) -> tuple[Colour, Colour]:
    """Foreground and background."""
    front, behind = _colour(cell.fg, _FOREGROUND), _colour(cell.bg, _BACKGROUND)
    return (behind, front) if cell.reverse else (front, behind)


def _colour(name: str, default: Colour) -> Colour:
    if name == "default":
        return default
    if name in _NAMED:
        return _NAMED[name]
    return int(name[0:2], 16), int(name[2:4], 16), int(name[4:6], 16)


def _draw_sign(draw: ImageDraw.ImageDraw, x: int, y: int, cell: Char, fonts: Fonts) -> None:
    colour = _colours(cell)[0]
    sign = cell.data
    if 0x2800 <= ord(sign[0]) <= 0x28FF:
        for bit, column, row in _DOTS:
            if ord(sign[0]) - 0x2800 & bit:
                left, top = x + 2 + column * 6, y + 3 + row * 6
                draw.rectangle((left, top, left + 2, top + 2), fill=colour)
    elif sign == _PAUSE:
        for left in (x + 3, x + 8):
            draw.rectangle((left, y + 7, left + 2, y + 20), fill=colour)
    else:
        draw.text((x, y + 1), sign, font=fonts.for_sign(sign, bool(cell.bold)), fill=colour)

"""Draw pictures in terminal cells: as upper and lower halves in two colours, in Braille dots, or in characters.

Graphics protocols (kitty, sixel) are not used: they bypass the comparison of cells that saves bytes on slow
connections, and support is known only by asking the terminal, whose late answer would be taken for keys. Half blocks
work everywhere, tmux included, and take a tenth of the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from tui_uploader.tui.pictures.parts import Size

if TYPE_CHECKING:
    from PIL.Image import Image

PictureStyle = Literal["halves", "palette", "braille", "characters"]
"""Half blocks in any colours; half blocks in the 256 colours of xterm, dithered; black and white, dithered; and a
character for each brightness."""
Colour = tuple[int, int, int]
"""Red, green, blue; 0 to 255."""

MOST_BYTES, MOST_BYTES_SLOW = 320_000, 16_000
"""Most bytes for one picture: 2.5 s at 1 Mbit/s; 2 s at 64 kbit/s."""

STYLE_NAMES: Mapping[PictureStyle, str] = {
    "halves": "half blocks",
    "palette": "half blocks, 256 colours",
    "braille": "Braille",
    "characters": "characters",
}
_DOTS: Mapping[PictureStyle, Size] = {"halves": (1, 2), "palette": (1, 2), "braille": (2, 4), "characters": (1, 2)}
"""Dots across and down in a cell; two characters' worth of them make one."""
_UPPER, _LOWER = "▀", "▄"
_DARK_TO_BRIGHT = " .:-=+*#%@"
_BLANK = 0x2800
# Unicode 15, 22.3 "Braille patterns": the bit of each dot, row by row in the cell.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_COLOURS = 96
"""Number of colours that a picture is reduced to: more neighbours are equal then, and equal cells cost one byte."""
_FIRST_FIXED = 16
"""Of the 256 colours, those before may be redefined by the user."""
_MOST_ATTEMPTS = 8
_MARGIN = 0.95


class Run(NamedTuple):
    """Neighbouring cells of the same colours, from left to right."""

    text: str
    ink: Colour | None
    paper: Colour | None


Rows = Sequence[Sequence[Run]]


@dataclass(frozen=True, slots=True)
class CellPicture:
    rows: Rows
    bytes: int
    """Estimate of what sending it takes."""
    dots: Size
    """Dots of the picture across and down."""


def picture_style(*, ascii_only: bool, no_color: bool, colours: str | None) -> PictureStyle:
    """The way to draw pictures on this terminal. `colours`: its colour system as rich names it: `truecolor`, `256`…

    With only sixteen colours, which the user may have redefined, brightness shows more than colour.
    """
    if ascii_only:
        return "characters"
    if no_color or colours not in ("truecolor", "256"):
        return "braille"
    return "halves" if colours == "truecolor" else "palette"


def dots_in(width: int, height: int, how: PictureStyle) -> Size:
    """Dots across and down in so many cells."""
    return width * _DOTS[how][0], height * _DOTS[how][1]


def fitted(size: Size, area: Size) -> Size:
    """The largest width and height of these proportions within `area`, at least 1."""
    scale = min(area[0] / max(1, size[0]), area[1] / max(1, size[1]))
    return max(1, min(area[0], round(size[0] * scale))), max(1, min(area[1], round(size[1] * scale)))


def cell_picture(
    image: Image, width: int, height: int, how: PictureStyle, most_bytes: int, *, exact: bool = False
) -> CellPicture:
    """`image` (RGB) within `width` x `height` cells, each twice as high as wide; smaller if it takes too many bytes.

    `exact`: one dot for each pixel; what does not fit is left out around the middle.
    """
    area = dots_in(width, height, how)
    for _ in range(_MOST_ATTEMPTS):
        drawn = _cropped(image, area, how) if exact else _drawn(image, fitted(image.size, area), how)
        if drawn.bytes <= most_bytes:
            return drawn
        shrink = _MARGIN * math.sqrt(most_bytes / drawn.bytes)
        area = max(_DOTS[how][0], int(area[0] * shrink)), max(_DOTS[how][1], int(area[1] * shrink))
    return drawn


def _cropped(image: Image, area: Size, how: PictureStyle) -> CellPicture:
    across, down = min(image.width, area[0]), min(image.height, area[1])
    left, top = (image.width - across) // 2, (image.height - down) // 2
    return _drawn(image.crop((left, top, left + across, top + down)), (across, down), how)


def _drawn(image: Image, size: Size, how: PictureStyle) -> CellPicture:
    if how == "braille":
        rows: Rows = _in_braille(image, size)
    elif how == "characters":
        rows = _in_characters(image, size)
    else:
        rows = _in_halves(image, size, in_palette=how == "palette")
    return CellPicture(rows, sent_bytes(rows, in_palette=how == "palette"), size)


def _in_halves(image: Image, size: Size, *, in_palette: bool) -> Rows:
    from PIL.Image import Dither, Resampling

    across, down = size[0], size[1] + size[1] % 2
    small = image.resize((across, down), Resampling.BOX)
    if in_palette:
        reduced = small.quantize(palette=_palette(), dither=Dither.FLOYDSTEINBERG)
    else:
        reduced = small.quantize(_COLOURS, dither=Dither.NONE)
    raw = reduced.convert("RGB").tobytes()
    pixels: list[Colour] = list(zip(raw[0::3], raw[1::3], raw[2::3], strict=True))
    return [
        halves(pixels[y * across : (y + 1) * across], pixels[(y + 1) * across : (y + 2) * across])
        for y in range(0, down, 2)
    ]


@lru_cache(maxsize=1)
def _palette() -> Image:
    """The 240 fixed colours of xterm's 256: a cube of six steps, and 24 greys."""
    from PIL import Image
    from rich.color import Color

    made = Image.new("P", (1, 1))
    fixed = (Color.from_ansi(number).get_truecolor() for number in range(_FIRST_FIXED, 256))
    made.putpalette([part for colour in fixed for part in colour])
    return made


def _in_braille(image: Image, size: Size) -> Rows:
    from PIL import ImageOps
    from PIL.Image import Dither, Resampling

    grey = ImageOps.autocontrast(image.convert("L").resize(size, Resampling.BOX))
    dithered = grey.convert("1", dither=Dither.FLOYDSTEINBERG).convert("L").tobytes()
    across, down = size
    cells: list[list[int]] = [[_BLANK] * -(-across // 2) for _ in range(-(-down // 4))]
    for y in range(down):
        bits, row = _BITS[y % 4], cells[y // 4]
        for x, dot in enumerate(dithered[y * across : (y + 1) * across]):
            if dot:
                row[x // 2] |= bits[x % 2]
    return [[Run("".join(map(chr, row)), None, None)] for row in cells]


def _in_characters(image: Image, size: Size) -> Rows:
    from PIL import ImageOps
    from PIL.Image import Resampling

    grey = ImageOps.autocontrast(image.convert("L").resize((size[0], max(1, size[1] // 2)), Resampling.BOX))
    raw = grey.tobytes()
    return [[Run(characters(raw[at : at + size[0]]), None, None)] for at in range(0, len(raw), size[0])]


def halves(upper: Sequence[Colour], lower: Sequence[Colour]) -> list[Run]:
    """One row of cells. Of the two ways to draw each, the one with fewer colour changes."""
    runs: list[Run] = []
    text = ""
    ink: Colour | None = None
    paper: Colour | None = None
    for above, below in zip(upper, lower, strict=True):
        if above == below:
            glyph, new_ink, new_paper = " ", ink, above
        elif (below == ink) + (above == paper) > (above == ink) + (below == paper):
            glyph, new_ink, new_paper = _LOWER, below, above
        else:
            glyph, new_ink, new_paper = _UPPER, above, below
        if text and (new_ink, new_paper) != (ink, paper):
            runs.append(Run(text, ink, paper))
            text = ""
        text, ink, paper = text + glyph, new_ink, new_paper
    return [*runs, Run(text, ink, paper)] if text else runs


def characters(brightness: Iterable[int]) -> str:
    """One character for each brightness from 0 to 255: the brighter, the denser."""
    return "".join(_DARK_TO_BRIGHT[value * len(_DARK_TO_BRIGHT) // 256] for value in brightness)


def sent_bytes(rows: Rows, *, in_palette: bool = False) -> int:
    """Bytes of these cells: a cursor position for each row, and codes where the colours change."""
    total = 0
    for row in rows:
        total += len("\x1b[00;000H")
        ink: Colour | None = None
        paper: Colour | None = None
        for run in row:
            codes = [(38, run.ink)] * (run.ink != ink) + [(48, run.paper)] * (run.paper != paper)
            total += sum(_code_bytes(ground, colour, in_palette) for ground, colour in codes)
            total += len("\x1b[") * bool(codes) + len(run.text.encode())
            ink, paper = run.ink, run.paper
    return total


def _code_bytes(ground: int, colour: Colour | None, in_palette: bool) -> int:
    number = "255" if in_palette else f"{';'.join(map(str, colour or ()))}"
    return len(f"{ground};{5 if in_palette else 2};{number};")

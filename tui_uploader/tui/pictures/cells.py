"""Draw pictures in terminal cells: two pixels in each as an upper and a lower half, or a character by brightness.

Graphics protocols (kitty, sixel) are not used: they bypass the comparison of cells that saves bytes on slow
connections, and support is known only by asking the terminal, whose late answer would be taken for keys. Half blocks
work everywhere, tmux included, and take a tenth of the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

PictureStyle = Literal["halves", "characters"]
Colour = tuple[int, int, int]
"""Red, green, blue; 0 to 255."""

MOST_BYTES, MOST_BYTES_SLOW = 320_000, 16_000
"""Most bytes for one picture: 2.5 s at 1 Mbit/s; 2 s at 64 kbit/s."""

_UPPER, _LOWER = "▀", "▄"
_DARK_TO_BRIGHT = " .:-=+*#%@"
_COLOURS = 96
"""Number of colours that a picture is reduced to: more neighbours are equal then, and equal cells cost one byte."""
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


def picture_style(*, ascii_only: bool, no_color: bool, colours: str | None) -> PictureStyle:
    """The way to draw pictures on this terminal. `colours`: its colour system as rich names it: `truecolor`, `256`…

    With only sixteen colours, which the user may have redefined, brightness shows more than colour.
    """
    return "characters" if ascii_only or no_color or colours not in ("truecolor", "256") else "halves"


def fitted(size: tuple[int, int], area: tuple[int, int]) -> tuple[int, int]:
    """The largest width and height of these proportions within `area`, at least 1."""
    scale = min(area[0] / max(1, size[0]), area[1] / max(1, size[1]))
    return max(1, min(area[0], round(size[0] * scale))), max(1, min(area[1], round(size[1] * scale)))


def cell_picture(image: Image, width: int, height: int, how: PictureStyle, most_bytes: int) -> CellPicture:
    """`image` (RGB) within `width` x `height` cells, each twice as high as wide; smaller if it takes too many bytes."""
    draw = _in_halves if how == "halves" else _in_characters
    area = (width, 2 * height)
    for _ in range(_MOST_ATTEMPTS):
        drawn = draw(image, fitted(image.size, area))
        if drawn.bytes <= most_bytes:
            return drawn
        shrink = _MARGIN * math.sqrt(most_bytes / drawn.bytes)
        area = max(1, int(area[0] * shrink)), max(2, int(area[1] * shrink))
    return drawn


def _in_halves(image: Image, size: tuple[int, int]) -> CellPicture:
    from PIL.Image import Dither, Resampling

    across, down = size[0], size[1] + size[1] % 2
    small = image.resize((across, down), Resampling.BOX).quantize(_COLOURS, dither=Dither.NONE).convert("RGB")
    raw = small.tobytes()
    pixels: list[Colour] = list(zip(raw[0::3], raw[1::3], raw[2::3], strict=True))
    rows = [
        halves(pixels[y * across : (y + 1) * across], pixels[(y + 1) * across : (y + 2) * across])
        for y in range(0, down, 2)
    ]
    return CellPicture(rows, sent_bytes(rows))


def _in_characters(image: Image, size: tuple[int, int]) -> CellPicture:
    from PIL import ImageOps
    from PIL.Image import Resampling

    grey = ImageOps.autocontrast(image.convert("L").resize((size[0], max(1, size[1] // 2)), Resampling.BOX))
    raw = grey.tobytes()
    rows = [[Run(characters(raw[at : at + size[0]]), None, None)] for at in range(0, len(raw), size[0])]
    return CellPicture(rows, sent_bytes(rows))


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


def sent_bytes(rows: Rows) -> int:
    """Bytes of these cells in 24-bit colours: a cursor position for each row, and codes where the colours change."""
    total = 0
    for row in rows:
        total += len("\x1b[00;000H")
        ink: Colour | None = None
        paper: Colour | None = None
        for run in row:
            codes = [(38, run.ink)] * (run.ink != ink) + [(48, run.paper)] * (run.paper != paper)
            total += sum(len(f"{ground};2;{';'.join(map(str, colour or ()))};") for ground, colour in codes)
            total += len("\x1b[") * bool(codes) + len(run.text.encode())
            ink, paper = run.ink, run.paper
    return total

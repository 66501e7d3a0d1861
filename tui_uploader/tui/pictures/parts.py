"""Which part of a picture is shown: the whole of it, or as many pixels as there are dots on the screen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

Size = tuple[int, int]
"""Width and height."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom are outside."""

ZOOMS = (0, 4, 1)
"""Pixels of the picture for each dot across and down; 0: the whole picture."""

_PROBES = (9, 7)
"""Parts across and down that are compared to find the one to begin with."""
_TURNED = (5, 6, 7, 8)
_STEP = 0.5
"""Share of the view by which a key moves it."""


@dataclass(frozen=True, slots=True)
class View:
    """What to show of a picture."""

    most: Size
    """Dots on the screen."""
    zoom: int = 0
    """One of `ZOOMS`."""
    centre: tuple[float, float] | None = None
    """The middle of the part, as shares of the width and height of the upright picture; None: where it
    shows most detail."""


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a picture, upright."""

    size: Size
    pixels: bytes
    """Three for each pixel: red, green, blue."""
    full: Size
    """Pixels of the whole picture."""
    box: Box
    """What is shown of these."""
    zoom: int = 0
    """As asked for, or more if the picture is too large for that."""
    rows: int | None = None
    """Rows from the top that could be read; None: all."""
    cut_off: bool = False
    """The file ends after these rows; else the rest of it is damaged."""


def fitted(size: Size, area: Size) -> Size:
    """`size` reduced, if it must be, to these proportions within `area`; at least 1."""
    scale = min(1.0, area[0] / max(1, size[0]), area[1] / max(1, size[1]))
    return max(1, min(area[0], round(size[0] * scale))), max(1, min(area[1], round(size[1] * scale)))


def part_box(full: Size, most: Size, zoom: int, centre: tuple[float, float] | None) -> Box:
    """The part around `centre`, moved so that it lies within the picture."""
    if not zoom:
        return 0, 0, *full
    edges = []
    for length, dots, middle in zip(full, most, centre or (0.5, 0.5), strict=True):
        shown = max(1, min(length, dots * zoom))
        start = round(min(1.0, max(0.0, middle)) * length - shown / 2)
        first = max(0, min(start, length - shown))
        edges.append((first, first + shown))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def moved(part: Part, centre: tuple[float, float], across: int, down: int) -> tuple[float, float]:
    """`centre` after the view moved by half its size, as often as stated; the view stays within the picture."""
    left, top, right, bottom = part.box

    def place(middle: float, shown: int, length: int, steps: int) -> float:
        share = shown / length
        return max(share / 2, min(middle + steps * share * _STEP, 1 - share / 2))

    return (
        place(centre[0], right - left, part.full[0], across),
        place(centre[1], bottom - top, part.full[1], down),
    )


def middle(part: Part) -> tuple[float, float]:
    return (part.box[0] + part.box[2]) / 2 / part.full[0], (part.box[1] + part.box[3]) / 2 / part.full[1]


def cropped(part: Part, dots: Size) -> Part:
    """`part` with the box that is seen when only the `dots` in its middle are drawn."""
    if not part.zoom:
        return part
    left, top, right, bottom = part.box
    width, height = min(right - left, dots[0] * part.zoom), min(bottom - top, dots[1] * part.zoom)
    left, top = left + (right - left - width) // 2, top + (bottom - top - height) // 2
    return replace(part, box=(left, top, left + width, top + height))


def next_zoom(full: Size, most: Size, zoom: int, steps: int) -> int:
    """The zoom after `zoom`; those at which the whole picture would be smaller than the screen are passed over."""
    useful = [each for each in ZOOMS if not each or full[0] > most[0] * each or full[1] > most[1] * each]
    at = useful.index(zoom) if zoom in useful else 0
    return useful[(at + steps) % len(useful)]


def turned(orientation: int) -> bool:
    """Whether the camera was held upright, so that width and height change places."""
    return orientation in _TURNED


def upright_size(stored: Size, orientation: int) -> Size:
    return (stored[1], stored[0]) if turned(orientation) else stored


def stored_box(box: Box, stored: Size, orientation: int) -> Box:
    """Where `box` of the upright picture is in the picture as the file has it (EXIF 2.32, 4.6.4, orientation)."""
    left, top, right, bottom = box
    if turned(orientation):
        left, top, right, bottom = top, left, bottom, right
    width, height = stored
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def probe_boxes(full: Size, size: Size, rows: int | None) -> Iterator[Box]:
    """Parts of that size all over the readable picture, the middle one first, so that it wins where all are equal."""
    width, height = full[0], min(full[1], rows or full[1])
    across, down = min(width, size[0]), min(height, size[1])
    columns, lines = _PROBES
    middles = [(0.5, 0.5)]
    middles += [((column + 0.5) / columns, (line + 0.5) / lines) for line in range(lines) for column in range(columns)]
    for x, y in middles:
        left = max(0, min(round(x * width - across / 2), width - across))
        top = max(0, min(round(y * height - down / 2), height - down))
        yield left, top, left + across, top + down


def end_of_file(part: Part, lines: int) -> int | None:
    """Of the `lines` on which the part is drawn, the one at which the readable rows end; None: not in this part."""
    top, bottom = part.box[1], part.box[3]
    if part.rows is None or part.rows >= bottom or lines < 1:
        return None
    readable = max(0, part.rows - top)
    return min(lines - 1, -(-readable * lines // (bottom - top)))

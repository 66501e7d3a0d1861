"""The map of a flight in terminal cells: where each image was taken, and the status of its upload. Pure.

A position is a braille dot, eight to a cell; an image that is not uploaded shows the symbol of its status instead, so
that the map is readable without colours. The earth is a sphere and the map flat: over the few kilometres of a flight
the error is less than a dot.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.cells import cell_len

from tui_uploader.model.files import Position, Positions
from tui_uploader.model.states import BY_ATTENTION, FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.lines.glyphs import UNICODE, Glyphs, Span

METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180
"""Metres per degree of latitude, with the mean radius of the earth of IUGG."""

_SMALLEST_EXTENT = 1.0
"""Least width and height of the map in metres: a single image has no extent."""
_FLATTEST = 0.001
"""Least cosine of the latitude: at the poles all longitudes meet."""
_BLANK = 0x2800
# Unicode 15, 22.3 "Braille patterns": the bit of each dot, by column and row in the cell.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_LINE, _HERE = "muted", "key"
_MOST_LINE = 0.25
"""Share of all dots: a longer line would cover everything, and is left out."""


@dataclass(frozen=True, slots=True)
class DotGrid:
    """The dots in a cell."""

    across: int
    down: int

    @property
    def stretch(self) -> float:
        """Height of a dot divided by its width; a cell is twice as high as wide."""
        return 2 * self.across / self.down


BRAILLE, CHARACTER = DotGrid(2, 4), DotGrid(1, 1)


@dataclass(frozen=True, slots=True)
class Plane:
    """Points in metres east and north of the flight's south-western corner."""

    points: tuple[tuple[float, float], ...]
    width: float
    height: float


def plane(places: Sequence[tuple[float, float]]) -> Plane:
    """Project latitudes and longitudes in degrees; a flight across the antimeridian stays together."""
    if not places:
        return Plane((), 0.0, 0.0)
    latitudes = [latitude for latitude, _ in places]
    longitudes = together([longitude for _, longitude in places])
    south, west = min(latitudes), min(longitudes)
    north_south = METRES_PER_DEGREE
    east_west = METRES_PER_DEGREE * max(_FLATTEST, math.cos(math.radians((south + max(latitudes)) / 2)))
    points = tuple(
        ((longitude - west) * east_west, (latitude - south) * north_south)
        for latitude, longitude in zip(latitudes, longitudes, strict=True)
    )
    return Plane(points, max(x for x, _ in points), max(y for _, y in points))


def together(longitudes: Sequence[float]) -> list[float]:
    """Counted from 0 to 360 degrees where they lie closer together that way."""
    eastward = [longitude + 360 if longitude < 0 else longitude for longitude in longitudes]
    closer = max(eastward) - min(eastward) < max(longitudes) - min(longitudes)
    return eastward if closer else list(longitudes)


@dataclass(frozen=True, slots=True)
class Scale:
    """From metres to dots, the flight in the midst of the map."""

    metres_per_dot: float
    """Across."""
    stretch: float
    left: float
    bottom: float
    dots_down: int

    def dot(self, east: float, north: float) -> tuple[int, int]:
        """Column from the left and row from the top."""
        column = self.left + east / self.metres_per_dot
        row = self.bottom + north / (self.metres_per_dot * self.stretch)
        return round(column), self.dots_down - 1 - round(row)


def scale(width: float, height: float, columns: int, rows: int, cells: DotGrid) -> Scale:
    """Of a flight of so many metres on a map of so many cells, each 1 at least."""
    across, down = columns * cells.across, rows * cells.down
    wide, high = max(width, _SMALLEST_EXTENT), max(height, _SMALLEST_EXTENT)
    metres = max(wide / max(1, across - 1), high / (max(1, down - 1) * cells.stretch))
    left = (across - 1 - width / metres) / 2
    bottom = (down - 1 - height / (metres * cells.stretch)) / 2
    return Scale(metres, cells.stretch, max(0.0, left), max(0.0, bottom), down)


def between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The dots of a straight line, including both ends."""
    steps = _steps(start, end)
    for step in range(steps + 1):
        part = step / steps if steps else 0.0
        yield round(start[0] + (end[0] - start[0]) * part), round(start[1] + (end[1] - start[1]) * part)


def _steps(start: tuple[int, int], end: tuple[int, int]) -> int:
    return max(abs(end[0] - start[0]), abs(end[1] - start[1]))


@dataclass(frozen=True, slots=True)
class FlightMap:
    rows: tuple[tuple[Span, ...], ...]
    width: float
    """Metres between the westernmost and the easternmost image."""
    height: float
    bar: tuple[int, float]
    """Length of the scale bar in cells and in metres."""


def flight_map(found: Positions, columns: int, rows: int, glyphs: Glyphs) -> FlightMap | None:
    """Draw the map in `columns` x `rows` cells. None if no image has a position, or the map does not fit."""
    if not found.points or columns < 1 or rows < 1:
        return None
    cells = BRAILLE if glyphs is UNICODE else CHARACTER
    here = [found.current] if found.current else []
    ground = plane([(point.latitude, point.longitude) for point in (*found.points, *here)])
    scaled = scale(ground.width, ground.height, columns, rows, cells)
    dots = [scaled.dot(*point) for point in ground.points]
    drawn = _MapCanvas(columns, rows, cells)
    drawn.line(_flight_line(found.points, dots, columns * rows * cells.across * cells.down))
    for point, dot in zip(found.points, dots, strict=False):
        drawn.image(dot, point.status)
    for dot in dots[len(found.points) :]:
        drawn.mark(dot)
    bar = scale_bar(scaled.metres_per_dot * cells.across, columns // 3)
    return FlightMap(drawn.spans(glyphs), ground.width, ground.height, bar)


def _flight_line(
    points: Sequence[Position], dots: Sequence[tuple[int, int]], free_dots: int
) -> Iterable[tuple[int, int]]:
    """The dots of the line from image to image, in order of time; empty where it would cover everything.

    Points that stand for several images are not on it.
    """
    timed = [dot for point, dot in zip(points, dots, strict=False) if point.taken_at is not None and point.files == 1]
    legs = list(pairwise(timed))
    if sum(_steps(*leg) for leg in legs) <= free_dots * _MOST_LINE:
        for leg in legs:
            yield from between(*leg)


class _MapCanvas:
    """The cells of the map that are not empty."""

    def __init__(self, columns: int, rows: int, cells: DotGrid) -> None:
        self._columns, self._rows, self._cells = columns, rows, cells
        self._line: dict[tuple[int, int], int] = {}
        self._dots: dict[tuple[int, int], int] = {}
        self._worst: dict[tuple[int, int], int] = {}
        self._here: set[tuple[int, int]] = set()

    def line(self, dots: Iterable[tuple[int, int]]) -> None:
        for dot in dots:
            cell, bit = self._place(dot)
            self._line[cell] = self._line.get(cell, 0) | bit

    def image(self, dot: tuple[int, int], status: FileStatus) -> None:
        cell, bit = self._place(dot)
        self._dots[cell] = self._dots.get(cell, 0) | bit
        self._worst[cell] = max(self._worst.get(cell, 0), BY_ATTENTION.index(status))

    def mark(self, dot: tuple[int, int]) -> None:
        self._here.add(self._place(dot)[0])

    def _place(self, dot: tuple[int, int]) -> tuple[tuple[int, int], int]:
        """The cell of a dot, and the dot's bit in it."""
        column, row = dot[0] // self._cells.across, dot[1] // self._cells.down
        cell = max(0, min(column, self._columns - 1)), max(0, min(row, self._rows - 1))
        return cell, _DOTS[dot[0] % self._cells.across][dot[1] % self._cells.down]

    def spans(self, glyphs: Glyphs) -> tuple[tuple[Span, ...], ...]:
        return tuple(
            tuple(joined(self._cell((column, row), glyphs) for column in range(self._columns)))
            for row in range(self._rows)
        )

    def _cell(self, cell: tuple[int, int], glyphs: Glyphs) -> Span:
        if cell in self._here:
            return Span(glyphs.mark, _HERE)
        braille = self._cells is BRAILLE
        if cell in self._worst:
            status = BY_ATTENTION[self._worst[cell]]
            exact = braille and status is FileStatus.UPLOADED
            return Span(chr(_BLANK | self._dots[cell]) if exact else glyphs.statuses[status], status)
        if cell in self._line:
            return Span(chr(_BLANK | self._line[cell]) if braille else ":", _LINE)
        return Span(" ")


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Merge neighbours of the same style."""
    text, style = "", ""
    for span in spans:
        if span.style != style and text:
            yield Span(text, style)
            text = ""
        text, style = text + span.text, span.style
    if text:
        yield Span(text, style)


def scale_bar(metres_per_cell: float, most: int) -> tuple[int, float]:
    """Length of the bar in cells, from 1 to `most`, and the round number of metres that it stands for."""
    longest = max(1, most) * metres_per_cell
    magnitude = 10 ** math.floor(math.log10(longest))
    metres = next((step * magnitude for step in (5, 2, 1) if step * magnitude <= longest), magnitude)
    return max(1, round(metres / metres_per_cell)), metres


def distance_words(metres: float) -> str:
    """`412 m`, `1.24 km`, `12,400 km`."""
    if metres < 999.5:
        return f"{metres:.0f} m" if metres >= 10 or metres == round(metres) else f"{metres:.1f} m"
    kilometres = metres / 1000
    return f"{kilometres:,.0f} km" if kilometres >= 99.5 else f"{kilometres:.3g} km"


def bar_spans(bar: tuple[int, float], glyphs: Glyphs) -> list[Span]:
    """The north arrow and the scale bar."""
    north = "▴" if glyphs is UNICODE else "^"
    ends = ("⢸", "⣀", "⡇") if glyphs is UNICODE else ("|", "-", "|")
    length = max(2, bar[0])
    line = ends[0] + ends[1] * (length - 2) + ends[2]
    return [Span(f" {north} N  ", "strong"), Span(line, "strong"), Span(f" {distance_words(bar[1])}")]


def legend_lines(counts: Counts, found: Positions, glyphs: Glyphs, width: int) -> list[list[Span]]:
    """The symbol and the number of files for each status, and how many files are not on the map, none of it cut."""
    entries: list[list[Span]] = []
    for status in BY_ATTENTION:
        files = getattr(counts, status.value)
        if files:
            exact = glyphs is UNICODE and status is FileStatus.UPLOADED
            shape = chr(_BLANK | 0x36) if exact else glyphs.statuses[status]
            shown = f" ({found.failed:,} shown)" if status is FileStatus.FAILED and found.failed_unlocated else ""
            entries.append([Span(f" {shape}", status), Span(f" {files:,} {status}{shown} ")])
    if found.unlocated:
        entries.append([Span(f" {found.unlocated:,} without position ", "warning")])
    if found.unread:
        entries.append([Span(f" {found.unread:,} not read yet ", "muted")])
    lines: list[list[Span]] = [[]]
    for entry in entries:
        if lines[-1] and sum(cell_len(span.text) for span in (*lines[-1], *entry)) > width:
            lines.append([])
        lines[-1] += entry
    return lines

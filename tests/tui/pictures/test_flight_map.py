"""The map of a flight as values: projection, scale, dots, shapes and words, for flights anywhere on the earth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_uploader.model.files import Position, Positions
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, Glyphs
from tui_uploader.tui.pictures.flight_map import (
    BRAILLE,
    CHARACTER,
    METRES_PER_DEGREE,
    DotGrid,
    FlightMap,
    bar_spans,
    between,
    distance_words,
    flight_map,
    legend_lines,
    plane,
    scale,
    scale_bar,
    together,
)

UPLOADED, WAITING, FAILED, DUPLICATE = (
    FileStatus.UPLOADED,
    FileStatus.WAITING,
    FileStatus.FAILED,
    FileStatus.DUPLICATE,
)


def positions(*points: Position, current: Position | None = None) -> Positions:
    return Positions(points, located=len(points), unlocated=0, unread=0, current=current)


def drawn(found: Positions, columns: int = 20, rows: int = 5, glyphs: Glyphs = UNICODE) -> list[str]:
    made = flight_map(found, columns, rows, glyphs)
    assert made is not None
    lines = ["".join(span.text for span in row) for row in made.rows]
    assert [len(line) for line in lines] == [columns] * rows
    return lines


def shapes(lines: Sequence[str]) -> str:
    return "".join("".join(lines).split())


# ---------------------------------------------------------------------------------------------------- projection


@pytest.mark.parametrize(
    ("places", "width", "height"),
    [
        ([(46.6, 6.5)], 0.0, 0.0),
        ([(0.0, 6.0), (0.0, 7.0)], METRES_PER_DEGREE, 0.0),
        ([(59.5, 6.0), (60.5, 6.0)], 0.0, METRES_PER_DEGREE),
        ([(60.0, 6.0), (60.0, 7.0)], METRES_PER_DEGREE / 2, 0.0),
        ([(-60.0, -7.0), (-60.0, -6.0)], METRES_PER_DEGREE / 2, 0.0),
        ([(0.0, 179.5), (0.0, -179.5)], METRES_PER_DEGREE, 0.0),
        ([(0.0, -180.0), (0.0, 180.0)], 0.0, 0.0),
    ],
)
def test_positions_become_metres(places: list[tuple[float, float]], width: float, height: float) -> None:
    flat = plane(places)
    assert flat.width == pytest.approx(width, rel=1e-6, abs=1e-6)
    assert flat.height == pytest.approx(height, rel=1e-6, abs=1e-6)


def test_at_a_pole_all_longitudes_meet() -> None:
    assert plane([(90.0, -100.0), (90.0, 100.0)]).width < 20_000


@pytest.mark.parametrize(
    ("longitudes", "counted"),
    [([6.0, 7.0], [6.0, 7.0]), ([-1.0, 1.0], [-1.0, 1.0]), ([179.0, -179.0], [179.0, 181.0]), ([0.0], [0.0])],
)
def test_longitudes_stay_together(longitudes: list[float], counted: list[float]) -> None:
    assert together(longitudes) == counted


# --------------------------------------------------------------------------------------------------------- scale


@pytest.mark.parametrize(
    ("width", "height", "cells", "corners"),
    [
        # 10 x 5 cells of braille: 20 x 20 square dots
        (100.0, 100.0, BRAILLE, [(0, 19), (19, 0)]),
        (100.0, 0.0, BRAILLE, [(0, 10), (19, 10)]),
        (0.0, 100.0, BRAILLE, [(10, 19), (10, 0)]),
        (0.0, 0.0, BRAILLE, [(10, 10), (10, 10)]),
        # characters: 10 x 5 dots, each twice as high as wide; 9 dots across are as long as 4.5 down
        (90.0, 80.0, CHARACTER, [(0, 4), (9, 0)]),
    ],
)
def test_a_flight_fills_the_map_and_keeps_its_proportions(
    width: float, height: float, cells: DotGrid, corners: list[tuple[int, int]]
) -> None:
    scaled = scale(width, height, 10, 5, cells)
    found = [scaled.dot(0, 0), scaled.dot(width, height)]
    assert all(abs(a[0] - b[0]) <= 1 and abs(a[1] - b[1]) <= 1 for a, b in zip(found, corners, strict=True)), found


@pytest.mark.parametrize(
    ("start", "end", "dots"),
    [
        ((0, 0), (0, 0), [(0, 0)]),
        ((0, 0), (3, 0), [(0, 0), (1, 0), (2, 0), (3, 0)]),
        ((2, 2), (0, 0), [(2, 2), (1, 1), (0, 0)]),
        ((0, 0), (1, 2), [(0, 0), (0, 1), (1, 2)]),
    ],
)
def test_lines_are_straight(start: tuple[int, int], end: tuple[int, int], dots: list[tuple[int, int]]) -> None:
    assert list(between(start, end)) == dots


# --------------------------------------------------------------------------------------------------------- drawing


def test_uploaded_images_are_dots_and_all_others_show_their_shape() -> None:
    lane = [Position(46.0 + north * 1e-3, 6.0, status) for north, status in enumerate(FileStatus)]
    shown = shapes(drawn(positions(*lane)))
    assert [character for character in shown if character < "\u2800" or character > "\u28ff"] == [
        UNICODE.statuses[status]
        for status in (FileStatus.FAILED, FileStatus.DUPLICATE, FileStatus.UPLOADING, FileStatus.WAITING)
    ]
    assert shapes(drawn(positions(*lane), glyphs=ASCII)) == "x=+^."


def test_north_is_above_and_east_is_right() -> None:
    lines = drawn(positions(Position(46.01, 6.0, FAILED), Position(46.0, 6.02, DUPLICATE)))
    north, east = UNICODE.statuses[FAILED], UNICODE.statuses[DUPLICATE]
    rows = {mark: next(row for row, line in enumerate(lines) if mark in line) for mark in (north, east)}
    assert rows[north] < rows[east]
    assert lines[rows[north]].index(north) < lines[rows[east]].index(east)


def test_eight_dots_share_a_cell() -> None:
    east = 1e-5 / math.cos(math.radians(46))
    places = [(46 + row * 1e-5, 6 + column * east) for row in range(4) for column in range(2)]
    dots = [Position(*place, UPLOADED) for place in places]
    assert drawn(positions(*dots), 1, 1) == ["\u28ff"]


def test_failed_images_cover_uploaded_ones() -> None:
    there = (46.0, 6.0)
    crowd = [Position(*there, status) for status in (UPLOADED, FAILED, WAITING, UPLOADED)]
    assert shapes(drawn(positions(*crowd))) == UNICODE.statuses[FAILED]


def test_the_file_under_the_cursor_is_marked_above_all() -> None:
    here = Position(46.0, 6.0, FAILED)
    shown = shapes(drawn(positions(here, Position(46.001, 6.0, UPLOADED), current=here)))
    assert shown.count(UNICODE.mark) == 1 and UNICODE.statuses[FAILED] not in shown


@pytest.mark.parametrize(
    ("taken_at", "files", "line"), [((1.0, 2.0), 1, True), ((1.0, None), 1, False), ((None, None), 9, False)]
)
def test_the_line_goes_from_image_to_image_by_time(
    taken_at: tuple[float | None, float | None], files: int, line: bool
) -> None:
    ends = (
        Position(46.0, 6.0, UPLOADED, files, taken_at[0]),
        Position(46.0, 6.01, UPLOADED, files, taken_at[1]),
    )
    assert (len(shapes(drawn(positions(*ends)))) == 20) is line
    assert (":" in shapes(drawn(positions(*ends), glyphs=ASCII))) is line


def test_a_line_that_would_cover_everything_is_left_out() -> None:
    zigzag = [Position(46.0, 6.0 + number % 2 * 1e-2, UPLOADED, taken_at=float(number)) for number in range(1_000)]
    assert len(shapes(drawn(positions(*zigzag)))) == 2


def test_without_positions_or_room_there_is_no_map() -> None:
    assert flight_map(positions(), 80, 24, UNICODE) is None
    assert flight_map(positions(Position(46.0, 6.0, UPLOADED)), 0, 24, UNICODE) is None


@settings(max_examples=100, deadline=None)
@given(
    places=st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=12),
    columns=st.integers(1, 240),
    rows=st.integers(1, 70),
    ascii_only=st.booleans(),
)
def test_flights_from_pole_to_pole_stay_on_the_map(
    places: list[tuple[float, float]], columns: int, rows: int, ascii_only: bool
) -> None:
    points = [Position(*place, FAILED, taken_at=float(number)) for number, place in enumerate(places)]
    glyphs = ASCII if ascii_only else UNICODE
    found = positions(*points, current=points[-1])
    lines = drawn(found, columns, rows, glyphs)
    assert glyphs.mark in "".join(lines)
    made = flight_map(found, columns, rows, glyphs)
    assert isinstance(made, FlightMap)
    assert 0 <= made.width <= 361 * METRES_PER_DEGREE and 0 <= made.height <= 181 * METRES_PER_DEGREE
    assert 1 <= made.bar[0] <= max(1, columns) and made.bar[1] > 0


# ----------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("metres_per_cell", "most", "bar"),
    [
        (1.0, 26, (20, 20.0)),
        (10.0, 26, (20, 200.0)),
        (0.7, 10, (7, 5.0)),
        (3.0, 1, (1, 2.0)),
        (170_000.0, 26, (12, 2e6)),
    ],
)
def test_the_scale_bar_is_a_round_number(metres_per_cell: float, most: int, bar: tuple[int, float]) -> None:
    assert scale_bar(metres_per_cell, most) == pytest.approx(bar)


@pytest.mark.parametrize(
    ("metres", "words"),
    [(0.0, "0 m"), (0.5, "0.5 m"), (5.0, "5 m"), (412.3, "412 m"), (1_240.0, "1.24 km"), (12_400_000.0, "12,400 km")],
)
def test_distances_in_words(metres: float, words: str) -> None:
    assert distance_words(metres) == words


def test_the_scale_bar_and_the_legend() -> None:
    assert "".join(span.text for span in bar_spans((6, 50.0), ASCII)) == " ^ N  |----| 50 m"
    assert "".join(span.text for span in bar_spans((1, 50.0), UNICODE)) == " ▴ N  ⢸⡇ 50 m"
    counts = Counts(uploaded=1_030, failed=2)
    found = Positions((), located=1, unlocated=1, unread=1_200, failed=1, failed_unlocated=1)

    def words(found: Positions, width: int) -> list[str]:
        return ["".join(span.text for span in line) for line in legend_lines(counts, found, ASCII, width)]

    whole = " + 1,030 uploaded  x 2 failed (1 shown)  1 without position  1,200 not read yet "
    assert words(found, 120) == [whole]
    assert words(found, 60) == [whole[:60], whole[60:]], "nothing is cut"
    assert words(Positions((), 2, 0, 0, failed=2), 80) == [" + 1,030 uploaded  x 2 failed "]

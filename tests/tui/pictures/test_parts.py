"""Parts of pictures, zooms and moves, as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.tui.pictures.parts import (
    Box,
    Part,
    Size,
    cropped,
    end_of_file,
    middle,
    moved,
    next_zoom,
    part_box,
    probe_boxes,
    stored_box,
    turned,
)

SIDE = st.integers(1, 9_000)


def part(box: Box, full: Size = (1000, 800), zoom: int = 1, rows: int | None = None) -> Part:
    return Part((1, 1), b"", full, box, zoom, rows)


@given(full=st.tuples(SIDE, SIDE), most=st.tuples(SIDE, SIDE), zoom=st.sampled_from([0, 1, 2, 4]), x=st.floats(-1, 2))
def test_a_part_lies_within_the_picture(full: Size, most: Size, zoom: int, x: float) -> None:
    left, top, right, bottom = part_box(full, most, zoom, (x, 1 - x))
    assert 0 <= left < right <= full[0] and 0 <= top < bottom <= full[1]
    if zoom:
        assert right - left == min(full[0], most[0] * zoom) and bottom - top == min(full[1], most[1] * zoom)


@given(orientation=st.integers(1, 8), left=st.integers(0, 50), top=st.integers(0, 40))
def test_a_part_of_the_upright_picture_is_one_of_the_stored_picture(orientation: int, left: int, top: int) -> None:
    stored = (80, 60)
    upright = stored[::-1] if turned(orientation) else stored
    box = left, top, min(upright[0], left + 9), min(upright[1], top + 7)
    if box[0] >= box[2] or box[1] >= box[3]:
        return
    found = stored_box(box, stored, orientation)
    assert 0 <= found[0] < found[2] <= 80 and 0 <= found[1] < found[3] <= 60
    size = found[2] - found[0], found[3] - found[1]
    assert (size[::-1] if turned(orientation) else size) == (box[2] - box[0], box[3] - box[1])


def test_a_move_is_half_of_what_is_seen_and_ends_at_the_edge() -> None:
    shown = part((400, 300, 600, 400))
    assert middle(shown) == (0.5, 0.4375)
    assert moved(shown, middle(shown), 1, 0) == pytest.approx((0.6, 0.4375))
    assert moved(shown, middle(shown), -1, 1) == pytest.approx((0.4, 0.5))
    assert moved(shown, middle(shown), 9, -9) == pytest.approx((0.9, 0.0625))


def test_what_is_cut_at_the_edge_of_the_screen_is_not_seen() -> None:
    assert cropped(part((400, 300, 600, 400)), (100, 50)).box == (450, 325, 550, 375)
    assert cropped(part((0, 0, 400, 400), zoom=4), (50, 100)).box == (100, 0, 300, 400)
    assert cropped(part((0, 0, 1000, 800), zoom=0), (10, 8)).box == (0, 0, 1000, 800)


@pytest.mark.parametrize(
    ("full", "zooms"),
    [((5280, 3956), [0, 4, 1, 0]), ((400, 200), [0, 1, 0]), ((64, 48), [0, 0])],
)
def test_zooms_that_would_show_less_than_the_screen_holds_are_passed_over(full: Size, zooms: list[int]) -> None:
    found = [0]
    for _ in zooms[1:]:
        found.append(next_zoom(full, (120, 66), found[-1], 1))
    assert found == zooms
    assert next_zoom(full, (120, 66), 0, -1) == zooms[-2]


@pytest.mark.parametrize(
    ("box", "rows", "line"),
    [
        ((0, 0, 1000, 800), None, None),
        ((0, 0, 1000, 800), 400, 10),
        ((0, 0, 1000, 800), 401, 11),
        ((0, 0, 1000, 800), 799, 19),
        ((0, 0, 1000, 800), 0, 0),
        ((0, 400, 100, 440), 420, 10),
        ((0, 400, 100, 440), 100, 0),
        ((0, 400, 100, 440), 440, None),
    ],
)
def test_the_line_at_which_a_file_ends(box: Box, rows: int | None, line: int | None) -> None:
    assert end_of_file(part(box, rows=rows), 20) == line


@given(full=st.tuples(SIDE, SIDE), size=st.tuples(SIDE, SIDE), rows=st.none() | SIDE)
def test_detail_is_looked_for_within_the_readable_picture(full: Size, size: Size, rows: int | None) -> None:
    for left, top, right, bottom in probe_boxes(full, size, rows):
        assert 0 <= left < right <= full[0] and 0 <= top < bottom <= min(full[1], rows or full[1])

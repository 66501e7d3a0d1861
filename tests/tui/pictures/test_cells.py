"""Pictures as cells: which cells, how large, and how many bytes they may take."""

from __future__ import annotations

import pytest
from PIL import Image
from rich.color import Color, ColorSystem

from tests.tui.pictures.photo_files import halved
from tui_uploader.tui.pictures.cells import (
    MOST_BYTES,
    MOST_BYTES_SLOW,
    Colour,
    PictureStyle,
    Rows,
    Run,
    cell_picture,
    characters,
    fitted,
    halves,
    picture_style,
    sent_bytes,
)
from tui_uploader.tui.terminal.cell_diff import Canvas, Pen, changes

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (9, 9, 9)


@pytest.mark.parametrize(
    ("ascii_only", "no_color", "colours", "how"),
    [
        (False, False, "truecolor", "halves"),
        (False, False, "256", "palette"),
        (False, False, "standard", "braille"),
        (False, False, None, "braille"),
        (True, False, "truecolor", "characters"),
        (False, True, "truecolor", "braille"),
    ],
)
def test_the_terminal_decides_how_pictures_are_drawn(
    ascii_only: bool, no_color: bool, colours: str | None, how: PictureStyle
) -> None:
    assert picture_style(ascii_only=ascii_only, no_color=no_color, colours=colours) == how


@pytest.mark.parametrize(
    ("size", "area", "fits"),
    [
        ((4000, 3000), (80, 42), (56, 42)),
        ((3000, 4000), (80, 42), (32, 42)),
        ((100, 100), (10, 40), (10, 10)),
        ((40_000, 1), (80, 42), (80, 1)),
        ((1, 40_000), (80, 42), (1, 42)),
        ((2, 2), (80, 40), (40, 40)),
    ],
)
def test_pictures_keep_their_proportions(size: tuple[int, int], area: tuple[int, int], fits: tuple[int, int]) -> None:
    assert fitted(size, area) == fits


@pytest.mark.parametrize(
    ("upper", "lower", "runs"),
    [
        ([RED, RED], [RED, RED], [Run("  ", None, RED)]),
        ([RED, RED], [BLUE, BLUE], [Run("▀▀", RED, BLUE)]),
        ([RED, BLUE], [BLUE, RED], [Run("▀▄", RED, BLUE)]),
        ([RED, BLUE], [BLUE, BLUE], [Run("▀ ", RED, BLUE)]),
        ([RED, GREY], [BLUE, RED], [Run("▀", RED, BLUE), Run("▄", RED, GREY)]),
        ([], [], []),
    ],
)
def test_half_blocks_change_colours_as_rarely_as_possible(
    upper: list[Colour], lower: list[Colour], runs: list[Run]
) -> None:
    drawn = halves(upper, lower)
    if len(runs) == 2:  # which half changes is a matter of taste; that only one colour does is not
        assert (drawn[0].ink == drawn[1].ink) + (drawn[0].paper == drawn[1].paper) == 1
    else:
        assert drawn == runs


def test_brightness_becomes_characters() -> None:
    assert characters([0, 128, 255]) == " +@"


def test_both_halves_of_a_picture_are_visible() -> None:
    made = cell_picture(halved(64, 48), 40, 24, "halves", MOST_BYTES)
    colours = {colour for row in made.rows for run in row for colour in (run.paper,)}
    assert len(made.rows) == 15 and all(sum(len(run.text) for run in row) == 40 for row in made.rows)
    assert {RED, BLUE} <= colours


def as_sent(rows: Rows, *, in_palette: bool) -> int:
    """The bytes that the terminal is really sent."""

    def code(ground: int, colour: Colour | None) -> str:
        if in_palette and colour:
            return f"{ground};5;{Color.from_rgb(*colour).downgrade(ColorSystem.EIGHT_BIT).number};"
        return f"{ground};2;{';'.join(map(str, colour))}" if colour else ""

    width = max(sum(len(run.text) for run in row) for row in rows)
    canvas = Canvas(width, len(rows))
    for y, row in enumerate(rows):
        x = 0
        for run in row:
            canvas.paint(x, y, list(run.text), Pen(code(38, run.ink), code(48, run.paper)))
            x += len(run.text)
    return len(changes(None, canvas).encode())


@pytest.mark.parametrize("how", ["halves", "palette", "braille", "characters"])
@pytest.mark.parametrize("area", [(80, 21), (240, 67)])
@pytest.mark.parametrize("most_bytes", [MOST_BYTES, MOST_BYTES_SLOW, 600])
def test_noise_takes_no_more_bytes_than_it_may(how: PictureStyle, area: tuple[int, int], most_bytes: int) -> None:
    """Nothing is worse than noise: no two neighbours are equal."""
    noise = Image.merge("RGB", [Image.effect_noise((400, 300), 120) for _ in range(3)])
    made = cell_picture(noise, *area, how, most_bytes)
    assert made.bytes == sent_bytes(made.rows, in_palette=how == "palette") <= most_bytes
    assert as_sent(made.rows, in_palette=how == "palette") <= made.bytes * 1.06 + 20  # an estimate
    assert len(made.rows) <= area[1] and sum(len(run.text) for run in made.rows[0]) <= area[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
@pytest.mark.parametrize("how", ["halves", "palette", "braille", "characters"])
def test_pictures_of_odd_sizes_are_drawn(size: tuple[int, int], how: PictureStyle) -> None:
    assert cell_picture(Image.new("RGB", size, "red"), 40, 20, how, MOST_BYTES).rows


def test_one_dot_for_each_pixel_and_what_does_not_fit_is_left_out_around_the_middle() -> None:
    made = cell_picture(halved(60, 40), 40, 24, "halves", MOST_BYTES, exact=True)
    assert made.dots == (40, 40) and [run.paper for run in made.rows[0]] == [RED, BLUE]
    assert len(made.rows[0][0].text) == 20, "the two colours meet in the middle"
    noise = Image.merge("RGB", [Image.effect_noise((80, 40), 120) for _ in range(3)])
    small = cell_picture(noise, 80, 20, "halves", 5_000, exact=True)
    assert small.bytes <= 5_000 and small.dots[0] < 80 and small.dots[1] < 40
    tiny = cell_picture(halved(6, 4), 40, 24, "halves", MOST_BYTES, exact=True)
    assert tiny.dots == (6, 4) and len(tiny.rows) == 2


def test_of_256_colours_neighbours_mix_what_is_between() -> None:
    """Without dither, a slope of brightness becomes a few stripes."""
    slope = Image.linear_gradient("L").resize((80, 80)).convert("RGB")
    made = cell_picture(slope, 80, 40, "palette", MOST_BYTES)
    colours = {colour for row in made.rows for run in row for colour in (run.ink, run.paper) if colour}
    downgraded = {Color.from_rgb(*colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor() for colour in colours}
    assert all(min(abs(one[0] - two[0]) for two in downgraded) <= 10 for one in colours), "the terminal has them"
    assert any(len(row) > 5 for row in made.rows), "more than one colour in a row of one brightness"


def test_braille_shows_brightness_in_eight_dots_a_cell() -> None:
    made = cell_picture(halved(64, 64, ("black", "white")), 16, 8, "braille", MOST_BYTES)
    assert [run.text for row in made.rows for run in row] == ["\u2800" * 8 + "\u28ff" * 8] * 8
    grey = cell_picture(Image.linear_gradient("L").convert("RGB"), 16, 8, "braille", MOST_BYTES)
    lit = [sum(bin(ord(dot) - 0x2800).count("1") for dot in row[0].text) for row in grey.rows]
    assert lit == sorted(lit) and lit[0] < 10 and lit[-1] > 118

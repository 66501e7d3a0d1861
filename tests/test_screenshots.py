"""The camera of `make screenshots`: what a terminal shows is what the picture shows."""

from __future__ import annotations

import pyte
import pytest
from PIL import Image, ImageFont
from PIL.ImageFont import FreeTypeFont

from screenshots.picture import Fonts, NoGlyph, picture

MARGIN, WIDTH, HEIGHT = 14, 13, 27
BACKGROUND, FOREGROUND = (18, 18, 18), (224, 224, 224)


def taken(written: str, columns: int = 4, rows: int = 2) -> Image.Image:
    """A picture of a terminal that was told `written`, in the font that Pillow brings along."""
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(written)
    font = ImageFont.load_default(22)
    assert isinstance(font, FreeTypeFont)
    return picture(screen, Fonts(font, font, font))


def cell(image: Image.Image, column: int, row: int) -> Image.Image:
    left, top = MARGIN + column * WIDTH, MARGIN + row * HEIGHT
    return image.crop((left, top, left + WIDTH, top + HEIGHT))


def colours(image: Image.Image) -> set[tuple[int, int, int]]:
    found = image.getcolors(maxcolors=10_000)
    assert found is not None
    return {colour for _, colour in found if isinstance(colour, tuple) and len(colour) == 3}


def test_a_picture_is_as_large_as_the_terminal() -> None:
    assert taken("", columns=80, rows=24).size == (2 * MARGIN + 80 * WIDTH, 2 * MARGIN + 24 * HEIGHT)


@pytest.mark.parametrize(
    ("codes", "behind"),
    [
        ("", BACKGROUND),
        ("\x1b[44m", (36, 114, 200)),
        ("\x1b[48;2;1;2;3m", (1, 2, 3)),
        ("\x1b[7m", FOREGROUND),
        ("\x1b[7;38;2;9;8;7m", (9, 8, 7)),
    ],
)
def test_a_blank_cell_has_the_colour_behind_it(codes: str, behind: tuple[int, int, int]) -> None:
    image = taken(f"\r\n\x1b[C{codes} ")
    assert colours(cell(image, 1, 1)) == {behind}
    assert colours(cell(image, 2, 1)) == {BACKGROUND}


def test_a_sign_stands_in_its_own_cell() -> None:
    image = taken("\x1b[C\x1b[38;2;250;0;0mi")
    assert (250, 0, 0) in colours(cell(image, 1, 0))
    assert colours(cell(image, 0, 0)) == colours(cell(image, 2, 0)) == {BACKGROUND}


@pytest.mark.parametrize(("sign", "dots"), [("⣿", 8), ("⣶", 6), ("⣤", 4), ("⣀", 2), ("⠁", 1)])
def test_bars_are_drawn_dot_by_dot(sign: str, dots: int) -> None:
    drawn = cell(taken(sign), 0, 0).getcolors()
    assert drawn is not None
    assert {colour: count for count, colour in drawn}[FOREGROUND] == dots * 9


def test_a_sign_that_no_font_has_is_no_box() -> None:
    with pytest.raises(NoGlyph, match=r"U\+27F3"):
        taken("⟳")

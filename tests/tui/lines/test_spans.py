"""Every built-in theme lets the words and bars of the screen be read."""

from __future__ import annotations

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tui_uploader.tui.lines.contrast import contrast, deepened, legible, readable
from tui_uploader.tui.lines.glyphs import UNICODE, Span
from tui_uploader.tui.lines.spans import SpanLine, segments

ASIDE = ("waiting", "muted", "ahead", "registered", "stored", "sent")
WORDS = ("uploaded", "uploading", "duplicate", "failed", "warning", "error", "key")
BACKGROUNDS = ("background", "panel", "surface", "footer-background")
MIXED = sorted(name for name in BUILTIN_THEMES if not name.startswith("ansi"))
"""The others leave colours to the terminal."""


class ThemeApp(App[None]):
    def compose(self) -> ComposeResult:
        yield SpanLine(UNICODE)

    def drawn(self, style: str, background: Color) -> Segment:
        base = Style(bgcolor=background.rich_color)
        (segment,) = segments(self.query_one(SpanLine), [Span("x", style)], base)
        return segment


async def test_every_status_is_readable_in_every_theme() -> None:
    app = ThemeApp()
    async with app.run_test():
        for theme in MIXED:
            app.theme = theme
            for name in BACKGROUNDS:
                background = Color.parse(app.theme_variables[name])
                for style in (*ASIDE, *WORDS):
                    drawn = app.drawn(style, background).style
                    assert drawn is not None
                    shown = legible(drawn).color
                    assert shown is not None
                    found = contrast(Color.from_rich_color(shown), background)
                    assert found >= 4.45, (theme, name, style, found)  # a colour is rounded to a byte


async def test_the_terminals_own_colours_stay() -> None:
    app = ThemeApp()
    async with app.run_test():
        for theme in ("ansi-dark", "ansi-light"):
            app.theme = theme
            for style in (*ASIDE, *WORDS):
                assert app.drawn(style, Color(0, 0, 0)).style is not None


@pytest.mark.parametrize(
    ("colour", "background", "least", "shade"),
    [
        ("#ffffff", "#000000", 4.5, "#FFFFFF"),
        ("#000000", "#000000", 21.0, "#FFFFFF"),
        ("#808080", "#808080", 1.0, "#808080"),
        ("#eeeeee", "#ffffff", 30.0, "#000000"),
    ],
)
def test_a_readable_shade_is_the_nearest_one(colour: str, background: str, least: float, shade: str) -> None:
    assert readable(Color.parse(colour), Color.parse(background), least).hex == shade


def test_only_rgb_colours_are_made_legible() -> None:
    drawn = legible(Style(color="#777777", bgcolor="#808080", bold=True))
    assert drawn.bold and drawn.color is not None
    assert contrast(Color.from_rich_color(drawn.color), Color.parse("#808080")) >= 4.5
    for style in (Style(color="red", bgcolor="red"), Style(color="#777777"), Style(bgcolor="#777777"), Style()):
        assert legible(style) == style


def test_contrast_as_wcag_defines_it() -> None:
    black, white, grey = Color(0, 0, 0), Color(255, 255, 255), Color(118, 118, 118)
    assert contrast(black, white) == contrast(white, black) == pytest.approx(21.0)
    assert contrast(grey, white) == pytest.approx(4.54, abs=0.01)
    assert contrast(grey, grey) == 1.0


@pytest.mark.parametrize("behind", ["#0178d4", "#bd93f9", "#ffcc00", "#004578", "#808080", "#101010"])
@pytest.mark.parametrize("front", ["#ffffff", "#000000", "#dddddd"])
def test_the_bar_of_the_cursor_is_deep_enough_for_colours(front: str, behind: str) -> None:
    drawn = deepened(Style(color=front, bgcolor=behind, bold=True))
    assert drawn.bold and drawn.color is not None and drawn.bgcolor is not None
    assert contrast(Color.from_rich_color(drawn.color), Color.from_rich_color(drawn.bgcolor)) >= 6.9
    assert deepened(Style(color="red", bgcolor="blue")) == Style(color="red", bgcolor="blue"), "the terminal's own"


def test_in_256_colours_what_counts_is_what_the_terminal_shows() -> None:
    style = legible(Style(color="#ffffff", bgcolor="#0178d4"), True)
    assert style.color is not None and style.bgcolor is not None
    shown = [Color(*each.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()) for each in (style.color, style.bgcolor)]
    assert contrast(*shown) >= 4.5

"""Everything on the screen can be read in every theme: measured from the cells that are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tests.photos import write_photo
from tests.tui.headless import press, rendered_lines
from tests.tui.still_engine import StillEngine, connecting
from tests.until import until
from tui_uploader.settings import Directories
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.lines.contrast import LEAST, ReadableFilter, contrast
from tui_uploader.tui.terminal.capabilities import Terminal

COLOURED = sorted(name for name in BUILTIN_THEMES if not name.startswith("ansi"))
"""The others leave colours to the terminal."""
SCREENS = {
    "main": ((), "DJI_0006.JPG"),
    "projects": (("1",), "Harbour"),
    "uploads": (("3",), "Harbour"),
    "a failed row": (("2", "g"), "DJI_0001.JPG"),
    "filter": (("2", "slash", "x"), "x"),
    "help": (("question_mark",), "What can be done now"),
    "add": (("u",), "4 Go"),
    "limit": (("b",), "budget"),
    "question": (("2", "x"), "DJI"),
    "details": (("2", "enter"), "DJI FC6520"),
    "image": (("2", "v"), "DJI FC6520"),
    "map": (("m",), "5 images"),
    "watches": (("W",), "needs you  /media/reader"),
    "another watch": (("W", "a"), "The folder in which images appear"),
    "results": (("1", "G", "v"), "Results of Delivery"),
    "commands": (("ctrl+p",), "upload"),
}
_NO_WORDS = " ▀▄█▌▐▔▁▎▊"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UploaderApp:
    for name in ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    write_photo(tmp_path / "photo.JPG")
    return UploaderApp(Directories(*(tmp_path,) * 4), Terminal(), connect=connecting(StillEngine()))


def drawn(app: UploaderApp) -> Iterator[Segment]:
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if segment.text.strip(_NO_WORDS):
                yield segment


def unreadable(app: UploaderApp, *, in_palette: bool = False) -> list[tuple[str, float]]:
    """Texts that are drawn in too little contrast."""
    found = []
    for segment in drawn(app):
        style = segment.style
        if style is None or style.color is None or style.bgcolor is None:
            continue
        pair = [seen(style.color, in_palette), seen(style.bgcolor, in_palette)]
        if (ratio := contrast(*pair)) < LEAST - 0.05:  # colours are rounded to bytes
            found.append((segment.text, round(ratio, 2)))
    return found


def seen(colour: RichColor, in_palette: bool) -> Color:
    shown = colour.downgrade(ColorSystem.EIGHT_BIT) if in_palette else colour
    return Color(*shown.get_truecolor())


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_text_can_be_read_in_every_theme(app: UploaderApp, screen: str) -> None:
    keys, shown = SCREENS[screen]
    async with app.run_test(size=(120, 40)):
        await until(lambda: "DJI_0006" in "".join(rendered_lines(app)) and len(app.main.projects.listed) > 5)
        await press(app, *keys)
        await until(lambda: shown in "\n".join(rendered_lines(app)))
        faults = {}
        for theme in COLOURED:
            app.theme = theme
            await press(app)
            if texts := unreadable(app):
                faults[theme] = texts[:5]
        assert faults == {}


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "solarized-light"])
async def test_every_text_can_be_read_in_256_colours(app: UploaderApp, theme: str) -> None:
    app._readable = ReadableFilter(in_palette=True)
    async with app.run_test(size=(120, 40)):
        app.theme = theme
        await until(lambda: "DJI_0006" in "".join(rendered_lines(app)) and len(app.main.projects.listed) > 5)
        for keys in (("1",), ("2",), ("3",), ("question_mark",)):
            await press(app, *keys)
            assert unreadable(app, in_palette=True) == [], (theme, keys)


@pytest.mark.parametrize("theme", COLOURED)
async def test_on_the_row_of_the_cursor_a_failed_file_differs_from_others(app: UploaderApp, theme: str) -> None:
    async with app.run_test(size=(120, 40)):
        app.theme = theme
        await until(lambda: "DJI_0006" in "".join(rendered_lines(app)) and len(app.main.projects.listed) > 5)
        signs: dict[str, Color] = {}
        table = app.main.files.table
        for row in range(7):
            table.move_to(row)
            await press(app)
            strip = app.screen._compositor.render_strips()[table.region.y + 1 + row]
            sign = next(each for each in strip.crop(table.region.x) if each.text in {"✗", "✓", "⇡", "=", "∙"})
            assert sign.style is not None and sign.style.color is not None
            signs[sign.text] = Color.from_rich_color(sign.style.color)
        failed, uploaded = signs["✗"], signs["✓"]
        apart = sum(abs(one - other) for one, other in zip(failed.rgb, uploaded.rgb, strict=True))
        assert apart > 60, (failed, uploaded)

"""`v`: the image under the cursor over the whole screen, with real files behind a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.conftest import showing
from tests.tui.pictures.photo_files import exif_of, halved, write
from tests.tui.uploads import queued, truncated
from tests.until import until
from tui_uploader.demo import write_sample_flight
from tui_uploader.settings import Directories
from tui_uploader.tui.screens.details import DetailsScreen
from tui_uploader.tui.screens.main import MainScreen
from tui_uploader.tui.terminal.capabilities import Terminal


def pictures(folder: Path) -> Path:
    """Three whole ones, the second held upright, and a broken one."""
    write(folder / "a.JPG", exif=exif_of((-46.6021, -6.5514)))
    write(folder / "b.JPG", exif=exif_of(None, "2026:05:12 09:42:00", orientation=6))
    write(folder / "c.JPG", halved(colours=("lime", "yellow")))
    truncated(folder / "d.JPG")
    return folder


async def test_the_image_under_the_cursor_is_shown_with_its_facts(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories, (80, 24)) as screen:
        await queued(directories, pictures(tmp_path / "card"), auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.failed == 1 and upload.counts.uploaded == 3)
        screen.app.main.files.sort_by("added")
        await screen.shows("✓ a.JPG")
        await screen.press("g", "v")
        await screen.shows("a.JPG", "1 of 4", "64 x 48", "DJI FC6310S", "2026-05-12 09:41:07", "46.602100 S 6.551400 W")
        await screen.shows("to this terminal")
        await screen.press("right")
        await screen.shows("b.JPG", "2 of 4", "09:42:00")
        await screen.press("j")
        await screen.shows("c.JPG", "3 of 4", "to this terminal")
        await screen.hides("DJI")
        await screen.press("G")
        await screen.shows("d.JPG", "4 of 4", "d.JPG is damaged or cut off and cannot be shown.")
        await screen.press("right", "left")
        await screen.shows("c.JPG", "to this terminal")
        await screen.press("escape")
        await screen.hides("3 of 4")
        assert isinstance(screen.app.screen, MainScreen)
        await until(lambda: screen.app.main.files.table.cursor == 2)  # the cursor goes along


async def test_a_file_that_is_gone_or_no_image_says_so(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    for name in ("a.JPG", "b.JPG"):
        write(card / name, halved(colours=((name == "a.JPG" and "red") or "lime", "white")))
    async with showing(directories, (80, 24)) as screen:
        await screen.press("v")
        await screen.shows("No file under the cursor.")
        await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 2)
        screen.app.main.files.sort_by("added")
        await screen.shows("✓ a.JPG")
        (card / "a.JPG").unlink()
        (card / "b.JPG").write_bytes(b"no picture at all")
        await screen.press("g", "v")
        await screen.shows("a.JPG is not there any more; its card may have been taken out.")
        await screen.shows("a.JPG is missing; put the card or disk back in and retry.")
        await screen.press("down")
        await screen.shows("b.JPG is not a picture that can be shown here.")
        await screen.shows("b.JPG has another size or date than the file in this upload")
        await screen.press("q")
        await screen.shows("[2] Files")


@pytest.mark.parametrize("terminal", [Terminal(ascii_only=True), Terminal(no_color=True, theme="ansi-dark")])
async def test_ascii_and_no_color_draw_brightness(
    directories: Directories, field: Path, tmp_path: Path, terminal: Terminal
) -> None:
    write(tmp_path / "card" / "a.JPG", halved(colours=("black", "white")))
    async with showing(directories, (80, 24), terminal) as screen:
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 1)
        await screen.shows("a.JPG")
        await screen.press("v")
        await screen.shows("to this terminal", "      @@@@@@@@")
        assert "▀" not in screen.text and "▄" not in screen.text


async def test_details_show_facts_and_open_the_image(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await queued(directories, pictures(tmp_path / "card"), auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 3)
        screen.app.main.files.sort_by("added")
        await screen.shows("✓ a.JPG")
        await screen.press("g", "enter")
        await screen.shows("Camera       DJI FC6310S", "Taken        2026-05-12 09:41:07", "Position     46.602100 S")
        assert isinstance(screen.app.screen, DetailsScreen)
        await screen.press("escape")
        (tmp_path / "card" / "a.JPG").rename(tmp_path / "a.JPG")
        await screen.press("g", "enter")
        await screen.shows("Image        a.JPG is missing; put the card or disk back in and retry.")
        (tmp_path / "a.JPG").rename(tmp_path / "card" / "a.JPG")
        await screen.press("v")
        await screen.shows("1 of 4", "to this terminal")
        await screen.press("escape")
        await screen.hides("1 of 4")
        assert isinstance(screen.app.screen, MainScreen)


async def test_a_slow_connection_gets_a_smaller_picture(directories: Directories, field: Path, tmp_path: Path) -> None:
    write_sample_flight(tmp_path / "card", 6)
    async with showing(directories, (120, 40)) as screen:
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 6)
        screen.app.main.files.sort_by("added")
        await screen.shows("✓ DJI_0001.JPG")
        screen.app.session.interval = 2.0
        await screen.press("v")
        await screen.shows("to this terminal, smaller for a slow connection")


async def test_a_larger_terminal_shows_a_larger_picture(directories: Directories, field: Path, tmp_path: Path) -> None:
    write(tmp_path / "card" / "a.JPG")
    async with showing(directories, (80, 24)) as screen:
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 1)
        await screen.shows("a.JPG")
        await screen.press("v")
        await screen.shows("to this terminal")
        before = next(line for line in screen.lines if "to this terminal" in line)
        await screen.pilot.resize_terminal(120, 40)
        await screen.comes_true(lambda: before not in screen.text and "to this" in screen.text, "never redrawn")

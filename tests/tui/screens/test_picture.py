"""`v`: the image under the cursor over the whole screen, with real files behind a real engine."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from tests.photos import of_yesterday
from tests.tui.conftest import Screen, showing
from tests.tui.pictures.photo_files import exif_of, halved, write
from tests.tui.uploads import queued, truncated
from tests.until import until
from tui_uploader.demo import write_sample_flight
from tui_uploader.model.files import FileItem
from tui_uploader.settings import Directories
from tui_uploader.tui.pictures.area import CellArea
from tui_uploader.tui.pictures.parts import Box
from tui_uploader.tui.screens import picture as picture_screen
from tui_uploader.tui.screens.main import MainScreen
from tui_uploader.tui.screens.picture import PictureScreen
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
        await screen.shows("to this terminal", "64 x 48 pixels in")
        await screen.press("right")
        await screen.shows("b.JPG", "2 of 4", "09:42:00")
        await screen.press("j")
        await screen.shows("c.JPG", "3 of 4", "to this terminal")
        await screen.hides("DJI")
        await screen.press("G")
        await screen.shows("d.JPG", "4 of 4", "✗ failed", "d.JPG is damaged or cut off and cannot be shown.")
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
        await screen.shows("b.JPG is not an image that can be shown here.")
        await screen.shows("b.JPG has another size or date than the file in this upload")
        await screen.press("q")
        await screen.shows("[2] Files")


@pytest.mark.parametrize(
    ("terminal", "bright"),
    [(Terminal(ascii_only=True), "      @@@@@@@@"), (Terminal(no_color=True, theme="ansi-dark"), "⠀⠀⠀⣿⣿⣿⣿⣿⣿")],
)
async def test_ascii_and_no_color_draw_brightness(
    directories: Directories, field: Path, tmp_path: Path, terminal: Terminal, bright: str
) -> None:
    write(tmp_path / "card" / "a.JPG", halved(colours=("black", "white")))
    async with showing(directories, (80, 24), terminal) as screen:
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 1)
        await screen.shows("a.JPG")
        await screen.press("v")
        await screen.shows("to this terminal", bright)
        assert "▀" not in screen.text and "▄" not in screen.text


async def test_details_show_facts_and_open_the_image(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await queued(directories, pictures(tmp_path / "card"), auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 3)
        screen.app.main.files.sort_by("added")
        await screen.shows("✓ a.JPG")
        await screen.press("g", "enter")
        await screen.shows("Camera       DJI FC6310S", "Taken        2026-05-12 09:41:07", "Position     46.602100 S")
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
        await screen.shows("Slow connection: Space draws the picture", "DJI FC6310S", "46.")
        assert "to this terminal" not in screen.text, "facts first"
        await screen.press("space")
        await screen.shows("to this terminal, smaller for a slow connection")
        assert not screen.app.main.files.table.marks
        await screen.press("space")
        await screen.comes_true(lambda: len(screen.app.main.files.table.marks) == 1, "the second press selects")


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


def lively(path: Path, width: int = 2400, height: int = 1600) -> Path:
    """A photo with detail in every pixel."""
    noise = Image.merge("RGB", [Image.effect_noise((width, height), 90) for _ in range(3)])
    return write(path, noise.filter(ImageFilter.GaussianBlur(0.6)), exif_of((46.6, 6.55)))


async def test_zoom_to_every_pixel_and_move(
    directories: Directories, field: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lively(tmp_path / "card" / "a.JPG")
    lively(tmp_path / "card" / "b.JPG")
    monkeypatch.setattr(picture_screen, "style_of", lambda _: "halves")
    async with showing(directories, (80, 24)) as screen:
        screen.app.main.files.sort_by("name")
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 2)
        await screen.shows("✓ a.JPG")
        await screen.press("g", "v")
        await screen.shows("2,400 x 1,600 pixels in", "z Z zoom")
        assert "h j k l" not in screen.text
        await screen.press("z")
        await screen.shows("1:4, 320 x 144 of 2,400 x 1,600 pixels", "h j k l")
        await screen.press("z")
        await screen.shows("1:1, 80 x 36 of 2,400 x 1,600 pixels")
        shown = screen.app.screen
        assert isinstance(shown, PictureScreen)

        async def box_is(condition: Callable[[Box], bool]) -> None:
            try:
                await screen.comes_true(
                    lambda: shown._part is not None and shown._part.zoom == 1 and condition(shown._part.box),
                    "not moved",
                )
            except AssertionError as error:
                part = shown._part
                raise AssertionError(f"{shown._view}, {part and (part.box, part.zoom)}, {shown._drawn}") from error

        assert shown._part is not None
        left, top, *_ = shown._part.box
        await screen.press("l")
        await box_is(lambda box: box[0] == left + 40 and box[1] == top)
        await screen.press("j", "h", "h")
        await box_is(lambda box: box[0] == left - 40 and box[1] == top + 18)
        for _ in range(90):  # half a screen each: the part with most detail may be the lowest of 1,600 rows
            await screen.press("k")
        await box_is(lambda box: box[1] == 0)
        await screen.press("right")
        await screen.shows("b.JPG", "2 of 2", "1:1, 80 x 36")
        await screen.press("Z", "Z")
        await screen.shows(" dots")


async def test_a_blurred_photo_is_told_from_a_sharp_one_at_full_size(
    directories: Directories, field: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a whole both look the same; pixel by pixel, neighbours differ in the sharp one alone."""
    sharp = Image.open(lively(tmp_path / "card" / "a.JPG"))
    write(tmp_path / "card" / "b.JPG", sharp.filter(ImageFilter.GaussianBlur(8)))
    monkeypatch.setattr(picture_screen, "style_of", lambda _: "halves")
    async with showing(directories, (120, 36)) as screen:
        screen.app.main.files.sort_by("name")
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 2)
        await screen.shows("✓ a.JPG")
        await screen.press("g", "v")
        await screen.shows(" dots")
        await screen.press("z", "z")
        await screen.shows("a.JPG", "1:1, ")
        of_sharp = local_contrast(screen)
        await screen.press("right")
        await screen.shows("b.JPG", "2 of 2")
        await screen.comes_true(lambda: local_contrast(screen) < of_sharp / 4, "the blurred one looks as sharp")


def local_contrast(screen: Screen) -> float:
    """The mean difference in brightness between neighbouring cells of the picture, from 0 to 255."""
    area = screen.app.screen.query_one(CellArea)
    total, pairs = 0.0, 0
    for y in range(area.size.height):
        shades = [
            sum(segment.style.bgcolor.get_truecolor()) / 3
            for segment in area.render_line(y)
            if segment.style is not None and segment.style.bgcolor is not None
            for _ in segment.text
        ]
        total += sum(abs(one - other) for one, other in pairwise(shades))
        pairs += max(0, len(shades) - 1)
    return total / max(1, pairs)


async def test_of_a_photo_that_is_cut_off_the_readable_part_is_shown(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    path = lively(tmp_path / "card" / "a.JPG", 1200, 900)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    of_yesterday(path)
    async with showing(directories, (120, 36)) as screen:
        screen.app.main.files.sort_by("name")
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.failed == 1)
        await screen.shows("✗ a.JPG")
        await screen.press("g", "v")
        await screen.shows("the file ends here, ", "of 900 rows", "✗ failed", "R retry", "from the card")
        end = next(row for row, line in enumerate(screen.lines) if "the file ends here" in line)
        assert 12 < end < 22, "about the middle"
        assert not any(line[:70].strip() for line in screen.lines[end + 1 : 32])
        await screen.press("z", "z")
        await screen.shows("1:1, ", " of 1,200 x 900 pixels")


async def test_n_goes_to_the_next_problem_and_around(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    for number in range(6):
        place = None if number == 2 else (46.6 + number / 1000, 6.55)
        write(card / f"DJI_{number}.JPG", halved(64 + 2 * number, 48), exif_of(place))
    truncated(card / "DJI_4.JPG")
    (card / "DJI_5.JPG").write_bytes((card / "DJI_0.JPG").read_bytes())
    async with showing(directories, (120, 30)) as screen:
        screen.app.main.files.sort_by("name")
        await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda upload: upload.settled and upload.counts.duplicate == 1)
        await screen.shows("✓ DJI_0.JPG")
        screen.app.main.files.table.move_to(names_in(screen).index("DJI_0.JPG"))
        await screen.press("v")
        await screen.shows("✓ uploaded", "DJI_0.JPG", "1 of 6")
        await screen.press("n")
        await screen.shows("DJI_2.JPG", "problem 1 of 3", "no position")
        await screen.press("n")
        await screen.shows("DJI_4.JPG", "problem 2 of 3", "✗ failed")
        await screen.press("n")
        await screen.shows("DJI_5.JPG", "problem 3 of 3", "= duplicate")
        await screen.press("n")
        await screen.shows("DJI_2.JPG", "problem 1 of 3")
        await screen.press("N", "N")
        await screen.shows("DJI_4.JPG", "problem 2 of 3")
        await screen.press("right")
        await screen.shows("DJI_5.JPG", "6 of 6")
        await screen.comes_true(lambda: "problem" not in screen.lines[0], "it was not reached as a problem")


async def test_without_problems_n_is_the_next_image(directories: Directories, field: Path, tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / "card" / f"DJI_{number}.JPG", halved(64 + 2 * number, 48), exif_of((46.6, 6.55)))
    async with showing(directories, (120, 30)) as screen:
        screen.app.main.files.sort_by("name")
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 3)
        await screen.shows("✓ DJI_0.JPG")
        await screen.press("g", "v", "n")
        await screen.shows("DJI_1.JPG", "2 of 3")
        assert "problem " not in screen.lines[0]


async def test_the_keys_act_on_the_file_that_is_shown(
    directories: Directories, field: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    card = pictures(tmp_path / "card")
    whole = (card / "c.JPG").read_bytes()
    truncated(card / "e.JPG")
    async with showing(directories, (120, 30)) as screen:
        screen.app.main.files.sort_by("name")
        monkeypatch.setattr(screen.app, "copy_to_clipboard", copied.append)
        await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.failed == 2 and upload.counts.uploaded == 3)
        await screen.shows("✓ a.JPG")
        screen.app.main.files.table.move_to(names_in(screen).index("a.JPG"))
        await screen.press("v")
        await screen.shows("✓ uploaded", "a.JPG", "to this terminal")
        assert "R retry" not in screen.text and "x remove" not in screen.text
        await screen.press("n")
        await screen.shows("b.JPG", "no position")
        await screen.press("n", "n")
        await screen.shows("d.JPG", "R retry", "x remove")
        await screen.press("y")
        await screen.shows("Path (copied if your terminal allows)")
        assert copied == [str(card / "d.JPG")]
        await screen.press("space")
        await screen.shows("✚ ✗ failed")
        await screen.press("space")
        await screen.hides("✚")
        (card / "d.JPG").write_bytes(whole[:-2] + b"\0\xff\xd9")
        of_yesterday(card / "d.JPG")
        await screen.press("R")
        await screen.shows("✓ uploaded", "d.JPG")
        await screen.press("n")
        await screen.shows("e.JPG", "✗ failed")
        await screen.press("x")
        await screen.shows(" removed ", "U undo")
        await screen.press("U")
        await screen.shows("✗ failed", "e.JPG", "5 of 5", "Space select")
        await screen.press("escape")
        await screen.shows("✓ a.JPG")
        table = screen.app.main.files.table
        await screen.comes_true(
            lambda: isinstance(table.current, FileItem) and table.current.name == "e.JPG", "the cursor did not go along"
        )


def names_in(screen: Screen) -> list[str]:
    """Of the rows of the files pane."""
    return [row.name if isinstance(row, FileItem) else "" for row in screen.app.main.files.table.window.rows]

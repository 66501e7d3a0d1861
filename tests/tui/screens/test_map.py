"""`m`: where the images of an upload were taken, live, with real photos behind a real engine."""

from __future__ import annotations

from pathlib import Path

from tests.tui.conftest import showing
from tests.tui.pictures.photo_files import exif_of, halved, write
from tests.tui.uploads import paused, queued, truncated
from tui_uploader.model.files import FileQuery
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui.terminal.capabilities import Terminal


def flight(folder: Path, photos: int = 6) -> Path:
    """A lane of 100 m to the north, one image each 20 m, and one without position."""
    for number in range(photos):
        place = (46.6 + number * 20 / 111_195, 6.55)
        picture = halved(64 + number, 48)
        write(folder / f"DJI_{number}.JPG", picture, exif_of(place, f"2026:05:12 09:41:{number:02}"))
    write(folder / "nowhere.JPG", halved(32, 32))
    return folder


async def test_the_map_fills_as_files_are_uploaded(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories, (80, 24)) as screen:
        upload = await paused(directories, flight(tmp_path / "card"))
        await screen.shows("∙ DJI_5.JPG")
        await screen.press("m")
        await screen.shows("Map of the flight", "No positions yet;")
        async with EngineClient.connect(directories, spawn=False) as engine:
            await engine.resume(upload)
            await screen.shows("6 images", "0 m x 100 m", "8 uploaded", "2 without position", "▴ N", "50 m")
            body = "\n".join(screen.lines[1:-2])
            assert sum("\u2800" < character <= "\u28ff" for character in body) >= 6
            assert "∙" not in body
            found = await engine.positions(upload)
            assert [round(point.latitude, 4) for point in found.points] == sorted(
                round(46.6 + number * 20 / 111_195, 4) for number in range(6)
            )
        await screen.press("escape")
        await screen.shows("[2] Files")


async def test_the_file_under_the_cursor_is_marked_and_problems_have_their_own_sign(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path / "card")
    (card / "copy.JPG").write_bytes((card / "DJI_0.JPG").read_bytes())
    truncated(card / "broken.JPG")
    async with showing(directories, (80, 24)) as screen:
        upload = await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda status: status.settled)
        await screen.shows("✓ DJI_3.JPG")
        async with EngineClient.connect(directories, spawn=False) as engine:
            files = (await engine.files(upload, FileQuery())).files
        screen.app.main.files.table.move_to(next(index for index, each in enumerate(files) if each.name == "DJI_3.JPG"))
        await screen.press("m")
        await screen.shows("7 images", "=", "1 duplicate", "1 failed", "✚ DJI_3.JPG")
        body = screen.lines[1:-2]
        assert sum(line.count("✚") for line in body) == 1 and sum(line.count("=") for line in body) == 1
        assert next(row for row, line in enumerate(body) if "=" in line) > len(body) // 2, "the south is below"


async def test_a_map_without_positions_says_why(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories, (80, 24), Terminal(ascii_only=True)) as screen:
        await screen.press("m")
        await screen.shows("Nothing to map")
        write(tmp_path / "card" / "a.JPG")
        await queued(directories, tmp_path / "card", auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 1)
        await screen.shows("+ a.JPG")
        await screen.press("m")
        await screen.shows("No positions: the EXIF data", "1 without position")
        assert screen.text.isascii()


async def test_the_map_in_ascii(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories, (240, 70), Terminal(ascii_only=True)) as screen:
        await queued(directories, flight(tmp_path / "card"), auto_process=False)
        await screen.upload_is(lambda upload: upload.counts.uploaded == 7)
        await screen.shows("+ DJI_5.JPG")
        await screen.press("m")
        await screen.shows("^ N", "|---", "7 uploaded")
        body = screen.lines[1:-2]
        assert "".join(body).count("+") + "".join(body).count("*") >= 6
        assert screen.text.isascii()

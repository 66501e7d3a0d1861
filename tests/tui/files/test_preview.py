"""The preview beside the files of a wide terminal, with real photos behind a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.conftest import Screen, showing
from tests.tui.pictures.photo_files import exif_of, halved, write
from tests.tui.uploads import queued
from tui_uploader.settings import Directories
from tui_uploader.tui.files.preview import MOST_BYTES, Preview
from tui_uploader.tui.pictures import cells

WIDE = (160, 40)


def flight(folder: Path, photos: int = 4) -> Path:
    for number in range(photos):
        place = (46.6 + number / 1000, 6.55)
        write(folder / f"DJI_{number}.JPG", halved(64 + 2 * number, 48, ("black", "white")), exif_of(place))
    return folder


async def uploaded(screen: Screen, directories: Directories, folder: Path) -> None:
    screen.app.main.files.sort_by("name")
    await queued(directories, folder, auto_process=False)
    await screen.upload_is(lambda upload: upload.counts.uploaded == 4)
    await screen.shows("✓ DJI_0.JPG")


def beside(screen: Screen) -> str:
    return "\n".join(line[102:] for line in screen.lines)


async def test_the_preview_follows_the_cursor_once_it_rests(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories, WIDE) as screen:
        await uploaded(screen, directories, flight(tmp_path / "card"))
        await screen.press("g")
        await screen.comes_true(
            lambda: all(text in beside(screen) for text in ("DJI_0.JPG", "DJI FC6310S", "46.600000 N", "⣿⣿⣿⣿", "✚")),
            "no preview",
        )
        await screen.press("down", "down")
        await screen.comes_true(lambda: "DJI_2.JPG" in beside(screen) and "46.602000 N" in beside(screen), "not moved")
        assert "DJI_0.JPG" not in beside(screen)


async def test_a_preview_is_drawn_once_and_in_few_bytes(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories, WIDE) as screen:
        await uploaded(screen, directories, flight(tmp_path / "card"))
        await screen.comes_true(lambda: "46.60" in beside(screen) and "⣿⣿⣿⣿" in beside(screen), "no preview")
        preview = screen.app.main.query_one(Preview)
        picture = preview._area._strips
        drawn = cells.cell_picture(halved(640, 480), *preview._area.size, "halves", MOST_BYTES)
        assert drawn.bytes <= MOST_BYTES
        for _ in range(3):
            screen.app.main.files.rows_wanted()
            await screen.press("f12")
        assert preview._area._strips is picture


@pytest.mark.parametrize("slow", [True, False])
async def test_no_preview_on_slow_connections_and_narrow_terminals(
    directories: Directories, field: Path, tmp_path: Path, slow: bool
) -> None:
    async with showing(directories, WIDE if slow else (140, 40)) as screen:
        if slow:
            screen.app.session.interval = 2.0
        await uploaded(screen, directories, flight(tmp_path / "card"))
        await screen.press("g", "down")
        await screen.shows("› ✓ DJI_1.JPG")
        screen.app.session.interval = 0.02
        await screen.pilot.resize_terminal(170, 40)
        await screen.comes_true(lambda: "DJI_1.JPG" in beside(screen), "it comes when there is place for it")
        await screen.press("down")
        await screen.comes_true(lambda: "DJI_2.JPG" in beside(screen), "it did not follow")

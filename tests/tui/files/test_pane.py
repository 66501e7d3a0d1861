"""Filters and selections of the files pane."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import replace
from rich.cells import cell_len

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tests.tui.files.test_activity import become
from tests.tui.uploads import flight, paused
from tests.until import until
from tui_uploader.model.states import FileStatus
from tui_uploader.settings import Directories


async def test_filters_apply_while_typing_and_are_cleared(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *(f"DJI_{number:04}.JPG" for number in range(1, 41)))
    async with showing(directories) as screen:
        await screen.shows("DJI_0001.JPG", "DJI_0011.JPG")
        await screen.press("/", *"07")
        await screen.shows("1 of 40", "DJI_0007.JPG")
        await screen.press("enter")
        assert screen.app.main.files.table.has_focus
        await screen.press("escape")
        await screen.shows("DJI_0011.JPG")
        await screen.press("1", "/", *"zzz")
        await screen.shows("No project matches.", "0 of 1")
        await screen.press("escape")
        await screen.shows("[1] Projects  1")


async def test_all_files_shown_by_a_filter_are_selected_at_once(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await paused(directories, flight(tmp_path, 12))
        await screen.press("/", *"dji", "space", *":wait")
        await screen.shows("12 of 13", "only waiting", "DJI_0012.JPG")
        await screen.press("enter", "A")
        await screen.shows("12 selected")
        await screen.press("escape")
        await screen.shows("[2] Files  Quarry  13 files", "12 selected")
        await screen.press("i")
        await screen.shows("1 selected")
        await screen.press("i")
        await screen.shows("12 selected")
        await screen.press("x")
        await screen.shows("Remove 12 files from the queue of Quarry?", "stay in the upload")
        await screen.press("y")
        await screen.shows("12 files removed from the queue; U to undo.")
        await screen.upload_is(lambda upload: upload.counts.total == 1)
        await screen.press("U")
        await screen.shows("12 files put back", "[2] Files  Quarry  13 files")
        await screen.press("A")
        await screen.shows("13 selected")
        await screen.press("escape")
        await screen.hides("selected")


async def test_kinds_and_paths_filter_with_a_count_and_the_title_keeps_it(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "A very long name of a project " * 6, *(f"{n // 9}MEDIA/DJI_{n}.JPG" for n in range(40)))
    become(manager, lambda file: replace(file, located=file.id % 2 == 0))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("41 files")
        await screen.press("/", *"/1MEDIA", "enter")
        await screen.shows("9 of 41", "//1MEDIA", "DJI_9.JPG", "DJI_17.JPG", "/ change")
        await screen.press("/", "end", "space", *":nogps", "enter")
        await screen.shows("only without GPS")
        await screen.hides("9 of 41")
        await screen.press("f")
        await screen.shows("✗ only failed", "None of the 41 files matches: //1MEDIA, ✗ only failed", "0 of 41")
        await screen.press("escape")
        await screen.shows("41 files")


async def test_a_click_on_a_count_filters_by_it(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG", "b.JPG", "c.JPG")
    become(manager, lambda file: replace(file, status=FileStatus.FAILED) if file.id == 2 else file)
    async with showing(directories, (120, 30)) as screen:
        await screen.shows("✗1 ∙2", "c.JPG")
        line = next(number for number, text in enumerate(screen.lines) if "✗1" in text)
        column = screen.lines[line].index("✗1")
        await screen.pilot.click(offset=(column, line))
        await screen.shows("✗ only failed", "1 of 3")
        await screen.hides("c.JPG")


def fits(screen: Screen, width: int) -> bool:
    return all(cell_len(line) <= width for line in screen.lines)


async def test_any_size_shows_files_again_after_a_tiny_terminal(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "東京 " * 70, "👩\u200d👩\u200d👧" * 40, "שלום" * 50, "a\x1b[2J" * 40, "DJI_0001.JPG")
    async with showing(directories, (120, 36)) as screen:
        for size in ((20, 5), (80, 24), (200, 50), (60, 16), (1, 1), (120, 36)):
            await screen.pilot.resize_terminal(*size)
            if size >= (60, 16):
                await screen.shows("5 files", "DJI_0001.JPG" if size >= (80, 24) else ".JPG", "7 B waiting")
                await until(partial(fits, screen, size[0]))

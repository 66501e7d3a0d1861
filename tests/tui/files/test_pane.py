"""Filters and selections of the files pane."""

from __future__ import annotations

from pathlib import Path

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.uploads import flight, paused
from tests.until import until
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

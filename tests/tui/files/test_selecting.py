"""Ranges and selections that reach beyond the rows in memory, and keys that are typed ahead."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.files.test_activity import become, names, uploaded
from tests.until import until
from tui_uploader.model.states import FileStatus
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories


async def test_a_range_follows_the_cursor_until_it_is_ended(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("more waiting")
        screen.app.main.files.sort_by("added")
        await screen.shows("by order added")
        await screen.press("j", "V", "j", "j", "j", "k")
        await screen.shows("3 selected, range", "✚∙ DJI_0003.JPG")
        assert screen.app.main.files.selected_ids() == (2, 3, 4)
        await screen.press("V", "j", "j", "space")
        await screen.shows("4 selected", "V range")
        assert screen.app.main.files.selected_ids() == (2, 3, 4, 6)
        await screen.press("escape")
        await screen.hides("selected")


async def test_a_range_to_the_end_takes_files_that_are_not_in_memory(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *names(4000))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("more waiting")
        screen.app.main.files.sort_by("name")
        await screen.shows("by name")
        await screen.press("j", "V", "G")
        await screen.shows("3,999 selected, range", "› ")
        await screen.press("g")
        await screen.shows("2 selected, range")


async def test_shift_extends_a_range_over_folds(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("› ∙ DJI_0001.JPG", "more waiting")
        rows = screen.app.main.files.table.window.total
        become(manager, uploaded(1, 2))
        await screen.shows("✓2", "› ∙ DJI_0003.JPG")
        await screen.press(*["shift+down"] * 2 * rows)
        await screen.shows("400 selected")
        await screen.press("shift+up")
        await screen.shows("399 selected")
        await screen.press("up", "shift+down")
        await screen.shows("39")


async def test_a_range_ends_when_its_first_file_moves_in_the_list(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *names(40))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("› ∙ DJI_0001.JPG")
        await screen.press("V", "j")
        await screen.shows("2 selected, range")
        become(manager, uploaded(1))
        await screen.shows("✓1", "✓ DJI_0001.JPG")
        await screen.press("j")
        await until(lambda: not screen.app.main.files.in_range)
        assert screen.app.main.files.selected_ids() == (1, 2)


async def test_space_on_a_fold_selects_all_its_files(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("more waiting")
        table = screen.app.main.files.table
        await screen.press("G", "space")
        await screen.shows(f"{400 - (table.window.total - 1)} selected")
        await screen.press("space")
        await screen.hides("selected")


async def test_shift_and_a_click_select_a_range(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("› ∙ DJI_0001.JPG")
        await screen.pilot.click("#files-table", offset=(5, 5), shift=True)
        await screen.shows("5 selected", "✚∙ DJI_0005.JPG")


async def test_keys_typed_ahead_wait_for_the_selection_that_they_mean(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_upload(manager, *names(5))
    answer = EngineClient.file_runs

    async def late(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0.3)
        return await answer(*args, **kwargs)

    monkeypatch.setattr(EngineClient, "file_runs", late)
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("› ∙ DJI_0001.JPG")
        await screen.press("A", "x")
        await screen.shows("5 files removed")
        await until(lambda: not manager._state.files[1])


async def test_n_goes_from_problem_to_problem_over_folds_and_windows(
    manager: StandInManager, directories: Directories
) -> None:
    kinds = {3000: FileStatus.FAILED, 3500: FileStatus.FAILED, 7: FileStatus.DUPLICATE}
    await add_upload(manager, *names(4000))
    become(manager, lambda file: replace(file, status=kinds.get(file.id, file.status)))
    async with showing(directories, (80, 24)) as screen:
        screen.app.main.files.sort_by("added")
        await screen.shows("› ∙ DJI_0001.JPG")
        await screen.press("n", "n")  # the first one tells where the key went
        await screen.shows("› ✗ DJI_3000.JPG")
        await screen.press("n")
        await screen.shows("› ✗ DJI_3500.JPG")
        await screen.press("n")
        await screen.shows("› = DJI_0007.JPG")
        await screen.press("n")
        await screen.shows("› ✗ DJI_3000.JPG")
        await screen.press("N")
        await screen.shows("› = DJI_0007.JPG")
        await screen.press("/", *"350", "enter")
        await screen.shows("› ∙ DJI_0350.JPG", "14 of 4,000", "/350")
        await screen.press("n")
        await screen.shows("› ∙ DJI_1350.JPG")
        await screen.press("escape")
        await screen.shows("› ∙ DJI_1350.JPG", "DJI_1349.JPG", "4,000 files")

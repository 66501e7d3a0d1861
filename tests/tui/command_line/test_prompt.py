"""Commands typed in the app, in front of an engine of mere values."""

from __future__ import annotations

import pytest
from textual import events

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.until import until
from tui_uploader.model.states import UploadState
from tui_uploader.settings import Directories
from tui_uploader.tui.command_line.prompt import CommandPrompt
from tui_uploader.tui.messages import HastyKey, UnbracketedPaste


async def test_a_limit_is_set_and_a_mistake_keeps_the_text(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ east")
        await screen.press("colon")
        await screen.shows("Tab completes", "automatic")
        await screen.press(*"li", "tab")
        await screen.shows(":limit", "500k or 500KB/s", "no limit")
        await screen.press(*"fast", "enter")
        await screen.shows("'fast' is not a rate.", ":limit fast")
        await screen.press("escape")
        await screen.hides(":limit fast")
        await screen.press("colon", *"limit 2M", "enter")
        await screen.shows("Bandwidth from now on: limit 2M.")
        assert screen.app.screen is screen.app.main


async def test_an_unknown_command_names_the_nearest(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("colon", *"qiut", "enter")
        await screen.shows("There is no command 'qiut'; the nearest is :quit.", ":qiut")
        await screen.press("backspace")
        await screen.hides("There is no command")


async def test_files_are_sorted_and_filtered(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east", "west")
    async with showing(directories) as screen:
        await screen.shows("∙ east", "∙ west")
        await screen.press("colon", *"sort taken", "enter")
        await screen.comes_true(lambda: screen.app.main.files.windows.query.sort == "taken", "not sorted")
        await screen.press("colon", *"filter wes", "enter")
        await screen.comes_true(lambda: "∙ east" not in screen.text, "not filtered")
        await screen.shows("∙ west")
        assert screen.app.focused is screen.app.main.files.table


async def test_q_quits(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories) as screen:
        await screen.press("colon", "q", "enter")
        await until(lambda: not screen.app.is_running)


async def test_a_command_acts_on_the_highlighted_row(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    await add_upload(manager, "west")
    async with showing(directories) as screen:
        await screen.shows("east", "west")
        await screen.press("3")
        await screen.press("home")
        await screen.upload_is(lambda upload: upload.project_name == "west")
        await screen.press("end")
        await screen.upload_is(lambda upload: upload.project_name == "east")
        await screen.press("colon", *"paus", "tab", "enter")
        await screen.upload_is(lambda upload: upload.state is UploadState.PAUSED)
        uploads = manager.queries.status().uploads
        assert [upload.project_name for upload in uploads if upload.state is UploadState.PAUSED] == ["east"]


async def test_down_chooses_and_a_click_does_too(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("colon", *"he", "down")
        await screen.shows(":help")
        await screen.press("enter")
        await screen.hides(":help")
        await screen.shows("In the files")


async def test_pasted_text_runs_nothing(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("colon")
        screen.app.post_message(events.Paste("quit\n"))
        await screen.shows(":quit")
        screen.app.post_message(HastyKey("enter", "\r"))
        await screen.shows("Read the command, then press Enter.")
        assert isinstance(screen.app.screen, CommandPrompt)


async def test_pasted_keys_run_nothing(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("colon")
        screen.app.post_message(UnbracketedPaste("zoom\nquit\n"))
        await screen.shows(":zoom")
        assert isinstance(screen.app.screen, CommandPrompt)


@pytest.mark.parametrize("size", [(60, 16), (200, 50)])
async def test_the_list_fits(manager: StandInManager, directories: Directories, size: tuple[int, int]) -> None:
    async with showing(directories, size) as screen:
        await screen.press("colon", "up")
        await screen.shows(":zoom", "Let the pane fill")
        assert screen.lines[-1].strip() == ":zoom"

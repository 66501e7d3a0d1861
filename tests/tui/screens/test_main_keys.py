"""Keys of the main screen whose effect is seen at once: zoom, copies, and the panes beside."""

from __future__ import annotations

from functools import partial

import pytest

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tui_uploader.settings import Directories


def pane_is(screen: Screen, pane: str) -> bool:
    return screen.app.main.pane == pane


async def test_zoom_lets_a_pane_fill_the_screen_and_returns(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("[1] Projects", "[2] Files", "[3] Uploads", "∙ east")
        for key, title in (("1", "[1] Projects"), ("2", "[2] Files"), ("3", "[3] Uploads")):
            await screen.press(key, "+")
            others = {"[1] Projects", "[2] Files", "[3] Uploads"} - {title}
            for other in others:
                await screen.hides(other)
            await screen.shows(title)
            await screen.press("+")
            await screen.shows(title, *others)


async def test_h_and_l_go_to_the_panes_beside(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("∙ east")
        await screen.press("l")
        await screen.shows("l no longer shows the log")
        for key, pane in (("l", "uploads"), ("l", "projects"), ("h", "uploads"), ("h", "files"), ("h", "projects")):
            await screen.press(key)
            await screen.comes_true(partial(pane_is, screen, pane), f"{pane} has no focus")


async def test_paths_are_copied_as_they_are(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_upload(manager, "east.JPG", "two words.JPG", "west.JPG")
    async with showing(directories) as screen:
        copied: list[str] = []
        monkeypatch.setattr(screen.app._commands, "_copy", copied.append)
        await screen.shows("∙ west.JPG")
        await screen.press("y")
        await screen.comes_true(lambda: copied == ["/card/east.JPG"], "not copied")
        await screen.press("A", "Y")
        await screen.comes_true(lambda: len(copied) == 2, "not copied")
        assert sorted(copied[1].split("\n")) == ["/card/east.JPG", "/card/two words.JPG", "/card/west.JPG"]
        await screen.shows("Paths of 3 files")

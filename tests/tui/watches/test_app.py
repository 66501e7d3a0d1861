"""Watched folders in the app, in front of a real engine and the local cloud."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tui.conftest import Screen, showing
from tests.tui.uploads import flight
from tui_uploader.settings import Directories


async def says(screen: Screen, *texts: str) -> None:
    """Return when all of `texts` are on the screen, wrapped or not: paths of tests are long."""
    await screen.comes_true(lambda: all(text in " ".join(screen.text.split()) for text in texts), f"{texts} never came")


async def test_a_card_that_comes_is_told_and_shown_until_it_is_no_longer_watched(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    place, card = directories.data.parents[1] / "reader", flight(tmp_path, 2)  # its line has little space
    async with showing(directories) as screen:
        await screen.press("colon", *f"watch {place}", "enter")
        await says(screen, "are uploaded automatically as soon as there is a card.")
        await screen.shows("◉ Watching", "waits for a card")
        shutil.copytree(card, place)
        await screen.shows("DJI_0001.JPG")
        await screen.tells("A card was found at ")
        await screen.tells("All images in ")
        await says(screen, "all images are in the cloud, in")
        await screen.press("W")
        await screen.shows("Watched folders", "◉ watching", "Processing after 10 min without new images.")
        await screen.press("x")
        await says(screen, "is no longer watched; what was added stays in its uploads.", "No folder is watched.")
        await screen.press("escape")
        await screen.hides("◉ Watching")


async def test_a_folder_that_cannot_be_watched_is_refused_where_it_was_typed(
    directories: Directories, field: Path
) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("W", "a")
        await screen.shows("Watch a folder", "/media/card")
        await screen.press(*"/", "enter")
        await screen.comes_true(lambda: "Name of the project" not in screen.text and "/ " in screen.text, "no answer")
        await screen.shows("Watch a folder")
        assert not screen.app.session.status or not screen.app.session.status.watches


async def test_unwatch_takes_a_watched_folder_only(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("colon", *"unwatch /not/watched", "enter")
        await screen.shows("/not/watched is not watched; Tab lists the folders that are.")
        await screen.press("escape")
        await screen.press("colon", *f"watch {tmp_path / 'card'}", "enter")
        await screen.shows("◉ Watching")
        await screen.press("colon", *"unwatch ", "tab", "enter")
        await says(screen, "is no longer watched")
        await screen.hides("◉ Watching")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_list_of_watches_opens_from_every_pane(
    directories: Directories, field: Path, size: tuple[int, int]
) -> None:
    async with showing(directories, size) as screen:
        for pane in "123":
            await screen.press(pane, "W")
            await screen.shows("No folder is watched.")
            await screen.press("escape")
            await screen.hides("No folder is watched.")

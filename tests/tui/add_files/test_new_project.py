from __future__ import annotations

import asyncio

import pytest

from tests.tui.dialog_app import opened
from tui_uploader.errors import LinkError
from tui_uploader.model import ProjectKind
from tui_uploader.tui.add_files.new_project import NewProjectScreen


def screen() -> NewProjectScreen:
    async def make(name: str, kind: ProjectKind) -> None:
        """The service makes it."""

    return NewProjectScreen(make)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_a_project_is_named_with_keys(size: tuple[int, int]) -> None:
    async with opened(screen, *size) as dialog:
        await dialog.shows("New project", "(x) images", "( ) results", "Enter create", "Esc cancel")
        await dialog.type("North field")
        await dialog.press("tab", "space", "enter")
        assert await dialog.answered() == ("North field", ProjectKind.RESULTS)


async def test_slashes_are_replaced_in_sight() -> None:
    async with opened(screen) as dialog:
        await dialog.type("a/b\\c")
        await dialog.shows("Will be named a-b-c")
        await dialog.press("enter")
        assert await dialog.answered() == ("a-b-c", ProjectKind.IMAGES)


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "Type a name for the new project."), ("x" * 101, "The name is too long: 101 characters of at most 100.")],
)
async def test_a_name_that_cannot_be_is_refused(name: str, said: str) -> None:
    async with opened(screen) as dialog:
        if name:
            dialog.paste(f"{name}\nsecond line")
        await dialog.press("enter")
        await dialog.shows(said)
        assert dialog.is_open


async def test_a_paste_is_made_harmless() -> None:
    async with opened(screen) as dialog:
        dialog.paste("\x1b]0;x\x07North [red]\nsecond")
        await dialog.shows("]0;xNorth [red]")
        await dialog.press("enter")
        assert await dialog.answered() == ("]0;xNorth [red]", ProjectKind.IMAGES)


@pytest.mark.parametrize("way", ["keys", "mouse"])
async def test_it_can_be_left(way: str) -> None:
    async with opened(screen) as dialog:
        await dialog.type("North")
        if way == "keys":
            await dialog.press("escape")
        else:
            await dialog.click(*dialog.at("Cancel"))
        assert await dialog.answered() is None


async def test_the_mouse_chooses_and_creates() -> None:
    async with opened(screen) as dialog:
        await dialog.type("North")
        await dialog.click(*dialog.at("( ) results"))
        await dialog.shows("(x) results")
        await dialog.click(*dialog.at("Create"))
        assert await dialog.answered() == ("North", ProjectKind.RESULTS)


async def test_a_project_that_cannot_be_made_keeps_its_name() -> None:
    asked: list[str] = []

    async def make(name: str, kind: ProjectKind) -> None:
        asked.append(name)
        if len(asked) == 1:
            raise LinkError("[cloud] refused the connection.")

    async with opened(lambda: NewProjectScreen(make)) as dialog:
        await dialog.type("North")
        await dialog.press("enter")
        await dialog.shows("Could not create the project. [cloud] refused the connection.", "North")
        await dialog.press("enter")
        assert await dialog.answered() == ("North", ProjectKind.IMAGES)


async def test_a_second_enter_makes_no_second_project() -> None:
    asked: list[str] = []
    made = asyncio.Event()

    async def make(name: str, kind: ProjectKind) -> None:
        asked.append(name)
        await made.wait()

    async with opened(lambda: NewProjectScreen(make)) as dialog:
        await dialog.type("North")
        await dialog.press("enter", "enter")
        await dialog.shows("Creating the project.")
        await dialog.press("enter")
        made.set()
        assert await dialog.answered() == ("North", ProjectKind.IMAGES)
    assert asked == ["North"]

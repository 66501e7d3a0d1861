from __future__ import annotations

import asyncio

import pytest

from tests.tui.dialog_app import opened
from tui_uploader.errors import LinkError
from tui_uploader.model.projects import Project, ProjectKind
from tui_uploader.tui.add_files.new_project import NewProjectScreen


def screen() -> NewProjectScreen:
    async def create(name: str, kind: ProjectKind) -> None:
        """The service accepts every name."""

    return NewProjectScreen(create)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_a_project_is_named_with_keys(size: tuple[int, int]) -> None:
    async with opened(screen, *size) as dialog:
        await dialog.shows("New project", "(x) images", "( ) results", "Enter create", "Esc cancel")
        await dialog.type("North field")
        await dialog.press("tab", "space", "enter")
        assert await dialog.answered() == ("North field", ProjectKind.RESULTS)


async def test_replaced_slashes_are_shown() -> None:
    async with opened(screen) as dialog:
        await dialog.type("a/b\\c")
        await dialog.shows("Will be named a-b-c")
        await dialog.press("enter")
        assert await dialog.answered() == ("a-b-c", ProjectKind.IMAGES)


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "Type a name for the new project."), ("x" * 101, "The name is too long: 101 characters of at most 100.")],
)
async def test_an_invalid_name_is_refused(name: str, said: str) -> None:
    async with opened(screen) as dialog:
        if name:
            dialog.paste(f"{name}\nsecond line")
        await dialog.press("enter")
        await dialog.shows(said)
        assert dialog.is_open


async def test_a_name_that_exists_is_refused() -> None:
    async def create(name: str, kind: ProjectKind) -> None:
        created.append(name)

    created: list[str] = []
    north = Project("11", "North field", ProjectKind.IMAGES, "me@cloud", images=12)
    async with opened(lambda: NewProjectScreen(create, lambda: [north])) as dialog:
        await dialog.type("North field")
        await dialog.press("enter")
        await dialog.shows(
            "North field exists already (11, 12 images). Type another name; to add files to it, press u."
        )
        assert dialog.is_open and not created
        await dialog.type(", 2")
        await dialog.press("enter")
        assert await dialog.answered() == ("North field, 2", ProjectKind.IMAGES)


async def test_a_paste_is_made_printable() -> None:
    async with opened(screen) as dialog:
        dialog.paste("\x1b]0;x\x07North [red]\nsecond")
        await dialog.shows("]0;xNorth [red]")
        await dialog.press("enter")
        assert await dialog.answered() == ("]0;xNorth [red]", ProjectKind.IMAGES)


@pytest.mark.parametrize("with_what", ["keys", "mouse"])
async def test_cancel_with_keys_and_mouse(with_what: str) -> None:
    async with opened(screen) as dialog:
        await dialog.type("North")
        if with_what == "keys":
            await dialog.press("escape")
        else:
            await dialog.click(*dialog.at("Cancel"))
        assert await dialog.answered() is None


async def test_the_mouse_selects_and_creates() -> None:
    async with opened(screen) as dialog:
        await dialog.type("North")
        await dialog.click(*dialog.at("( ) results"))
        await dialog.shows("(x) results")
        await dialog.click(*dialog.at("Create"))
        assert await dialog.answered() == ("North", ProjectKind.RESULTS)


async def test_a_failed_creation_keeps_the_name() -> None:
    asked: list[str] = []

    async def create(name: str, kind: ProjectKind) -> None:
        asked.append(name)
        if len(asked) == 1:
            raise LinkError("[cloud] refused the connection.")

    async with opened(lambda: NewProjectScreen(create)) as dialog:
        await dialog.type("North")
        await dialog.press("enter")
        await dialog.shows("Could not create the project. [cloud] refused the connection.", "North")
        await dialog.press("enter")
        assert await dialog.answered() == ("North", ProjectKind.IMAGES)


async def test_a_second_enter_creates_no_second_project() -> None:
    asked: list[str] = []
    created = asyncio.Event()

    async def create(name: str, kind: ProjectKind) -> None:
        asked.append(name)
        await created.wait()

    async with opened(lambda: NewProjectScreen(create)) as dialog:
        await dialog.type("North")
        await dialog.press("enter", "enter")
        await dialog.shows("Creating the project.")
        await dialog.press("enter")
        created.set()
        assert await dialog.answered() == ("North", ProjectKind.IMAGES)
    assert asked == ["North"]

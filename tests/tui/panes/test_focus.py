"""One subject: commands, files and key bar follow the row under the cursor, whatever comes, changes and goes."""

from __future__ import annotations

import random

import pytest

from tests.service.stand_in import ACCOUNT, StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tui_uploader.model.projects import ExistingProject, ProjectKind
from tui_uploader.model.uploads import AddRequest
from tui_uploader.settings import Directories
from tui_uploader.tui.lines.glyphs import UNICODE

KEYS = ("1", "2", "3", "tab", "h", "l", "up", "down", "home", "end", "pagedown", "/", "escape", "w", "+", "space", "f")


def row_under_cursor(screen: Screen, pane: str) -> str:
    """The line of the pane that is drawn with the sign of the cursor; empty if there is none."""
    table = getattr(screen.app.main, pane).table
    lines = [table.render_line(y).text for y in range(table.size.height)]
    return next((line for line in lines if line.startswith(UNICODE.cursor)), "")


def is_aimed(screen: Screen) -> bool:
    """Whether everything is about the row that is drawn with the sign of the cursor."""
    main = screen.app.main
    scope = main.scope()
    row = row_under_cursor(screen, main.pane)
    if main.pane == "files":
        named = not scope.item or scope.item.name in row
        return named and (not scope.name or f"[2] Files  {scope.name}" in main.files.title_line.render_line(0).text)
    return f" {scope.name} " in row if scope.name else not row


async def is_about(screen: Screen, name: str) -> None:
    """Return when all panes, the key bar and commands are about the project of this name."""
    main = screen.app.main
    await screen.comes_true(
        lambda: main.scope().name == name and is_aimed(screen) and f"[2] Files  {name}" in screen.text, f"not {name}"
    )


async def add_again(manager: StandInManager, project: str, name: str) -> int:
    """Another upload to a project that exists."""
    return (await manager.add(AddRequest((f"/card/{name}",), ExistingProject(project)))).upload


async def test_after_a_dismissal_everything_is_about_the_row_under_the_cursor(
    manager: StandInManager, directories: Directories
) -> None:
    for name in ("one", "two", "three"):
        await add_upload(manager, name)
    await manager.cancel(2)
    async with showing(directories) as screen:
        await is_about(screen, "three")
        await screen.press("3", "down", "down")
        await is_about(screen, "two")
        await screen.press("d")
        await is_about(screen, "one")
        assert "one" in row_under_cursor(screen, "projects")
        await screen.press("c")
        await screen.shows("Cancel the upload to one?")


@pytest.mark.parametrize("pane", ["1", "3"])
async def test_rows_that_come_and_go_elsewhere_do_not_move_the_subject(
    manager: StandInManager, directories: Directories, pane: str
) -> None:
    for name in ("one", "two", "three"):
        await add_upload(manager, name)
    async with showing(directories) as screen:
        await is_about(screen, "three")
        await screen.press(pane, "down")
        await is_about(screen, "two")
        await add_upload(manager, "four")
        await screen.shows("› ⇡ two", "⇡ four")
        await is_about(screen, "two")
        await manager.cancel(3)
        await manager.dismiss(3)
        await screen.comes_true(lambda: screen.app.main.uploads.table.window.total == 3, "it stays")
        await is_about(screen, "two")
        await manager.create_project("elsewhere", ProjectKind.IMAGES, None)
        await screen.press("ctrl+r")
        await screen.shows("elsewhere")
        await is_about(screen, "two")


async def test_a_project_that_gets_its_first_upload_stays_under_the_cursor(
    manager: StandInManager, directories: Directories
) -> None:
    for name in ("empty", "other"):
        await manager.create_project(name, ProjectKind.IMAGES, ACCOUNT)
    await add_upload(manager, "mine")
    async with showing(directories) as screen:
        await is_about(screen, "mine")
        await screen.press("1")
        await screen.comes_true(lambda: screen.app.main.projects.table.window.total == 3, "too few projects")
        await screen.press("end")
        await is_about(screen, "other")
        await add_again(manager, "other", "a.JPG")
        await screen.shows("∙ a.JPG")
        await is_about(screen, "other")
        await add_again(manager, "empty", "b.JPG")
        await screen.comes_true(lambda: screen.app.main.uploads.table.window.total == 3, "never came")
        await is_about(screen, "other")


async def test_a_filter_of_the_projects_moves_everything_to_the_row_that_is_left(
    manager: StandInManager, directories: Directories
) -> None:
    for name in ("east", "middle", "west"):
        await add_upload(manager, name)
    async with showing(directories) as screen:
        await is_about(screen, "west")
        await screen.press("1", "/", *"mid")
        await is_about(screen, "middle")
        await screen.press("enter", "escape")
        await is_about(screen, "middle")
        await screen.press("/", *"none of them", "enter")
        await screen.shows("No project matches")
        assert not screen.app.main.scope().name
        await screen.press("P")
        await screen.shows("No project here")


async def test_a_project_shows_the_files_of_all_its_uploads_and_an_upload_only_its_own(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "field", "first.JPG")
    second = await add_again(manager, "field", "second.JPG")
    async with showing(directories) as screen:
        await screen.shows("[2] Files  field", "first.JPG", "second.JPG")
        await screen.press("3")
        await screen.hides("first.JPG")
        await screen.shows("second.JPG")
        await screen.press("down")
        await screen.hides("second.JPG")
        await screen.shows("first.JPG")
        await screen.press("1")
        await screen.shows("first.JPG", "second.JPG")
        await manager.cancel(second)
        await manager.dismiss(second)
        await screen.comes_true(lambda: screen.app.main.uploads.table.window.total == 1, "it stays")
        await screen.shows("first.JPG")


async def test_files_of_two_uploads_are_removed_with_one_command(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "field", "first.JPG")
    await add_again(manager, "field", "second.JPG")
    async with showing(directories) as screen:
        await screen.shows("first.JPG", "second.JPG")
        await screen.press("A")
        await screen.shows("selected")
        scope = screen.app.main.scope()
        assert len(scope.files) == 3 and scope.whole_project


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_comes_and_goes_the_subject_is_the_row_with_the_cursor(
    manager: StandInManager, directories: Directories, seed: int
) -> None:
    chance = random.Random(seed)
    for name in ("east", "west"):
        await add_upload(manager, name)
    async with showing(directories, chance.choice([(120, 30), (80, 24), (60, 16)])) as screen:
        await is_about(screen, "west")
        for step in range(60):
            name = f"p{step}"
            status = screen.app.session.status
            uploads = status.uploads if status is not None else ()
            match chance.randrange(8):
                case 0:
                    await add_upload(manager, name)
                case 1:
                    await add_again(manager, chance.choice(["east", "west"]), name)
                case 2 if uploads:
                    gone = chance.choice(uploads).upload
                    await manager.cancel(gone) if gone % 2 else None
                    if (await manager.queries.upload(gone)).settled:
                        await manager.dismiss(gone)
                case 3:
                    await manager.create_project(name, ProjectKind.IMAGES, ACCOUNT)
                    screen.app.session.refresh_projects()
                case _:
                    await screen.press(chance.choice(KEYS))
            await screen.comes_true(lambda: is_aimed(screen), f"{screen.app.main.scope()} is not the row, step {step}")

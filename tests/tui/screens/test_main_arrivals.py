"""Hundreds of uploads and projects arrive while the user types, and the terminal shrinks and grows."""

from __future__ import annotations

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tui_uploader.model.projects import ProjectKind
from tui_uploader.settings import Directories
from tui_uploader.tui.add_files.where import ProjectField

UPLOADS, PROJECTS = 300, 60


async def arrive(manager: StandInManager, screen: Screen, keys: str) -> None:
    """Uploads and projects arrive between the keys."""
    made = len(await manager.queries.projects())
    for place, key in enumerate(keys):
        for number in range(UPLOADS // len(keys)):
            await add_upload(manager, f"field {made}-{place}-{number}")
        for number in range(PROJECTS // len(keys)):
            await manager.create_project(f"elsewhere {made}-{place}-{number}", ProjectKind.IMAGES, None)
        screen.app.session.refresh_projects()
        await screen.press(key)


async def test_what_arrives_while_a_filter_is_typed_changes_neither_it_nor_the_subject(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east", "east-2")
    async with showing(directories) as screen:
        await screen.shows("[2] Files  east", "[3] Uploads: 1 active")
        await screen.press("/")
        await arrive(manager, screen, "east-2")
        field = screen.app.main.files.filter
        await screen.comes_true(lambda: field is not None and field.value == "east-2", "not typed")
        await screen.press("enter")
        await screen.shows("[2] Files  east  1 of 2")
        assert screen.app.main.scope().name == "east"
        await screen.pilot.resize_terminal(20, 5)
        await screen.hides("[2] Files")
        await arrive(manager, screen, "j")
        await screen.pilot.resize_terminal(120, 30)
        await screen.shows("[2] Files  east  1 of 2", "east-2")
        assert screen.app.main.scope().name == "east"


async def test_what_arrives_while_a_project_is_named_changes_nothing_in_the_dialog(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("[2] Files  east", "[3] Uploads: 1 active")
        await screen.press("u")
        await screen.shows("To be uploaded")
        await screen.press("ctrl+n")
        await arrive(manager, screen, "bridge")
        await screen.comes_true(lambda: screen.app.screen.query_one(ProjectField).value == "bridge", "not typed")
        await screen.pilot.resize_terminal(20, 5)
        await screen.pilot.resize_terminal(80, 24)
        await screen.shows("bridge", "NEW project")
        await screen.press("escape")
        await screen.shows("[2] Files  east")
        assert screen.app.main.scope().name == "east"

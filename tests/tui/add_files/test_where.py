"""The second step of the add-files dialog: the project, its type, and whether it is processed."""

from __future__ import annotations

import time
from pathlib import Path

from tests.tui.add_files.opened import NORTH, accept, screen
from tests.tui.dialog_app import opened
from tui_uploader.model.projects import (
    ExistingProject,
    NewProject,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
)
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.screen import AddFilesScreen


async def test_a_new_project_needs_a_valid_name(card: Path) -> None:
    async with opened(screen(card, dropped=str(card))) as dialog:
        await dialog.shows("new project name (Down: existing", "5 images")
        await dialog.press("enter", "enter")
        await dialog.shows("Type a name for the new project, or choose one with Down.")
        await dialog.type("x" * 101)
        await dialog.press("enter")
        await dialog.shows("The name is too long: 101 characters of at most 100.")
        await dialog.press("ctrl+u")
        await dialog.type("East/West")
        await dialog.shows("NEW project", "Will be named East-West")
        await dialog.press("ctrl+s")
        assert await dialog.answered() == AddRequest((str(card),), NewProject("East-West"), auto_process=True)


async def test_a_typed_name_that_exists_is_asked_about(card: Path) -> None:
    async with opened(screen(card, dropped=str(card))) as dialog:
        await dialog.shows("5 images")
        await dialog.press("enter")
        await dialog.type("North field")
        await dialog.press("enter")
        await dialog.shows("North field exists already (11, 1,711 images). Enter again adds the files to it;")
        await dialog.press("enter")
        await dialog.shows("Enter upload")
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.target == ExistingProject("11")


async def test_two_projects_of_one_name_are_told_apart(card: Path) -> None:
    """The list is the newest one: the second project was made on the service while the dialog was open."""
    listed = [NORTH]

    def dialog_() -> AddFilesScreen:
        return AddFilesScreen(None, lambda: listed, card, accept, dropped=str(card), home=card.parent)

    async with opened(dialog_) as dialog:
        await dialog.shows("5 images")
        await dialog.press("enter")
        listed.append(Project("99", "North field", ProjectKind.IMAGES, "me@cloud"))
        await dialog.type("North field")
        await dialog.shows("2 of this name: choose with Down")
        await dialog.press("ctrl+s")
        await dialog.shows("2 projects have this name. Choose one with Down, or type another name.")
        await dialog.press("down", "down")
        await dialog.shows("existing project 99, one of 2")
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.target == ExistingProject("99")


async def test_another_project_is_chosen_with_its_type(card: Path) -> None:
    async with opened(screen(card, NORTH)) as dialog:
        await dialog.shows("existing project 11, 1,711 images", "(x) images", "[x] process automatically")
        await dialog.press("down", "tab", "tab", "down")
        await dialog.shows("South field", "existing project 12", "(x) results", "[ ] process automatically")
        await dialog.type("So")
        await dialog.shows("NEW project")
        await dialog.press("up")
        await dialog.shows("South field", "existing project 12")


async def test_a_project_that_was_processed_is_not_processed_again_unless_asked(card: Path) -> None:
    state = Processing(ProcessingState.DONE, ended_at=time.time(), images=12)
    done = Project("13", "Quarry", ProjectKind.IMAGES, "me@cloud", state, (3,), 12)
    async with opened(screen(card, done, dropped=str(card)), 120, 30) as dialog:
        await dialog.shows(
            "[ ] process automatically", "Quarry was processed today at", "with 12 images. Adding images does not"
        )
        await dialog.press("ctrl+n", "tab", "space")
        await dialog.shows("[x] process automatically", "It will be PROCESSED AGAIN when all is uploaded")
        await dialog.press("shift+tab", "down")
        await dialog.shows("North field", "[x] process automatically")
        await dialog.press("up")
        await dialog.shows("Quarry", "[ ] process automatically")
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.auto_process is False


async def test_results_show_their_files_and_do_not_process(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.press("down", "tab", "tab")
        await dialog.type("Maps")
        await dialog.press("tab", "space")
        await dialog.shows("(x) results", "ortho.tif", "[ ] process automatically")
        await dialog.press("ctrl+n", "ctrl+n", "ctrl+n", "down", "down", "down", "space")
        await dialog.shows("[x] ortho.tif", "1 file,")
        await dialog.press("ctrl+s")
        assert await dialog.answered() == AddRequest(
            (str(card / "ortho.tif"),), NewProject("Maps"), kind=ProjectKind.RESULTS, auto_process=False
        )


async def test_automatic_processing_can_be_switched_off(card: Path) -> None:
    async with opened(screen(card, NORTH, dropped=str(card))) as dialog:
        await dialog.shows("Upload 5 images to North field", "5 images, 0 B.")
        x, y = dialog.at("[x] process automatically")
        await dialog.click(x, y)
        await dialog.shows("[ ] process automatically")
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.auto_process is False

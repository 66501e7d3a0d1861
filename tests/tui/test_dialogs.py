"""Dialogs and the engine: new projects and uploads, with and without an engine or a login."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.intake.results.files import geotiff
from tests.photos import write_photo
from tests.service.conftest import Spawner
from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tests.until import until
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.engine.restarts import Restarts
from tui_uploader.tui.messages import Attachment


async def test_a_new_project_is_created_and_shown(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories) as screen:
        await screen.press("C")
        await screen.shows("New project")
        await screen.press(*"Quarry", "enter")
        await screen.shows("Project created", "[2] Files  Quarry", "Not signed in.")
    assert [project.name for project in await manager.queries.projects()] == ["Quarry"]


async def test_results_survive_the_death_of_the_engine(
    spawner: Spawner, directories: Directories, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ortho.tif").write_bytes(geotiff())
    async with spawner.connect():
        pass
    app = UploaderApp(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test(size=(120, 30)) as pilot:
        screen = Screen(app, pilot)
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        screen.drop(tmp_path / "out")
        await screen.shows("To be uploaded")
        os.kill(spawner.pid, signal.SIGKILL)
        await until(lambda: app.session.attachment is Attachment.GONE)
        await screen.press("ctrl+n", *"Quarry", "tab", "space")
        await screen.shows("(x) results")
        await until(lambda: app.session.attachment is Attachment.ATTACHED, 20.0)
        await screen.press("ctrl+s")  # it asks again what the engine could not tell before
        await screen.shows("1 file of ", "out added to Quarry")


async def test_chosen_files_survive_the_death_of_the_engine(
    spawner: Spawner, directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Restarts, "pause", lambda *_: None)  # it stays dead until the user does something
    card = tmp_path / "card"
    card.mkdir()
    write_photo(card / "a.JPG")
    async with spawner.connect():
        pass
    app = UploaderApp(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test(size=(120, 30)) as pilot:
        screen = Screen(app, pilot)
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        screen.drop(card)
        await screen.shows("To be uploaded", str(card)[-20:])
        os.kill(spawner.pid, signal.SIGKILL)
        await until(lambda: app.session.attachment is Attachment.GONE)
        await screen.shows("1 image, ")
        await screen.press("enter", *"Quarry", "ctrl+s")
        await screen.shows("The engine was not running; it is starting now.")
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        await screen.press("ctrl+s")
        await screen.shows("[2] Files  Quarry")


async def test_an_upload_waits_for_the_login_of_this_terminal(
    manager: StandInManager, directories: Directories, tmp_path: Path
) -> None:
    """Without it, the upload would go to the account of the stored login, or be refused if there is none."""
    write_photo(tmp_path / "card" / "a.JPG")
    async with showing(directories, (120, 30)) as screen:
        session = screen.app.session
        await session.login_settled.wait()
        session.login_settled.clear()
        session.account = None
        screen.drop(tmp_path / "card")
        await screen.shows("To be uploaded", "1 image, ")
        await screen.press("enter", *"Quarry", "ctrl+s")
        await screen.pilot.pause()
        assert not manager.requests
        session.account = "me@cloud"
        session.login_settled.set()
        await until(lambda: manager.requests)
    assert [request.account for request in manager.requests] == ["me@cloud"]


@pytest.mark.parametrize("pane", ["2", "3"])
async def test_a_path_and_enter_upload_nothing_anywhere(
    manager: StandInManager, directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pane: str
) -> None:
    """Four thousand photos went into the project under the cursor: `u`, a path, Enter."""
    await add_upload(manager, "quarry")
    write_photo(tmp_path / "originals" / "a.JPG")
    monkeypatch.chdir(tmp_path)
    before = len(manager.requests)
    async with showing(directories) as screen:
        await screen.shows("quarry")
        await screen.press(pane, "u", *"originals", "enter")
        await screen.shows("1 image, ", "new project name (Down: existing projects)")
        await screen.press("enter", "enter", "enter", "enter")
        await screen.shows("Type a name for the new project, or choose one with Down.")
        await screen.press("escape", "escape")
        await screen.hides("1 What")
    assert len(manager.requests) == before


async def test_only_in_projects_the_project_under_the_cursor_is_preset(
    manager: StandInManager, directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_upload(manager, "quarry")
    write_photo(tmp_path / "originals" / "a.JPG")
    monkeypatch.chdir(tmp_path)
    before = len(manager.requests)
    async with showing(directories) as screen:
        await screen.shows("quarry")
        await screen.press("1")
        await screen.comes_true(lambda: screen.app.main.scope().project, "no project under the cursor")
        await screen.press("u", *"originals", "enter")
        await screen.shows("existing project", "Upload 1 image to quarry")
        assert len(manager.requests) == before
        await screen.press("enter", "enter")
        await screen.shows("1 image of ", "added to quarry; U takes them out.")
        assert len(manager.requests) == before + 1
        await screen.press("U")
        await screen.shows("1 file taken out of the queue of quarry.")


async def test_a_paste_while_the_dialog_opens_goes_into_it(
    manager: StandInManager, directories: Directories, tmp_path: Path
) -> None:
    """A slow connection may deliver one drop as two pastes."""
    for name in ("a", "b"):
        write_photo(tmp_path / name / "a.JPG")
    async with showing(directories) as screen:
        screen.drop(tmp_path / "a")
        screen.drop(tmp_path / "b")
        await screen.shows("2 images, ")
        await screen.press("escape", "escape")
        await screen.hides("1 What")
        assert screen.app.screen is screen.app.main

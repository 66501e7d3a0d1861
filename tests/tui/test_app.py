"""The app in front of a real engine: a whole upload, colours, the palette, an engine that dies."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.service.conftest import Spawner
from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tests.tui.headless import watch_updates
from tests.tui.uploads import flight, paused
from tests.tui.values import engine_status, upload_status
from tests.until import until
from tui_uploader.model.projects import ExistingProject, ProjectKind
from tui_uploader.model.uploads import AddRequest, Notice
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui import keys
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.engine import restarts
from tui_uploader.tui.messages import Attachment, UnbracketedPaste
from tui_uploader.tui.screens.lists import ListScreen
from tui_uploader.tui.terminal.capabilities import Terminal
from tui_uploader.tui.terminal.title import TitleWriter


async def test_dropped_files_are_uploaded_and_processing_starts(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path)
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await screen.shows("No uploads yet.", "u uploads files")
        screen.drop(card)
        await screen.shows("Upload files", "8 images")
        await screen.press("enter")
        await screen.press(*"Quarry", "enter")
        await screen.shows("Upload 8 images to new Quarry")
        await screen.press("enter")
        await screen.shows("Quarry", "DJI_0008.JPG", "✓ DJI_0001.JPG", "Submitted for processing", "estimated", "DONE")
        await until(screen.app.main.news.takes_keys)
        await screen.press("enter")
        await screen.hides("Submitted for processing")
        await screen.shows("✓8", "100 %", "processing", "online")
    assert len([path for path in (field / "objects").rglob("*.JPG") if path.is_file()]) == 8


async def test_an_unbracketed_paste_runs_no_command_and_a_path_opens_the_dialog(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path, 3)
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        screen.app.post_message(UnbracketedPaste("mail: cancel y\r"))
        await screen.shows("Pasted text ignored, no command was run: mail: cancel y")
        screen.app.post_message(UnbracketedPaste(f"{card}\r"))
        await screen.shows("Upload files", "3 images, ")


async def test_quitting_says_that_uploads_continue(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        upload = await paused(directories, flight(tmp_path, 3))
        await screen.shows("DJI_0003.JPG")
        await screen.press("q")
    assert "continue in the background" in screen.app.parting_words
    async with EngineClient.connect(directories, spawn=False) as engine:
        assert (await engine.upload(upload)).counts.total == 4


async def test_the_app_draws_in_every_theme(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ east")
        for theme in screen.app.available_themes:
            screen.app.theme = theme
            await screen.pilot.pause()
            assert "∙ east" in screen.text
        assert len(screen.app.available_themes) >= 21


async def test_ascii_mode_shows_ascii_only(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east", "a rather long name " * 9)
    async with showing(directories, (80, 24), Terminal(ascii_only=True)) as screen:
        await screen.shows(". east", "~")
        for key in ("?", "c", "L"):
            assert screen.text.isascii(), screen.text
            await screen.press(key)
            await until(lambda: screen.app.screen is not screen.app.main)
            await screen.pilot.pause()
            assert screen.text.isascii(), screen.text
            await screen.press("escape")


async def test_without_colour_the_cursor_is_reversed(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    terminal = Terminal(no_color=True, theme="ansi-dark")
    async with showing(directories, (80, 24), terminal) as screen:
        await screen.shows("∙ east")
        style = next(iter(screen.app.main.files.table.render_line(1))).style
        assert style is not None and style.reverse and style.bold


async def test_the_palette_has_every_command(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("1 file skipped")
        titles = {command.title for command in screen.app.get_system_commands(screen.app.main)}
        assert {f"{binding.description}: {binding.tooltip}" for binding in keys.EVERYWHERE} <= titles
        assert {"remove all duplicates", "skipped files", "theme"} <= titles
        for command in screen.app.get_system_commands(screen.app.main):
            if command.title == "skipped files":
                await command.callback()
        await screen.shows("notes.txt: no image")
        assert isinstance(screen.app.screen, ListScreen)


async def test_an_engine_that_dies_is_started_again_and_after_three_times_the_user_is_asked(
    spawner: Spawner, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "PAUSES", (0.01, 0.01, 0.01))
    async with spawner.connect() as engine:
        await engine.create_project("Quarry", ProjectKind.IMAGES, None)
        await engine.add(AddRequest(("/card/a.JPG",), ExistingProject("Quarry")))
    app = UploaderApp(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test(size=(120, 24)) as pilot:
        screen = Screen(app, pilot)
        await screen.shows("a.JPG")
        killed: set[int] = set()
        for _ in range(4):
            await until(lambda: app.session.status is not None and app.session.status.pid not in killed)
            assert app.session.status is not None
            killed.add(app.session.status.pid)
            os.kill(app.session.status.pid, signal.SIGKILL)
        await screen.shows("E starts the engine", "It ended unexpectedly; 3 restarts did not help. Its log:")
        await screen.shows(f"{directories.state}/engine.log", "E start engine")
        await screen.press("E")
        await screen.hides("E starts the engine")
        await screen.shows("[3] Uploads")


async def test_an_engine_that_was_stopped_stays_stopped(spawner: Spawner, directories: Directories) -> None:
    app = UploaderApp(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test(size=(120, 24)) as pilot:
        screen = Screen(app, pilot)
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        async with spawner.connect(spawn=False) as engine:
            await engine.stop()
        await screen.shows("E starts the engine", "It was stopped")
        assert spawner.started == 1


async def test_a_read_only_screen_changes_nothing_and_says_so(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east")
    app = UploaderApp(directories, connect=partial(EngineClient.connect), read_only=True)
    async with app.run_test(size=(120, 24)) as pilot:
        screen = Screen(app, pilot)
        await screen.shows("READ-ONLY", "∙ east", "/ filter")
        assert not any(key in screen.lines[-1] for key in ("u upload", "x remove", "p pause", "P process"))
        for key in ("x", "u", "p", "C", "P"):
            app.main.notices.close()
            await screen.press(key)
            await screen.shows("This screen is read-only")
            assert app.screen is app.main
        screen.drop(directories.data)
        await screen.pilot.pause()
        assert app.screen is app.main and len(manager.requests) == 1


async def test_notices_wait_until_the_engine_has_the_login(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.app.session.login_settled.wait()
        screen.app.session.login_settled.clear()
        held = upload_status(notice=Notice("NotSignedIn", "Not signed in.", needs_person=True))
        await screen.shows_status(engine_status(held), "North field")
        assert "North field: Not signed in." not in screen.text
        screen.app.session.login_settled.set()
        await screen.shows_status(engine_status(held), "North field: Not signed in.")


async def test_the_title_follows_although_the_last_status_came_too_soon(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east")
    sent: list[bytes] = []
    async with showing(directories, (80, 24)) as screen:
        screen.app._title = TitleWriter(Terminal(), sent.append, shortest_wait=0.2)
        await until(lambda: b"east" in b"".join(sent))
        await manager.pause(1)
        await until(lambda: b"paused 0 % east" in b"".join(sent))


async def test_nothing_is_drawn_while_nothing_happens(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_upload(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ east")
        await until(lambda: screen.app.main.projects.listed)
        await screen.pilot.pause()
        updates = watch_updates(screen.app, monkeypatch)
        screen.app.main.first_line.update()  # as its timer does every second while offline
        status = screen.app.session.status
        manager.try_now()  # the engine reports the same status again
        await until(lambda: screen.app.session.status is not status)
        await screen.pilot.pause()
        assert not updates
        await screen.press("w")
        await until(lambda: updates)

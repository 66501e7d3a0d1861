"""The screen around the work: sizes, themes, keys, help, notices, and an engine that goes away."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.binding import Binding

from tests.photos import write_photo
from tests.service.conftest import Spawner
from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, showing
from tests.tui.lines.test_columns import HOSTILE
from tests.tui.values import engine_status, upload_status
from tests.until import until
from tui_uploader.model import AddRequest, ExistingProject, NewProject, Notice, ProjectKind
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui import keys
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.messages import Attachment, Noticed, StatusArrived
from tui_uploader.tui.screens.details import DetailsScreen
from tui_uploader.tui.screens.help import help_sections
from tui_uploader.tui.terminal.capabilities import Terminal
from tui_uploader.tui.widgets.key_bar import fitting_keys
from tui_uploader.tui.widgets.notices import combined, notice_lines

PANES = ("projects", "files", "uploads")
EVERY_KEY = (*keys.IN_PROJECTS, *keys.IN_FILES, *keys.IN_UPLOADS, *keys.EVERYWHERE)


async def filled(manager: StandInManager, *names: str) -> None:
    """A project, with files of these names in its upload."""
    await manager.add(
        AddRequest(tuple(f"/card/{name}" for name in names), NewProject(names[0] if names else "North field"))
    )


# ------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (240, 70), (60, 16)])
async def test_every_line_fits_whatever_names_come(
    manager: StandInManager, directories: Directories, size: tuple[int, int]
) -> None:
    await filled(manager, *(name.replace("\0", "") for name in HOSTILE if name))
    async with showing(directories, size) as screen:
        await screen.shows("\\x1b[31m", "漢字")
        assert all(cell_len(line) <= size[0] for line in screen.lines)
        assert not any(ord(character) < 32 for line in screen.lines for character in line)
        rows = [line for line in screen.lines if " 7 B waiting" in line]
        assert len(rows) > 5
        assert len({cell_len(line[: line.index(" 7 B waiting")]) for line in rows}) == 1, "columns stay aligned"


@pytest.mark.parametrize("size", [(20, 5), (59, 24), (80, 15), (1, 1)])
async def test_a_tiny_terminal_gets_a_plain_list_and_grows_again(
    manager: StandInManager, directories: Directories, size: tuple[int, int]
) -> None:
    await filled(manager, "field")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("2 Files", "field")
        await screen.pilot.resize_terminal(*size)
        await screen.hides("2 Files")
        if size > (1, 1):
            await screen.shows("0 % field")
        await screen.press("down", "p", "?", "escape", "1", "2", "3")
        await screen.pilot.resize_terminal(80, 24)
        await screen.shows("2 Files", "3 Uploads")


@pytest.mark.parametrize(("key", "pane"), [("1", "projects"), ("2", "files"), ("3", "uploads")])
async def test_the_user_is_where_they_were_when_a_tiny_terminal_grows(
    key: str, pane: str, manager: StandInManager, directories: Directories
) -> None:
    await filled(manager, "field")
    async with showing(directories, (120, 30)) as screen:
        await screen.press(key)
        await until(lambda: screen.app.main.pane == pane)
        await screen.pilot.resize_terminal(40, 10)
        await screen.shows("0 % field")
        await screen.press("?")
        await screen.shows("Keys")
        await screen.press("escape")
        await screen.hides("Keys")
        await screen.pilot.resize_terminal(80, 24)
        await until(lambda: screen.app.focused is getattr(screen.app.main, pane).table)
        await screen.shows({"projects": "1 Projects", "files": "2 Files", "uploads": "3 Uploads"}[pane])
        assert screen.app.focused is not None and screen.app.focused.is_on_screen


async def test_in_a_narrow_terminal_the_projects_open_over_the_files(
    manager: StandInManager, directories: Directories
) -> None:
    await filled(manager, "east")
    await filled(manager, "west")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("2 Files", "west")
        assert "1 Projects" not in screen.text
        await screen.press("1")
        await screen.shows("1 Projects", "Kind", "images")
        assert "2 Files" not in screen.text
        await screen.press("down", "enter")
        await screen.hides("1 Projects")
        await screen.shows("2 Files  east")
        await screen.press("1", "escape")
        await screen.shows("2 Files  east")


async def test_panes_look_at_the_same_upload(manager: StandInManager, directories: Directories) -> None:
    for name in ("east", "middle", "west"):
        await filled(manager, name)
    async with showing(directories) as screen:
        await screen.shows("2 Files  west")
        await screen.press("3", "down")
        await screen.shows("2 Files  middle")
        assert screen.app.main.subject().project is not None
        assert screen.app.main.projects.current == screen.app.main.projects.table.window.row(1)
        await screen.press("1", "down")
        await screen.shows("2 Files  east")
        assert screen.app.main.uploads.current is not None
        assert screen.app.main.uploads.current.project_name == "east"


async def test_hiding_the_uploads_leaves_their_title(manager: StandInManager, directories: Directories) -> None:
    await filled(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("1 active", "processing needs at least 6")
        await screen.press("3", "w")
        await screen.hides("processing needs at least 6")
        await screen.shows("3 Uploads  1 active")
        assert screen.app.main.pane == "files"
        await screen.press("w")
        await screen.shows("processing needs at least 6")


async def test_filters_take_the_text_live_and_give_it_back(manager: StandInManager, directories: Directories) -> None:
    await filled(manager, *(f"DJI_{number:04}.JPG" for number in range(1, 41)))
    async with showing(directories) as screen:
        await screen.shows("DJI_0001.JPG", "DJI_0011.JPG")
        await screen.press("slash", *"07")
        await screen.shows("1 of 40", "DJI_0007.JPG")
        await screen.press("enter")
        assert screen.app.main.files.table.has_focus
        await screen.press("escape")
        await screen.shows("DJI_0011.JPG")
        await screen.press("1", "slash", *"zzz")
        await screen.shows("No project matches.", "0 of 1")
        await screen.press("escape")
        await screen.shows("1 Projects  1")


# ------------------------------------------------------------------------------------------ colours and shapes


async def test_every_theme_draws(manager: StandInManager, directories: Directories) -> None:
    await filled(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ east")
        for theme in screen.app.available_themes:
            screen.app.theme = theme
            await screen.pilot.pause()
            assert "∙ east" in screen.text
        assert len(screen.app.available_themes) >= 21


async def test_ascii_is_ascii(manager: StandInManager, directories: Directories) -> None:
    await filled(manager, "east", "a rather long name " * 9)
    async with showing(directories, (80, 24), Terminal(ascii_only=True)) as screen:
        await screen.shows(". east", "~")
        for key in ("?", "c", "l"):
            assert screen.text.isascii(), screen.text
            await screen.press(key)
            await until(lambda: screen.app.screen is not screen.app.main)
            await screen.pilot.pause()
            assert screen.text.isascii(), screen.text
            await screen.press("escape")


async def test_without_colour_the_cursor_is_reversed(manager: StandInManager, directories: Directories) -> None:
    await filled(manager, "east")
    terminal = Terminal(no_color=True, theme="ansi-dark")
    async with showing(directories, (80, 24), terminal) as screen:
        await screen.shows("∙ east")
        style = screen.app.main.files.table.render_line(1)._segments[0].style
        assert style is not None and style.reverse and style.bold


# -------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("binding", EVERY_KEY, ids=lambda binding: f"{binding.key} {binding.action}")
async def test_every_key_does_something(binding: Binding, manager: StandInManager, directories: Directories) -> None:
    app = UploaderApp(directories)
    name, _, argument = binding.action.rpartition(".")[2].partition("(")
    holders = {"command": app._commands, "dialog": app._dialogs}
    if name in holders:
        assert callable(getattr(holders[name], argument.strip("')")))
        return
    main = app.main
    everywhere = (app, main, main.projects, main.files, main.uploads, main.files.table)
    assert any(callable(getattr(holder, f"action_{name}", None)) for holder in everywhere)


@pytest.mark.parametrize("pane", PANES)
def test_help_and_the_key_bar_know_every_key(pane: str) -> None:
    told = "\n".join(f"{key} {said}" for _, lines in help_sections(pane, UNICODE) for key, said in lines)
    assert all(binding.tooltip in told for binding in EVERY_KEY)
    assert help_sections(pane, UNICODE)[0][0] == f"In the {pane}"
    own = {"projects": keys.IN_PROJECTS, "files": keys.IN_FILES, "uploads": keys.IN_UPLOADS}[pane]
    assert set(keys.keys_of(pane)) == {*own, *keys.EVERYWHERE}


@pytest.mark.parametrize("pane", PANES)
@pytest.mark.parametrize(("width", "most"), [(20, 8), (80, 8), (99, 8), (240, 99)])
def test_the_key_bar_shows_what_fits_and_always_help_and_quit(pane: str, width: int, most: int) -> None:
    every = keys.keys_of(pane)
    shown = fitting_keys(every, width)
    assert [key.key_display for key in shown[-2:]] == ["?", "q"]
    assert 2 <= len(shown) <= most
    text = "  ".join(f"{key.key_display} {key.description}" for key in shown)
    assert cell_len(text) <= width
    if width == 240:
        assert len(shown) == len(every) or cell_len(text) > 200


async def test_a_click_on_a_key_presses_it(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("? help")
        bar = screen.lines[-1]
        await screen.pilot.click(offset=(bar.index("? help"), 23))
        await screen.shows("In the files")


async def test_help_opens_and_closes_with_either_key(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories) as screen:
        for key in ("?", "f1"):
            await screen.press(key)
            await screen.shows("In the files", "Retry the selected failed files")
            await screen.press(key)
            await screen.hides("In the files")


async def test_the_palette_knows_the_commands(manager: StandInManager, directories: Directories) -> None:
    await filled(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("1 path skipped")
        titles = {command.title for command in screen.app.get_system_commands(screen.app.main)}
        assert {f"{binding.description}: {binding.tooltip}" for binding in keys.EVERYWHERE} <= titles
        assert {"remove all duplicates", "show skipped paths", "theme"} <= titles
        for command in screen.app.get_system_commands(screen.app.main):
            if command.title == "show skipped paths":
                await command.callback()
        await screen.shows("notes.txt: no image")
        assert isinstance(screen.app.screen, DetailsScreen)


async def test_a_new_project_is_made_and_looked_at(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories) as screen:
        await screen.press("n")
        await screen.shows("New project")
        await screen.press(*"Quarry", "enter")
        await screen.shows("Project created", "2 Files  Quarry", "Not signed in.")
    assert [project.name for project in await manager.queries.projects()] == ["Quarry"]


# ----------------------------------------------------------------------------------------- notices, the engine


def test_a_notice_is_wrapped_and_inert() -> None:
    assert notice_lines("one two three", 7) == ["one two", "three"]
    assert notice_lines("x" * 20, 8) == ["x" * 8, "x" * 8, "x" * 4]
    assert notice_lines("\x1b[2J\n", 20) == ["\\x1b[2J\\x0a"]
    assert len(notice_lines("word " * 1000, 20)) == 4
    assert notice_lines("", 20) == [""]


async def test_the_newest_notice_takes_the_place_of_the_last(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        for number in range(20):
            screen.app.post_message(Noticed(f"Notice number {number} [red]", "error", seconds=0))
        await screen.shows("Notice number 19 [red]")
        assert screen.text.count("Notice number") == 1
        line = next(index for index, shown in enumerate(screen.lines) if "Notice number" in shown)
        assert screen.lines[line + 1].startswith(" 3 Uploads")
        await screen.pilot.click(offset=(5, line))
        await screen.hides("Notice number")


REFUSED = Noticed("The login is refused.", "error", seconds=0, attention=True)
FAILED = Noticed("2 files failed.", "warning", seconds=30.0, attention=True)


@pytest.mark.parametrize(
    ("before", "notice", "text", "seconds"),
    [
        (None, FAILED, "2 files failed.", 30.0),
        (FAILED, REFUSED, "The login is refused.", 0),
        (REFUSED, FAILED, "2 files failed. The login is refused.", 0),
        (REFUSED, REFUSED, "The login is refused.", 0),
        (REFUSED, Noticed("Cancelled."), "Cancelled.", Noticed("Cancelled.").seconds),
        (
            Noticed("2 files failed. The login is refused.", seconds=0),
            FAILED,
            "2 files failed. The login is refused.",
            0,
        ),
    ],
)
def test_a_call_for_somebody_does_not_take_the_place_of_another(
    before: Noticed | None, notice: Noticed, text: str, seconds: float
) -> None:
    found = combined(before, notice)
    assert (found.text, found.seconds) == (text, seconds)


async def test_a_notice_stays_above_the_uploads_when_they_grow(
    manager: StandInManager, directories: Directories
) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("No uploads; u starts one.")
        screen.app.post_message(Noticed("A notice", seconds=0))
        await screen.shows("A notice")
        for name in ("east", "west", "south"):
            await filled(manager, name)
        await until(lambda: screen.lines[screen.lines.index("  A notice") + 1].startswith(" 3 Uploads  3 active"))


async def test_an_engine_that_dies_in_mid_keystroke_is_told_and_started_again(
    spawner: Spawner, directories: Directories
) -> None:
    async with spawner.connect() as engine:
        await engine.create_project("Quarry", ProjectKind.IMAGES, None)
        await engine.add(AddRequest(("/card/a.JPG",), ExistingProject("Quarry")))
    app = UploaderApp(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = Screen(app, pilot)
        await screen.shows("a.JPG")
        os.kill(spawner.pid, signal.SIGKILL)
        await screen.press("p", "down", "r")
        await screen.shows("E starts the engine:")
        assert "a.JPG" in screen.text, "what was seen last stays"
        await screen.press("p")
        await screen.shows("The engine is not there; press E")
        await screen.press("E")
        await screen.hides("E starts the engine:")
        await screen.shows("3 Uploads  0 active")


async def test_a_choice_of_files_outlives_the_engine(
    spawner: Spawner, directories: Directories, tmp_path: Path
) -> None:
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
        await screen.press("enter")
        await screen.shows("Type a name for the new project.")
        await screen.press(*"Quarry", "enter")
        await screen.shows("The engine was not running; it is starting now.")
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        await screen.press("enter")
        await screen.shows("2 Files  Quarry")


async def test_news_wait_until_the_engine_has_the_login(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.app.session.login_settled.wait()
        screen.app.session.login_settled.clear()
        held = upload_status(notice=Notice("NotSignedIn", "Nobody is signed in.", needs_person=True))
        screen.app.post_message(StatusArrived(engine_status(held)))
        await screen.shows("North field")
        assert "North field: Nobody" not in screen.text
        screen.app.session.login_settled.set()
        screen.app.post_message(StatusArrived(engine_status(held)))
        await screen.shows("North field: Nobody is signed in.")


async def test_an_upload_waits_for_the_login_of_this_terminal(
    manager: StandInManager, directories: Directories, tmp_path: Path
) -> None:
    """Sent before, it would go to the account of the stored login, or be refused for want of any."""
    write_photo(tmp_path / "card" / "a.JPG")
    async with showing(directories, (120, 30)) as screen:
        session = screen.app.session
        await session.login_settled.wait()
        session.login_settled.clear()
        session.account = None
        screen.drop(tmp_path / "card")
        await screen.shows("To be uploaded")
        await screen.press("enter")
        await screen.shows("Type a name for the new project.")
        await screen.press(*"Quarry", "enter")
        await screen.pilot.pause()
        assert not manager.requests
        session.account = "me@cloud"
        session.login_settled.set()
        await until(lambda: manager.requests)
    assert [request.account for request in manager.requests] == ["me@cloud"]


async def test_nothing_is_drawn_while_nothing_happens(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ east")
        await until(lambda: screen.app.main.projects.listed)
        await screen.pilot.pause()
        updates: list[object] = []
        display = screen.app._display

        def noted(*drawn: Any) -> None:
            updates.extend(each for each in drawn if each is not None)
            display(*drawn)

        monkeypatch.setattr(screen.app, "_display", noted)
        screen.app.main.uploads.show_link()
        status = screen.app.session.status
        manager.try_now()  # the engine tells the same state once more
        await until(lambda: screen.app.session.status is not status)
        await screen.pilot.pause(1.2)
        assert not updates
        await screen.press("w")
        await until(lambda: updates)

"""The add-files dialog from its first step to its last, worked with keys, mouse and pastes, on real folders."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.add_files.opened import NORTH, refuse, screen
from tests.tui.dialog_app import opened
from tests.tui.headless import watch_updates
from tests.until import until
from tui_uploader.errors import EngineUnreachable
from tui_uploader.model.engine import Bandwidth
from tui_uploader.model.projects import (
    ExistingProject,
    NewProject,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
)
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.outlook import Sending
from tui_uploader.tui.lines.glyphs import ASCII
from tui_uploader.tui.messages import HastyKey


async def test_typed_from_the_first_step_to_the_last(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.shows("Nothing chosen yet. Nothing is sent before step 4.")
        await dialog.type("DCIM/101MEDIA")
        await dialog.press("enter")
        await dialog.shows("1 image, 0 B.", "Down Up existing projects")
        await dialog.type("Bridge")
        await dialog.shows("NEW project", "Upload 1 image to new Bridge")
        await dialog.press("enter")
        await dialog.shows("Enter upload")
        assert dialog.is_open
        await dialog.press("enter")
        assert await dialog.answered() == AddRequest(
            (str(card / "DCIM" / "101MEDIA"),), NewProject("Bridge"), auto_process=True
        )


@pytest.mark.parametrize("project", [None, NORTH])
async def test_enter_after_a_path_never_uploads(card: Path, project: Project | None) -> None:
    """Twelve photos, and once four thousand, went into a project that was merely under the cursor."""
    async with opened(screen(card, project, refuse)) as dialog:
        await dialog.type("DCIM")
        await dialog.press("enter")
        await dialog.shows("4 images", "Down Up existing projects")
        if project is None:
            await dialog.press("enter", "enter", "enter", "enter")
            await dialog.shows("Type a name for the new project, or choose one with Down.")
        await dialog.pilot.pause()
        assert dialog.is_open


async def test_the_typed_path_wins_over_the_bar_of_the_tree(card: Path) -> None:
    """Typed without a slash, left with Down: its parent, with everything in it, was chosen."""
    async with opened(screen(card)) as dialog:
        await dialog.type("DCIM")
        await dialog.press("down")
        await dialog.shows("[ ] DCIM")
        assert dialog.lines[dialog.at("[ ] DCIM")[1]].lstrip().startswith("›")
        await dialog.press("tab", "tab")
        await dialog.type("Maps")
        await dialog.press("enter")
        await dialog.shows("4 images", "Upload 4 images to new Maps")
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM"),)


async def test_a_name_that_was_filled_in_is_replaced_by_the_first_key(card: Path) -> None:
    async with opened(screen(card, NORTH, dropped=str(card))) as dialog:
        await dialog.shows("North field", "existing project 11, 1,711 images", "5 images")
        await dialog.press("ctrl+n")
        await dialog.type("Bridge")
        await dialog.shows("NEW project", "Upload 5 images to new Bridge")
        await dialog.press("down", "down", "down")
        await dialog.shows("North field", "existing project 11")
        await dialog.type("B")
        await dialog.shows("Upload 5 images to new B ")


async def test_the_steps_can_be_reached_from_anywhere(card: Path) -> None:
    async with opened(screen(card, dropped=str(card))) as dialog:
        await dialog.shows("Tab complete", "5 images")
        for shown in ("existing projects", "i list skipped files", "Enter upload", "Tab complete"):
            await dialog.press("ctrl+n")
            await dialog.shows(shown)
        await dialog.press("ctrl+p", "ctrl+p")
        await dialog.shows("i list skipped files")


async def test_ctrl_s_uploads_from_anywhere_after_a_look(card: Path) -> None:
    async with opened(screen(card, NORTH)) as dialog:
        await dialog.type("DCIM/101MEDIA")
        await dialog.press("ctrl+s")
        await dialog.shows("Look at what will be uploaded, then press Ctrl+S again.", "1 image")
        assert dialog.is_open
        await dialog.press("ctrl+s")
        assert await dialog.answered() == AddRequest(
            (str(card / "DCIM" / "101MEDIA"),), ExistingProject("11"), auto_process=True, account="me@cloud"
        )


@pytest.mark.parametrize("key", ["enter", "ctrl+s"])
async def test_keys_that_arrived_with_others_do_not_upload(card: Path, key: str) -> None:
    async with opened(screen(card, NORTH, refuse, dropped=str(card))) as dialog:
        await dialog.shows("5 images")
        await dialog.press("ctrl+p")
        await dialog.shows("Enter upload")
        dialog.pilot.app.post_message(HastyKey(key, None))
        await dialog.shows("Look at what will be uploaded, then press the key again.")
        assert dialog.is_open


async def test_a_second_key_starts_no_second_upload(card: Path) -> None:
    requests: list[AddRequest] = []
    answered = asyncio.Event()

    async def slow(request: AddRequest, words: str) -> None:
        requests.append(request)
        await answered.wait()

    async with opened(screen(card, NORTH, slow)) as dialog:
        dialog.paste(f"{card}/DCIM")
        await dialog.shows("4 images")
        await dialog.press("ctrl+s", "ctrl+s", "ctrl+s")
        await until(lambda: requests)
        await dialog.press("ctrl+s")
        answered.set()
        assert await dialog.answered() == requests[0]
    assert len(requests) == 1


async def test_the_engine_is_told_and_the_user_too_what_was_added(card: Path) -> None:
    told: list[str] = []

    async def note(request: AddRequest, words: str) -> None:
        told.append(words)

    async with opened(screen(card, NORTH, note, dropped=str(card))) as dialog:
        await dialog.shows("5 images")
        await dialog.press("ctrl+s")
        await dialog.answered()
    assert len(told) == 1 and told[0].startswith("5 images of ") and told[0].endswith("/card")


async def test_the_look_says_how_long_it_takes(card: Path) -> None:
    (card / "ortho.tif").write_bytes(b"x" * 1_000_000)
    sending = Sending(bandwidth=Bandwidth(rate=10_000))
    async with opened(screen(card, dropped=str(card), sending=lambda: sending)) as dialog:
        await dialog.shows("5 images, 1.00 MB.", "At 10 KB/s (the limit): about 2 min, done ~")


@pytest.mark.parametrize("paths", ["{}/DCIM", "{}/DCIM {}/ortho.tif"])
async def test_escape_asks_before_a_list_is_lost(card: Path, paths: str) -> None:
    async with opened(screen(card)) as dialog:
        dialog.paste(f"/not/here.JPG {paths.replace('{}', str(card))}")
        await dialog.shows("not on this machine")
        await dialog.press("escape")
        await dialog.shows("Press Esc again")
        await dialog.press("escape")
        assert await dialog.answered() is None


async def test_a_refusal_is_shown_and_keeps_the_chosen_paths(card: Path) -> None:
    requests: list[AddRequest] = []

    async def refuses_once(request: AddRequest, words: str) -> None:
        requests.append(request)
        if len(requests) == 1:
            raise EngineUnreachable("The engine is [gone].")

    async with opened(screen(card, NORTH, refuses_once)) as dialog:
        dialog.paste(f"{card}/DCIM {card}/ortho.tif")
        await dialog.shows("5 images")
        await dialog.press("ctrl+s")
        await dialog.shows("The engine is [gone].", "ortho.tif")
        await dialog.press("ctrl+s")
        assert await dialog.answered() == requests[0]
    assert requests[0] == requests[1] and len(requests[0].paths) == 2


async def test_cancel_closes_the_dialog(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.click(*dialog.at("Cancel"))
        assert await dialog.answered() is None


HOSTILE = [b"[red]markup[]", b"ev\x1b[31mil", b"new\nline", "\u202eright to left".encode(), b"\xff\xfe", b"x" * 255]


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_hostile_names_are_made_printable_and_can_be_chosen(card: Path, size: tuple[int, int]) -> None:
    for name in HOSTILE:
        os.mkdir(os.fsencode(card) + b"/" + name)  # noqa: PTH102 - pathlib takes no bytes
        (card / os.fsdecode(name) / "a.JPG").touch()
    (card / "日本語").mkdir()
    async with opened(screen(card, NORTH), *size) as dialog:
        await dialog.shows("[red]markup[]", "ev\\x1b[31mil", "new\\x0aline", "\\u202eright", "xxx⋯xx")
        assert all(character.isprintable() for line in dialog.lines for character in line)
        await dialog.press("tab", *["j"] * 8, "space", "ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest)
        assert Path(answer.paths[0]).is_dir() and Path(answer.paths[0]).parent == card


async def test_everything_fits_a_small_terminal_in_ascii(card: Path) -> None:
    async with opened(screen(card, glyphs=ASCII), 60, 16) as dialog:
        await dialog.shows("v [ ]", "> [ ] DCIM", "[x] process automatically", "Upload", "Cancel", "Esc cancel")
        await dialog.press("down")
        await dialog.shows("Enter next step", ". hidden")
        assert dialog.text.isascii()
        assert max(map(len, dialog.lines)) <= 60


async def test_a_tiny_terminal_breaks_nothing(card: Path) -> None:
    async with opened(screen(card), 20, 5) as dialog:
        await dialog.press("tab", "down", "space", "escape", "escape")
        assert await dialog.answered() is None


async def test_a_folder_that_never_answers_delays_nothing(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead network mount blocks the thread that reads it; the dialog still works and closes."""
    answer, real_scandir = threading.Event(), os.scandir

    def scandir(path: str) -> object:
        if path.endswith("DCIM"):
            answer.wait(30)
        return real_scandir(path)

    monkeypatch.setattr("tui_uploader.tui.add_files.paths.folder_counts.os.scandir", scandir)
    try:
        async with opened(screen(card)) as dialog:
            await dialog.shows("[ ] DCIM")
            await dialog.press("down", "j", "right", "space", "k", "escape", "escape")
            assert await dialog.answered() is None
    finally:
        answer.set()


async def test_a_chosen_folder_that_never_answers_holds_up_nothing(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, real_scandir = threading.Event(), os.scandir

    def scandir(path: str) -> object:
        if path.endswith("100MEDIA"):
            answer.wait(30)
        return real_scandir(path)

    monkeypatch.setattr("tui_uploader.tui.add_files.paths.folder_counts.os.scandir", scandir)
    dropped = f"{card}/DCIM/100MEDIA {card}/DCIM/101MEDIA {card}/ortho.tif"
    try:
        async with opened(screen(card, dropped=dropped)) as dialog:
            await dialog.shows("2+ images, 0 B so far; still reading 3 chosen paths.")
            await dialog.press("enter", *"Quarry")
            await dialog.shows("Upload 2+ images to new Quarry")
            await dialog.press("ctrl+s")
            answer_ = await dialog.answered()
            assert isinstance(answer_, AddRequest) and len(answer_.paths) == 3
    finally:
        answer.set()


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "textual-light"])
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 50)])
async def test_all_that_speaks_against_it_can_be_read(card: Path, size: tuple[int, int], theme: str) -> None:
    state = Processing(ProcessingState.DONE, ended_at=time.time(), images=3_998)
    full = Project("13", "Quarry", ProjectKind.IMAGES, "me@cloud", state, (3,), 3_998)
    async with opened(screen(card, full, dropped=str(card)), *size) as dialog:
        dialog.pilot.app.theme = theme
        await dialog.shows(
            "4,003 images are more than the 4,000 that a project takes (3,998 are there).",
            "Quarry was processed today at",
            "with 3,998 images. Adding images does not process it again unless you tick it.",
            "5 images, 0 B.",
            "Upload 5 images to Quarry",
            "Esc cancel",
        )


async def test_nothing_is_drawn_while_nothing_happens(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.shows("5", "Esc cancel")
        await dialog.pilot.pause()
        updates = watch_updates(dialog.pilot.app, monkeypatch)
        assert not any(field.cursor_blink for field in dialog.pilot.app.screen.query(Input))
        await dialog.pilot.pause()
        assert not updates

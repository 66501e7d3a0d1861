"""The dialog for choosing files, worked with keys, mouse and pastes, on real folders."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.dialog_app import opened
from tests.tui.headless import watch_updates
from tests.until import until
from tui_uploader.errors import EngineUnreachable
from tui_uploader.model.projects import ExistingProject, NewProject, Project, ProjectKind
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.screen import AddFilesScreen, Submit
from tui_uploader.tui.lines.glyphs import ASCII

NORTH = Project("11", "North field", ProjectKind.IMAGES, "me@cloud", uploads=(1,), images=1711)
SOUTH = Project("12", "South field", ProjectKind.RESULTS, "me@cloud", uploads=(2,))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    for name, images in (("100MEDIA", 3), ("101MEDIA", 1)):
        folder = tmp_path / "card" / "DCIM" / name
        folder.mkdir(parents=True)
        for number in range(images):
            (folder / f"DJI_{number}.JPG").touch()
    (tmp_path / "card" / "ortho.tif").touch()
    return tmp_path / "card"


async def accept(_: AddRequest) -> None:
    """The engine accepts every request."""


def screen(
    card: Path, project: Project | None = NORTH, submit: Submit = accept, **options: object
) -> Callable[[], AddFilesScreen]:
    return lambda: AddFilesScreen(
        project,
        [NORTH, SOUTH],
        card,
        submit,
        home=card.parent,
        **options,  # type: ignore[arg-type]
    )


async def test_enter_uploads_a_typed_path(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.type("DCIM/101MEDIA")
        await dialog.press("enter")
        assert await dialog.answered() == AddRequest(
            (str(card / "DCIM" / "101MEDIA"),), ExistingProject("11"), auto_process=True, account="me@cloud"
        )


async def test_tab_completes_and_lists_matching_names(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.type("D")
        await dialog.press("tab")
        await dialog.shows("/card/DCIM/ ")
        await dialog.press("tab")
        await dialog.shows("/card/DCIM/10 ", "100MEDIA/  101MEDIA/")
        await dialog.type("1")
        await dialog.press("tab")
        await dialog.shows("/card/DCIM/101MEDIA/ ")
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM" / "101MEDIA"),)


async def test_tab_completes_paths_with_a_tilde(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.press("ctrl+u")
        await dialog.type("~/ca")
        await dialog.press("tab")
        await dialog.shows("~/card/")


async def test_tab_moves_on_if_nothing_can_be_completed(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.type("zzz")
        await dialog.press("tab")
        await dialog.shows("Space choose")  # the keys of the tree


async def test_a_missing_path_is_reported(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.type("nope")
        await dialog.press("enter")
        await dialog.shows("nope does not exist on this machine. Check the spelling")
        assert dialog.is_open


async def test_the_start_folder_is_not_chosen_until_enter(card: Path) -> None:
    """Uploaded images cannot be removed from a project: the first Enter only says what the next one uploads."""
    async with opened(screen(card)) as dialog:
        await dialog.press("enter")
        await dialog.shows("Enter uploads 5 images")
        assert dialog.is_open
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card),)


async def test_folders_are_counted_opened_and_chosen_with_keys(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.shows("/card 5", "DCIM", "nothing chosen yet")
        await dialog.press("down", "down", "right")
        await dialog.shows("100MEDIA", "101MEDIA")
        await dialog.press("j", "space", "space")
        await dialog.shows("[x] 100MEDIA", "[x] 101MEDIA", "Enter uploads 4 images")
        await dialog.press("k", "space", "k", "left", "left")
        await dialog.shows("Enter uploads 1 image")
        await until(lambda: "100MEDIA" not in dialog.text)
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM" / "101MEDIA"),)


async def test_the_tree_goes_up_and_shows_hidden_folders_when_asked(card: Path) -> None:
    (card.parent / ".hidden").mkdir()
    async with opened(screen(card)) as dialog:
        await dialog.press("down", "left")
        await dialog.shows("] card")
        assert ".hidden" not in dialog.text
        await dialog.press(".")
        await dialog.shows(".hidden")
        await dialog.press(".")
        await until(lambda: ".hidden" not in dialog.text)


async def test_the_mouse_opens_chooses_removes_and_uploads(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.shows("▸ [ ] DCIM")
        await dialog.click(*dialog.at("▸ [ ] DCIM"))
        await dialog.shows("[ ] 100MEDIA")
        for name in ("100MEDIA", "101MEDIA"):
            x, y = dialog.at(f"[ ] {name}")
            await dialog.click(x + 1, y)
            await dialog.shows(f"[x] {name}")
        await dialog.shows("Enter uploads 4 images", "x ⋯")
        await dialog.click(*dialog.at("x ⋯"))
        await dialog.shows("[ ] 100MEDIA", "Enter uploads 1 image")
        await dialog.click(*dialog.at("▾ [ ] DCIM"))
        await dialog.shows("▸ [ ] DCIM")
        await dialog.click(*dialog.at("Upload    "))
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM" / "101MEDIA"),)


async def test_chosen_paths_are_removed_with_keys(card: Path) -> None:
    async with opened(screen(card, dropped=f"{card}/DCIM {card}/ortho.tif")) as dialog:
        await dialog.shows("Enter uploads 5 images")
        await dialog.press("down", "tab", "x")
        await dialog.shows("Enter uploads 1 image")
        await dialog.press("x")
        await dialog.shows("nothing chosen yet")
        await dialog.press("x")
        assert dialog.is_open


@pytest.mark.parametrize("focus", [(), ("down",), ("down", "tab")])
async def test_dropped_paths_are_added_wherever_the_focus_is(card: Path, focus: tuple[str, ...]) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.press(*focus)
        dialog.paste(f"'{card}/DCIM/100MEDIA' /Users/anna/DJI_0001.JPG\nfile://{card}/ortho.tif")
        await dialog.shows("DCIM/100MEDIA", "card/ortho.tif", "/Users/anna/DJI_0001.JPG: not on this machine.")
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest)
        assert answer.paths == (str(card / "DCIM" / "100MEDIA"), str(card / "ortho.tif"))


async def test_pasted_text_goes_into_the_field(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        dialog.paste("DCIM/\x1b[31m100MEDIA\n")
        await dialog.shows("card/DCIM/[31m100MEDIA")


async def test_a_giant_paste_is_cut_and_reported(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        dialog.paste(f"{card}/DCIM /not/here/DJI_0001.JPG " * (10_000_000 // (len(str(card)) + 32)))
        await dialog.shows("The paste was cut at 500,000 characters", "not on this machine")
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM"),)


async def test_a_new_project_needs_a_valid_name(card: Path) -> None:
    async with opened(screen(card, None, dropped=str(card))) as dialog:
        await dialog.shows("Enter uploads 5 images.")
        await dialog.press("enter")
        await dialog.shows("Type a name for the new project.")
        await dialog.type("East/West")
        await dialog.shows("Will be named East-West", "Enter uploads 5 images to the new project East-West.")
        await dialog.press("enter")
        assert await dialog.answered() == AddRequest((str(card),), NewProject("East-West"), auto_process=True)


async def test_another_project_is_chosen_with_its_type(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.shows("existing project 11, 1,711 images", "(x) images", "[x] process automatically")
        await dialog.press("down", "tab", "tab", "down")
        await dialog.shows("South field", "existing project 12", "(x) results", "[ ] process automatically")
        await dialog.press("ctrl+u")
        await dialog.type("So")
        await dialog.shows("new project")
        await dialog.press("up")
        await dialog.shows("South field", "existing project 12")
        dialog.paste(f"{card}/ortho.tif")  # into a field of text: no drop
        await dialog.shows("ortho.tif")


async def test_results_show_their_files_and_do_not_process(card: Path) -> None:
    async with opened(screen(card, None)) as dialog:
        await dialog.press("down", "tab", "tab")
        await dialog.type("Maps")
        await dialog.press("tab", "space")
        await dialog.shows("(x) results", "ortho.tif", "[ ] process automatically")
        await dialog.press("shift+tab", "shift+tab", "shift+tab", "down", "down", "space", "enter")
        assert await dialog.answered() == AddRequest(
            (str(card / "ortho.tif"),), NewProject("Maps"), kind=ProjectKind.RESULTS, auto_process=False
        )


async def test_automatic_processing_can_be_switched_off(card: Path) -> None:
    async with opened(screen(card, dropped=str(card))) as dialog:
        await dialog.shows("Enter uploads 5 images to North field.")
        x, y = dialog.at("[x] process automatically")
        await dialog.click(x, y)
        await dialog.shows("[ ] process automatically")
        await dialog.press("enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and not answer.auto_process


async def test_escape_asks_before_a_list_is_lost(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        dialog.paste(f"{card}/DCIM {card}/ortho.tif")
        await dialog.shows("Enter uploads")
        await dialog.press("escape")
        await dialog.shows("Press Esc again")
        await dialog.press("escape")
        assert await dialog.answered() is None


async def test_a_refusal_is_shown_and_keeps_the_chosen_paths(card: Path) -> None:
    requests: list[AddRequest] = []

    async def refuses_once(request: AddRequest) -> None:
        requests.append(request)
        if len(requests) == 1:
            raise EngineUnreachable("The engine is [gone].")

    async with opened(screen(card, submit=refuses_once)) as dialog:
        dialog.paste(f"{card}/DCIM {card}/ortho.tif")
        await dialog.shows("Enter uploads")
        await dialog.press("enter")
        await dialog.shows("The engine is [gone].", "ortho.tif")
        await dialog.press("enter")
        assert await dialog.answered() == requests[0]
    assert requests[0] == requests[1] and len(requests[0].paths) == 2


async def test_a_second_enter_starts_no_second_upload(card: Path) -> None:
    requests: list[AddRequest] = []
    answered = asyncio.Event()

    async def slow(request: AddRequest) -> None:
        requests.append(request)
        await answered.wait()

    async with opened(screen(card, submit=slow)) as dialog:
        dialog.paste(f"{card}/DCIM")
        await dialog.shows("Enter uploads")
        await dialog.press("enter", "enter", "enter")
        await until(lambda: requests)
        await dialog.press("enter")
        answered.set()
        assert await dialog.answered() == requests[0]
    assert len(requests) == 1


async def test_cancel_closes_the_dialog(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.click(*dialog.at("Cancel"))
        assert await dialog.answered() is None


HOSTILE = [b"[red]markup[]", b"ev\x1b[31mil", b"new\nline", "\u202eright to left".encode(), b"\xff\xfe", b"x" * 255]


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_hostile_names_are_made_printable_and_can_be_chosen(card: Path, size: tuple[int, int]) -> None:
    for name in HOSTILE:
        os.mkdir(os.fsencode(card) + b"/" + name)  # noqa: PTH102 - pathlib takes no bytes
    (card / "日本語").mkdir()
    async with opened(screen(card), *size) as dialog:
        await dialog.shows("[red]markup[]", "ev\\x1b[31mil", "new\\x0aline", "\\u202eright", "xxx⋯xx")
        assert all(character.isprintable() for line in dialog.lines for character in line)
        await dialog.press("tab")
        await dialog.shows("DCIM/", "Enter upload")
        await dialog.press("down", "down", *["j"] * 9, "space", "enter")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest)
        assert Path(answer.paths[0]).is_dir() and Path(answer.paths[0]).parent == card


async def test_everything_fits_a_small_terminal_in_ascii(card: Path) -> None:
    async with opened(screen(card, glyphs=ASCII), 60, 16) as dialog:
        await dialog.shows("v [ ]", "> [ ] DCIM", "[x] process automatically", "Upload", "Cancel", "Esc cancel")
        await dialog.press("down")
        await dialog.shows("Enter upload", ". hidden")
        assert dialog.text.isascii()
        assert max(map(len, dialog.lines)) <= 60


async def test_a_tiny_terminal_breaks_nothing(card: Path) -> None:
    async with opened(screen(card), 20, 5) as dialog:
        await dialog.press("tab", "down", "space", "escape")
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
            await dialog.press("down", "j", "right", "space", "k", "escape")
            assert await dialog.answered() is None
    finally:
        answer.set()


async def test_nothing_is_drawn_while_nothing_happens(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.shows("5", "Esc cancel")
        await dialog.pilot.pause()
        updates = watch_updates(dialog.pilot.app, monkeypatch)
        assert not any(field.cursor_blink for field in dialog.pilot.app.screen.query(Input))
        await dialog.pilot.pause()
        assert not updates

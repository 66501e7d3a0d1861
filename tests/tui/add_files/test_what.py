"""The first step of the add-files dialog: paths that are typed, chosen in the tree, or pasted."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tui.add_files.opened import NORTH, refuse, screen
from tests.tui.dialog_app import opened
from tests.until import until
from tui_uploader.model.uploads import AddRequest, Skipped


async def test_tab_completes_a_name_that_was_begun_and_then_chooses_it(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.type("D")
        await dialog.press("tab")
        await dialog.shows("/card/DCIM/ ")
        await dialog.type("1")
        await dialog.press("tab")
        await dialog.shows("/card/DCIM/10 ", "100MEDIA/  101MEDIA/")
        await dialog.type("1")
        await dialog.press("tab")
        await dialog.shows("/card/DCIM/101MEDIA/ ")
        await dialog.press("tab")
        await dialog.shows("1 image", "existing projects")


async def test_tab_completes_paths_with_a_tilde(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.type("~/ca")
        await dialog.press("tab")
        await dialog.shows(" ~/card/ ")


async def test_tab_without_a_text_moves_on(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        await dialog.press("tab")
        await dialog.shows("Space choose")  # the keys of the tree


@pytest.mark.parametrize("keys", [("enter",), ("tab",), ("ctrl+n",), ("ctrl+s",), ("down", "tab", "tab")])
async def test_a_missing_path_is_reported_and_kept(card: Path, keys: tuple[str, ...]) -> None:
    async with opened(screen(card, NORTH, refuse)) as dialog:
        await dialog.type("nope")
        await dialog.press(*keys)
        await dialog.shows("nope does not exist on this machine. Check the spelling", "/card/nope ")
        assert dialog.is_open


async def test_a_path_on_a_card_that_hangs_holds_up_no_key(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def stat(path: Path, **options: object) -> None:
        answer.wait(30)
        raise FileNotFoundError

    try:
        async with opened(screen(card, submit=refuse)) as dialog:
            await dialog.type("hung")
            monkeypatch.setattr("tui_uploader.tui.add_files.paths.resolve_paths.Path.stat", stat)
            await dialog.press("enter")
            await dialog.shows("The typed path is being looked up.")
            await dialog.type("Bridge")
            await dialog.press("ctrl+s")
            await dialog.shows("NEW project", "The typed path is being looked up.")
            answer.set()
            await dialog.shows("hung does not exist on this machine.")
    finally:
        answer.set()


async def test_a_path_that_cannot_be_read_is_reported_and_kept(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stat(path: Path, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    async with opened(screen(card, NORTH, refuse)) as dialog:
        await dialog.type("locked")
        with monkeypatch.context() as patched:
            patched.setattr("tui_uploader.tui.add_files.paths.resolve_paths.Path.stat", stat)
            await dialog.press("enter")
            await dialog.shows("locked cannot be read: permission denied.", "/card/locked ")


async def test_a_folder_without_images_is_reported_and_not_uploaded(card: Path) -> None:
    (card / "bin").mkdir()
    for number in range(18):
        (card / "bin" / f"{number}.sh").touch()
    listed: list[Sequence[Skipped]] = []
    async with opened(screen(card, NORTH, refuse, list_skipped=lambda skipped, _: listed.append(skipped))) as dialog:
        await dialog.type("bin")
        await dialog.press("enter")
        await dialog.shows("No images in", "/card/bin. 18 other files skipped (Ctrl+O lists them).")
        await dialog.press("ctrl+s")
        await dialog.shows("There is nothing to upload. No images in")
        await dialog.press("ctrl+o", "ctrl+n", "ctrl+n", "i")
        await until(lambda: len(listed) == 2)
    assert len(listed[0]) == 18 and listed[0] == listed[1] and listed[0][0].reason == "not an image (.sh)"


async def test_without_a_text_enter_chooses_the_folder_that_path_says(card: Path) -> None:
    async with opened(screen(card, submit=refuse)) as dialog:
        await dialog.press("enter")
        await dialog.shows("5 images", "existing projects")


async def test_folders_are_counted_opened_and_chosen_with_keys(card: Path) -> None:
    async with opened(screen(card, NORTH)) as dialog:
        await dialog.shows("/card 5", "DCIM", "nothing chosen yet")
        await dialog.press("down", "down", "right")
        await dialog.shows("100MEDIA", "101MEDIA")
        await dialog.press("j", "space", "space")
        await dialog.shows("[x] 100MEDIA", "[x] 101MEDIA", "4 images")
        await dialog.press("k", "space", "k", "left", "left")
        await dialog.shows("1 image")
        await until(lambda: "100MEDIA" not in dialog.text)
        await dialog.press("enter", "ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM" / "101MEDIA"),)


async def test_enter_in_the_tree_chooses_what_the_bar_is_on(card: Path) -> None:
    async with opened(screen(card, submit=refuse)) as dialog:
        await dialog.shows("[ ] DCIM")
        await dialog.press("down", "j", "enter")
        await dialog.shows("[x] DCIM", "4 images", "existing projects")


async def test_a_choice_in_the_tree_replaces_the_text_that_led_there(card: Path) -> None:
    async with opened(screen(card, submit=refuse)) as dialog:
        await dialog.type("DCIM/")
        await dialog.shows("[ ] 101MEDIA")
        await dialog.press("down", "j", "j", "space", "tab", "tab")
        await dialog.shows("1 image", "existing projects")


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
    async with opened(screen(card, NORTH)) as dialog:
        await dialog.shows("▸ [ ] DCIM")
        await dialog.click(*dialog.at("▸ [ ] DCIM"))
        await dialog.shows("[ ] 100MEDIA")
        for name in ("100MEDIA", "101MEDIA"):
            x, y = dialog.at(f"[ ] {name}")
            await dialog.click(x + 1, y)
            await dialog.shows(f"[x] {name}")
        await dialog.shows("Upload 4 images to North field", "x ⋯")
        await dialog.click(*dialog.at("x ⋯"))
        await dialog.shows("[ ] 100MEDIA", "Upload 1 image to North field")
        await dialog.click(*dialog.at("▾ [ ] DCIM"))
        await dialog.shows("▸ [ ] DCIM")
        await dialog.click(*dialog.at("Upload 1 image"))
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM" / "101MEDIA"),)


async def test_chosen_paths_are_removed_with_keys(card: Path) -> None:
    async with opened(screen(card, dropped=f"{card}/DCIM {card}/ortho.tif")) as dialog:
        await dialog.shows("5 images")
        await dialog.press("down", "tab", "x")
        await dialog.shows("1 image")
        await dialog.press("x")
        await dialog.shows("nothing chosen yet")
        await dialog.press("x")
        assert dialog.is_open


@pytest.mark.parametrize("focus", [(), ("down",), ("down", "tab"), ("ctrl+n",), ("ctrl+p",)])
async def test_dropped_paths_are_added_wherever_the_focus_is(card: Path, focus: tuple[str, ...]) -> None:
    async with opened(screen(card, NORTH)) as dialog:
        await dialog.press(*focus)
        dialog.paste(f"'{card}/DCIM/100MEDIA' /Users/anna/DJI_0001.JPG\nfile://{card}/ortho.tif")
        await dialog.shows("DCIM/100MEDIA", "card/ortho.tif", "/Users/anna/DJI_0001.JPG: not on this machine.")
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest)
        assert answer.paths == (str(card / "DCIM" / "100MEDIA"), str(card / "ortho.tif"))


async def test_pasted_text_goes_into_the_field(card: Path) -> None:
    async with opened(screen(card)) as dialog:
        dialog.paste("DCIM/\x1b[31m100MEDIA\n")
        await dialog.shows("card/DCIM/[31m100MEDIA")


async def test_a_giant_paste_is_cut_and_reported(card: Path) -> None:
    async with opened(screen(card, NORTH)) as dialog:
        dialog.paste(f"{card}/DCIM /not/here/DJI_0001.JPG " * (10_000_000 // (len(str(card)) + 32)))
        await dialog.shows("The paste was cut at 500,000 characters", "not on this machine")
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.paths == (str(card / "DCIM"),)


async def test_four_thousand_pasted_paths_are_all_chosen(card: Path) -> None:
    paths = [card / "many" / f"DJI_{number:04}.JPG" for number in range(4_000)]
    paths[0].parent.mkdir()
    for path in paths:
        path.touch()
    async with opened(screen(card, NORTH)) as dialog:
        dialog.paste("\n".join(map(str, paths)))
        await dialog.shows(
            "4,000 images", "5,711 images are more than the 4,000 that a project takes (1,711 are there)."
        )
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and len(answer.paths) == 4_000

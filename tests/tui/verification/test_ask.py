"""The question for the path, alone, with real folders."""

from __future__ import annotations

from pathlib import Path

from tests.tui.dialog_app import opened
from tests.until import until
from tests.values import READING_CARD
from tui_uploader.errors import NoSuchProject, UploaderError
from tui_uploader.model.verification import VerificationStatus
from tui_uploader.tui.verification.ask import AskPathScreen


class Engine:
    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []
        self.refusal: UploaderError | None = None

    async def start(self, paths: tuple[str, ...]) -> VerificationStatus:
        self.started.append(paths)
        if self.refusal is not None:
            raise self.refusal
        return READING_CARD


async def test_the_proposed_path_is_verified_with_enter(tmp_path: Path) -> None:
    card, engine = tmp_path / "card", Engine()
    card.mkdir()
    async with opened(lambda: AskPathScreen(str(card), "/", "/", engine.start)) as dialog:
        await dialog.shows("May this card be wiped?", "Every file in it is read again", "card/", "Enter verify")
        await dialog.press("enter")
        assert await dialog.answered() is READING_CARD
    assert engine.started == [(str(card),)]


async def test_another_path_is_typed_and_completed(tmp_path: Path) -> None:
    (tmp_path / "north").mkdir()
    (tmp_path / "norway").mkdir()
    engine = Engine()
    async with opened(lambda: AskPathScreen("/nothing", str(tmp_path), "/", engine.start)) as dialog:
        await dialog.shows("/nothing/")
        await dialog.press("ctrl+u")
        await dialog.type("no")
        await dialog.press("tab")
        await dialog.shows("north/  norway/")
        await dialog.type("t")
        await until(lambda: "norway" not in dialog.text)
        await dialog.press("tab")
        await dialog.shows("north/")
        await dialog.press("enter")
        assert await dialog.answered() is READING_CARD
    assert engine.started == [(str(tmp_path / "north"),)]


async def test_what_is_not_there_or_refused_keeps_the_question_open(tmp_path: Path) -> None:
    engine = Engine()
    async with opened(lambda: AskPathScreen(str(tmp_path / "gone"), "/", "/", engine.start)) as dialog:
        await dialog.press("enter")
        await dialog.shows("does not exist on this machine. Check the spelling and whether the card is mounted.")
        assert engine.started == []
        (tmp_path / "gone").mkdir()
        engine.refusal = NoSuchProject("There is no project.\x1b[2J")
        await dialog.press("enter")
        await dialog.shows("There is no project.\\x1b[2J")
        assert dialog.is_open
        await dialog.press("escape")
        assert await dialog.answered() is None


async def test_dropped_paths_are_verified(tmp_path: Path) -> None:
    engine = Engine()
    (tmp_path / "a b").mkdir()
    async with opened(lambda: AskPathScreen("/", "/", "/", engine.start)) as dialog:
        dialog.paste(f"'{tmp_path}/a b'")
        assert await dialog.answered() is READING_CARD
    assert engine.started == [(f"{tmp_path}/a b",)]

"""Keys typed ahead of the engine's answer wait for it, in their order; after a deadline they are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tui_uploader.settings import Directories
from tui_uploader.tui.terminal import key_hold


@asynccontextmanager
async def answers_late(screen: Screen, *names: str) -> AsyncIterator[Callable[[], None]]:
    """The engine answers these questions only once the function that this gives is called."""
    answered = asyncio.Event()
    engine: Any = screen.app.session._engine

    def late(name: str) -> Callable[..., Any]:
        prompt = getattr(engine, name)

        async def ask(*arguments: object) -> object:
            await answered.wait()
            return await prompt(*arguments)

        return ask

    for name in names:
        setattr(engine, name, late(name))
    yield answered.set


async def test_what_is_typed_behind_select_all_is_about_the_selection(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *(f"{number}.JPG" for number in range(5)))
    async with showing(directories) as screen:
        await screen.shows("4.JPG")
        async with answers_late(screen, "file_runs") as answer:
            await screen.press("A", "x")
            await screen.pilot.pause()
            assert "removed" not in screen.text
            answer()
            await screen.shows("5 files removed from the queue")


async def test_what_is_typed_behind_a_filter_is_about_the_rows_that_match(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *(f"{name}.JPG" for name in ("east", "north", "west")))
    async with showing(directories) as screen:
        await screen.shows("west.JPG")
        async with answers_late(screen, "files") as answer:
            await screen.press("slash")
            await screen.comes_true(lambda: screen.app.focused is not screen.app.main.files.table, "no field")
            await screen.press(*"north", "enter", "x")
            await screen.pilot.pause()
            answer()
            await screen.shows("1 file removed from the queue")
        await screen.press("escape")
        await screen.shows("east.JPG", "west.JPG", "[2] Files  east.JPG  2")


async def test_two_removals_typed_at_once_are_of_two_files(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *(f"{number}.JPG" for number in range(5)))
    async with showing(directories) as screen:
        await screen.shows("4.JPG")
        await screen.press("x", "x", "j", "x")
        await screen.shows("[2] Files  0.JPG  2", "2.JPG", "4.JPG")


async def test_keys_wait_for_the_first_status(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories) as screen:
        await screen.press("c")
        await screen.shows("Cancel the upload to east?")


async def test_two_dismissals_typed_at_once_are_of_two_uploads(
    manager: StandInManager, directories: Directories
) -> None:
    for number, name in enumerate(("one", "two", "three", "four"), 1):
        await add_upload(manager, name)
        if number > 1:
            await manager.cancel(number)
    async with showing(directories) as screen:
        await screen.press("3", "end")
        await screen.press("d", "d", "d", "c")
        await screen.shows("Cancel the upload to one?")


async def test_keys_are_dropped_when_no_answer_comes(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_upload(manager, "east", "west")
    async with showing(directories) as screen:
        await screen.shows("∙ west")
        monkeypatch.setattr(screen.app._keys, "_deadline", 0.1)
        assert key_hold.DEADLINE == 10.0
        async with answers_late(screen, "file_runs"):
            await screen.press("A", "x", "x")
            await screen.shows("The engine has not answered for 10 s: 2 keys typed meanwhile dropped.")
            await screen.press("q")
            await screen.comes_true(lambda: not screen.app.is_running, "q waits too")


async def test_the_app_can_be_left_while_an_answer_is_due(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east", "west")
    async with showing(directories) as screen:
        await screen.shows("∙ west")
        async with answers_late(screen, "file_runs"):
            await screen.press("A", "q")
            await screen.comes_true(lambda: not screen.app.is_running, "q waits too")
    answer = screen.app.main.files._unanswered
    assert answer is not None and answer.done() and answer.exception() is None


async def test_keys_that_arrive_when_the_screen_has_gone_are_ignored(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("∙ east")
    for forwarded in (False, True):
        event = events.Key("pagedown", None)
        if forwarded:
            event._set_forwarded()
        await screen.app.on_event(event)
    await screen.app.on_event(events.MouseMove(None, 1, 1, 0, 0, 0, False, False, False))

"""The list of watched folders, and the dialog for another one, worked with keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.dialog_app import Dialog, opened
from tests.tui.values import engine_status, upload_status
from tests.tui.watches.values import EVERY, watch
from tests.until import until
from tui_uploader.errors import NoSuchWatch, UsageError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.watches import DEFAULT_NAME, Watch, WatchRequest, WatchState
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, Glyphs
from tui_uploader.tui.watches.new_watch import NewWatchScreen, quiet_seconds, watch_request
from tui_uploader.tui.watches.screen import WatchesScreen


def status(*watches: Watch) -> EngineStatus:
    from msgspec.structs import replace

    return replace(engine_status(upload_status(1)), watches=watches)


class Engine:
    def __init__(self, *watches: Watch) -> None:
        self.status: EngineStatus | None = status(*watches)
        self.removed: list[int] = []
        self.refuses = False
        self.opened = 0

    async def remove(self, number: int) -> Watch:
        if self.refuses:
            raise NoSuchWatch("There is no such watch.")
        self.removed.append(number)
        return watch(number)

    def another(self) -> None:
        self.opened += 1

    def screen(self, glyphs: Glyphs = UNICODE) -> WatchesScreen:
        return WatchesScreen(lambda: self.status, self.remove, self.another, glyphs, wall=lambda: 60.0)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_every_watch_is_listed_with_its_state(size: tuple[int, int]) -> None:
    async with opened(Engine(*EVERY).screen, *size) as dialog:
        await dialog.shows(
            "◉ needs you  /media/card5",
            "◉ adding     /media/card3",
            "◉ no card    /media/card1",
            "/media/card5: needs you: It is full.",
            "a watch another folder   x stop watching",
        )


async def test_the_details_follow_the_cursor_and_enter_goes_to_the_upload() -> None:
    async with opened(Engine(*EVERY).screen) as dialog:
        await dialog.shows("/media/card5: needs you")
        await dialog.press("down")
        await dialog.shows("/media/card3: adding new images to Quarry.")
        await dialog.press("enter")
        assert await dialog.answered() == 1


async def test_a_watch_without_an_upload_has_nowhere_to_go() -> None:
    async with opened(Engine(watch(upload=None)).screen) as dialog:
        await dialog.press("enter")
        await dialog.shows("No upload yet")
        assert dialog.is_open


async def test_x_stops_watching_and_the_row_goes_before_the_engine_tells_so() -> None:
    engine = Engine(watch(1), watch(2))
    async with opened(engine.screen) as dialog:
        await dialog.shows("/media/card1", "/media/card2")
        await dialog.press("x")
        await dialog.shows("/media/card1 is no longer watched; what was added stays in its uploads.")
        assert engine.removed == [1]
        await until(lambda: "watching   /media/card1" not in dialog.text)
        await dialog.shows("watching   /media/card2")


async def test_what_the_engine_refuses_is_told() -> None:
    engine = Engine(watch(1))
    engine.refuses = True
    async with opened(engine.screen) as dialog:
        await dialog.press("x")
        await dialog.shows("There is no such watch.", "watching   /media/card1")


async def test_the_list_follows_the_engine() -> None:
    engine = Engine(watch(1, WatchState.ABSENT))
    async with opened(engine.screen) as dialog:
        await dialog.shows("no card    /media/card1")
        engine.status = status(watch(1, WatchState.ADDING), watch(2, WatchState.BLOCKED, reason="It is /."))
        await dialog.shows("adding     /media/card1", "needs you  /media/card2")
        assert dialog.lines[dialog.at("adding     /media/card1")[1]].lstrip().startswith("›")


async def test_without_a_watch_it_says_what_to_do() -> None:
    engine = Engine()
    async with opened(engine.screen) as dialog:
        await dialog.shows("No folder is watched.", "a watches one")
        await dialog.press("x", "enter", "a")
        assert engine.opened == 1
        engine.status = None
        await dialog.press("escape")
        assert await dialog.answered() is None


async def test_ascii_terminals_get_ascii() -> None:
    async with opened(lambda: Engine(*EVERY).screen(ASCII)) as dialog:
        await dialog.shows("o needs you  /media/card5")
        assert dialog.text.isascii()


# ------------------------------------------------------------------------------------------ another folder


class Adding:
    def __init__(self, refusal: str = "") -> None:
        self.requests: list[WatchRequest] = []
        self.refusal = refusal

    async def add(self, request: WatchRequest) -> Watch:
        self.requests.append(request)
        if self.refusal:
            raise UsageError(self.refusal)
        return watch(path=request.path)

    def screen(self) -> NewWatchScreen:
        return NewWatchScreen(self.add, "me@cloud", Path("/home/me"))


async def enter(dialog: Dialog, path: str) -> None:
    await dialog.shows("The folder in which images appear")
    await dialog.type(path)
    await dialog.press("enter")


async def test_a_folder_is_watched_as_the_defaults_say() -> None:
    adding = Adding()
    async with opened(adding.screen) as dialog:
        await enter(dialog, "/media/card")
        await dialog.answered()
    assert adding.requests == [WatchRequest("/media/card", account="me@cloud")]


async def test_every_setting_can_be_changed_with_keys() -> None:
    adding = Adding()
    async with opened(adding.screen) as dialog:
        await dialog.type("~/cards")
        await dialog.press("tab")
        await dialog.shows("Name of the project of each card.")
        await dialog.press("ctrl+u")
        await dialog.type("{site}")
        await dialog.press("tab", "space", "tab", "ctrl+u")
        await dialog.type("2.5")
        await dialog.press("tab", "space", "enter")
        await dialog.answered()
    (request,) = adding.requests
    assert request == WatchRequest(
        "/home/me/cards",
        name="{site}",
        account="me@cloud",
        auto_process=False,
        quiet_seconds=150.0,
        verify_after=True,
    )


async def test_a_refused_folder_keeps_the_dialog_open() -> None:
    adding = Adding("/ cannot be watched: it holds the whole machine.")
    async with opened(adding.screen) as dialog:
        await enter(dialog, "/")
        await dialog.shows("/ cannot be watched: it holds the whole machine.")
        assert dialog.is_open
        await dialog.press("escape")
        assert await dialog.answered() is None


async def test_nothing_is_sent_without_a_path() -> None:
    adding = Adding()
    async with opened(adding.screen) as dialog:
        await enter(dialog, "")
        await dialog.shows("Type the path of the folder to watch.")
    assert adding.requests == []


@pytest.mark.parametrize(("typed", "seconds"), [("10", 600.0), (" 0,5 ", 30.0), ("0", 0.0)])
def test_minutes_are_typed(typed: str, seconds: float) -> None:
    assert quiet_seconds(typed) == seconds


@pytest.mark.parametrize("typed", ["", "ten", "-1", "1e9", "٣", "99999"])
def test_what_is_no_number_of_minutes_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        quiet_seconds(typed)


def test_a_path_from_home_is_made_whole() -> None:
    assert watch_request(" ~/x ", Path("/h")).path == "/h/x"
    assert watch_request("~", None).path == "~"
    assert watch_request("~other/x", Path("/h")).path == "~other/x"
    assert watch_request("/a", None).name == DEFAULT_NAME

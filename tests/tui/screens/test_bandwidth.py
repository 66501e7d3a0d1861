"""The dialog about bandwidth: alone, and on the app in front of a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.tui.conftest import showing
from tests.tui.dialog_app import Dialog, opened
from tui_uploader.errors import UsageError
from tui_uploader.model import Bandwidth, BandwidthChange, BudgetPeriod
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui.screens.bandwidth import BandwidthScreen, change_of

SET = Bandwidth(
    limit=2_000_000,
    schedule="Mon-Fri 08:00-18:00 500 KB/s",
    budget=20_000_000_000,
    used=3_420_000_000,
    rate=500_000,
    holds="at most 500 KB/s until 18:00 (schedule)",
)
NOTHING = BandwidthChange()


class Desk:
    """The engine's side of the dialog."""

    def __init__(self, state: Bandwidth = SET, refusal: str = "") -> None:
        self.state = state
        self.refusal = refusal
        self.changes: list[BandwidthChange] = []

    async def apply(self, change: BandwidthChange) -> Bandwidth:
        self.changes.append(change)
        if self.refusal:
            raise UsageError(self.refusal)
        return self.state

    def screen(self) -> BandwidthScreen:
        return BandwidthScreen(lambda: self.state, self.apply)


async def retype(dialog: Dialog, text: str) -> None:
    """Over what stands in the field."""
    await dialog.press("end", "ctrl+u")
    dialog.paste(text)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_it_tells_how_things_stand(size: tuple[int, int]) -> None:
    desk = Desk()
    async with opened(desk.screen, *size) as dialog:
        await dialog.shows("Now: at most 500 KB/s until 18:00 (schedule)", "2 MB/s", "Mon-Fri 08:00-18:00 500 KB/s")
        await dialog.shows("3.42 GB of 20 GB per month used, 16.6 GB left", "(x) month", "Esc cancel")
        desk.state = replace(SET, used=20_000_000_000, holds="data budget of 20 GB for this month is used up")
        await dialog.shows("is used up", "0 B left")
        await dialog.press("escape")
        assert await dialog.answered() is None
        assert desk.changes == []


async def test_only_what_was_changed_is_handed_on() -> None:
    desk = Desk()
    async with opened(desk.screen) as dialog:
        await dialog.shows("2 MB/s")
        await retype(dialog, "1M")
        await dialog.shows("1M")
        await dialog.press("enter")
        assert await dialog.answered() == SET
    assert desk.changes == [BandwidthChange(limit="1M")]


async def test_a_refusal_is_shown_and_nothing_is_lost() -> None:
    desk = Desk(refusal="'fast' is no [rate].")
    async with opened(desk.screen) as dialog:
        await retype(dialog, "fast")
        await dialog.press("enter")
        await dialog.shows("'fast' is no [rate].")
        assert dialog.is_open
        desk.refusal = ""
        await dialog.press("enter")
        assert await dialog.answered() == SET


async def test_what_is_off_need_not_be_erased_first() -> None:
    desk = Desk(Bandwidth())
    async with opened(desk.screen) as dialog:
        await dialog.shows("off")
        await dialog.press(*"500k", "tab", *"Sun pause", "tab", *"20GB", "enter")
        assert await dialog.answered() == Bandwidth()
    wish = BandwidthChange(limit="500k", schedule="Sun pause", budget="20GB", per=BudgetPeriod.MONTH)
    assert desk.changes == [wish]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("2 MB/s", "Mon-Fri 08:00-18:00 500 KB/s", "20 GB", BudgetPeriod.MONTH), NOTHING),
        (("", "Mon-Fri 08:00-18:00 500 KB/s", "20 GB", BudgetPeriod.MONTH), BandwidthChange(limit="off")),
        (("2 MB/s", " ", "20 GB", BudgetPeriod.MONTH), BandwidthChange(schedule="off")),
        (
            ("2 MB/s", "Sat 1M", "20 GB", BudgetPeriod.DAY),
            BandwidthChange(schedule="Sat 1M", per=BudgetPeriod.DAY),
        ),
        (
            ("2 MB/s", "Mon-Fri 08:00-18:00 500 KB/s", "30GB", BudgetPeriod.MONTH),
            BandwidthChange(budget="30GB", per=BudgetPeriod.MONTH),
        ),
        (("2 MB/s", "Mon-Fri 08:00-18:00 500 KB/s", "off", BudgetPeriod.DAY), BandwidthChange(budget="off")),
    ],
)
def test_what_is_another_than_before(typed: tuple[str, str, str, BudgetPeriod], expected: BandwidthChange) -> None:
    assert change_of(SET, *typed) == expected


def test_a_period_without_a_budget_is_no_wish() -> None:
    assert change_of(Bandwidth(), "off", "off", "off", BudgetPeriod.DAY) == NOTHING


async def test_the_key_b_changes_what_the_engine_does(field: Path, directories: Directories) -> None:
    async with showing(directories) as screen, EngineClient.connect(directories, spawn=False) as engine:
        await screen.press("b")
        await screen.shows("Now: no limit")
        await screen.press("end", "ctrl+u", *"500k", "enter")
        await screen.shows("at most 500 KB/s", "cap 500 KB/s")
        assert (await engine.bandwidth()).limit == 500_000
        await screen.press("b")
        await screen.shows("Now: at most 500 KB/s")
        await screen.press("end", "ctrl+u", *"500", "enter")
        await screen.shows("'500' is no rate.")
        await screen.press("escape")
        await screen.hides("'500' is no rate.")
        assert (await engine.bandwidth()).limit == 500_000

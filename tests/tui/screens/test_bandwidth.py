"""The bandwidth dialog, alone and with a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.tui.conftest import showing
from tests.tui.dialog_app import Dialog, opened
from tui_uploader.errors import UsageError
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod
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


class Engine:
    """Stands in for the engine: keeps the requested changes, and may refuse them."""

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
    """Replace the text of the field."""
    await dialog.press("end", "ctrl+u")
    dialog.paste(text)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_the_dialog_shows_the_current_settings(size: tuple[int, int]) -> None:
    engine = Engine()
    async with opened(engine.screen, *size) as dialog:
        await dialog.shows("Now: at most 500 KB/s until 18:00 (schedule)", "2 MB/s", "Mon-Fri 08:00-18:00 500 KB/s")
        await dialog.shows("3.42 GB of 20 GB per month used, 16.6 GB left", "(x) month", "Esc cancel")
        engine.state = replace(SET, used=20_000_000_000, holds="data budget of 20 GB for this month is used up")
        await dialog.shows("is used up", "0 B left")
        await dialog.press("escape")
        assert await dialog.answered() is None
        assert engine.changes == []


async def test_a_setting_is_replaced_by_the_first_key() -> None:
    engine = Engine()
    async with opened(engine.screen) as dialog:
        await dialog.shows("2 MB/s")
        await dialog.type("1M")
        await dialog.press("enter")
        await dialog.answered()
    assert engine.changes == [BandwidthChange(limit="1M")]


async def test_only_changed_settings_are_sent() -> None:
    engine = Engine()
    async with opened(engine.screen) as dialog:
        await dialog.shows("2 MB/s")
        await retype(dialog, "1M")
        await dialog.shows("1M")
        await dialog.press("enter")
        assert await dialog.answered() == SET
    assert engine.changes == [BandwidthChange(limit="1M")]


async def test_a_refusal_is_shown_and_keeps_the_input() -> None:
    engine = Engine(refusal="'fast' is no [rate].")
    async with opened(engine.screen) as dialog:
        await retype(dialog, "fast")
        await dialog.press("enter")
        await dialog.shows("'fast' is no [rate].")
        assert dialog.is_open
        engine.refusal = ""
        await dialog.press("enter")
        assert await dialog.answered() == SET


async def test_settings_that_are_off_leave_their_fields_empty() -> None:
    engine = Engine(Bandwidth())
    async with opened(engine.screen) as dialog:
        await dialog.shows("off")
        await dialog.press(*"500k", "tab", *"Sun pause", "tab", *"20GB", "enter")
        assert await dialog.answered() == Bandwidth()
    wish = BandwidthChange(limit="500k", schedule="Sun pause", budget="20GB", per=BudgetPeriod.MONTH)
    assert engine.changes == [wish]


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
def test_a_change_has_only_new_settings(typed: tuple[str, str, str, BudgetPeriod], expected: BandwidthChange) -> None:
    assert change_of(SET, *typed) == expected


def test_a_period_without_a_budget_changes_nothing() -> None:
    assert change_of(Bandwidth(), "off", "off", "off", BudgetPeriod.DAY) == NOTHING


async def test_the_dialog_changes_the_bandwidth_of_the_engine(field: Path, directories: Directories) -> None:
    async with showing(directories) as screen, EngineClient.connect(directories, spawn=False) as engine:
        await screen.press("b")
        await screen.shows("Now: no limit")
        await screen.press("end", "ctrl+u", *"500k", "enter")
        await screen.shows("limit 500 KB/s")
        assert (await engine.bandwidth()).limit == 500_000
        await screen.press("b")
        await screen.shows("Now: at most 500 KB/s")
        await screen.press("end", "ctrl+u", *"500", "enter")
        await screen.shows("'500' is not a rate.")
        await screen.press("escape")
        await screen.hides("'500' is not a rate.")
        assert (await engine.bandwidth()).limit == 500_000

"""The help screen."""

from __future__ import annotations

from tests.service.stand_in import StandInManager
from tests.tui.conftest import showing
from tui_uploader.settings import Directories


async def test_help_opens_and_closes_with_either_key(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories) as screen:
        for key in ("?", "f1"):
            await screen.press(key)
            await screen.shows("In the files", "Retry the selected failed files")
            await screen.press(key)
            await screen.hides("In the files")

"""The keys at the bottom of the screen."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.service.stand_in import StandInManager
from tests.tui.conftest import showing
from tui_uploader.settings import Directories
from tui_uploader.tui.subject.scope import CommandScope
from tui_uploader.tui.widgets.bar_keys import bar_keys
from tui_uploader.tui.widgets.key_bar import fitting_keys

PANES = ("projects", "files", "uploads")


@pytest.mark.parametrize("pane", PANES)
@pytest.mark.parametrize(("width", "most"), [(20, 8), (80, 8), (99, 8), (240, 99)])
def test_the_keys_that_fit_are_shown_and_always_help_and_quit(pane: str, width: int, most: int) -> None:
    every = bar_keys(CommandScope(pane=pane))
    shown = fitting_keys(every, width)
    assert [key.key.key_display for key in shown[-2:]] == ["?", "q"]
    assert 2 <= len(shown) <= most
    text = "  ".join(f"{key.key.key_display} {key.label}" for key in shown)
    assert cell_len(text) <= width
    if width == 240:
        assert len(shown) == len(every) or cell_len(text) > 200


async def test_a_click_on_a_key_presses_it(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("? help")
        bar = screen.lines[-1]
        await screen.pilot.click(offset=(bar.index("? help"), 23))
        await screen.shows("In the files")

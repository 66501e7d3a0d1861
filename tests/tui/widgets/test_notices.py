"""Notices: one at a time, wrapped, and never lost when they ask for action."""

from __future__ import annotations

import pytest

from tests.service.stand_in import StandInManager
from tests.tui.conftest import showing
from tui_uploader.settings import Directories
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.widgets.notices import combined, notice_lines


def test_a_notice_is_wrapped_and_printable() -> None:
    assert notice_lines("one two three", 7) == ["one two", "three"]
    assert notice_lines("x" * 20, 8) == ["x" * 8, "x" * 8, "x" * 4]
    assert notice_lines("\x1b[2J\n", 20) == ["\\x1b[2J\\x0a"]
    assert len(notice_lines("word " * 1000, 20)) == 4
    assert notice_lines("", 20) == [""]


async def test_a_notice_replaces_the_last_one(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24)) as screen:
        for number in range(20):
            screen.app.post_message(Noticed(f"Notice number {number} [red]", "error", seconds=0))
        await screen.shows("Notice number 19 [red]")
        assert screen.text.count("Notice number") == 1
        line = next(index for index, shown in enumerate(screen.lines) if "Notice number" in shown)
        assert screen.lines[line + 1].startswith(" [3] Uploads")
        await screen.pilot.click(offset=(5, line))
        await screen.hides("Notice number")


REFUSED = Noticed("The login is refused.", "error", seconds=0, attention=True)
FAILED = Noticed("2 files failed.", "warning", seconds=30.0, attention=True)


@pytest.mark.parametrize(
    ("before", "notice", "text", "seconds"),
    [
        (None, FAILED, "2 files failed.", 30.0),
        (FAILED, REFUSED, "The login is refused.", 0),
        (REFUSED, FAILED, "2 files failed. The login is refused.", 0),
        (REFUSED, REFUSED, "The login is refused.", 0),
        (REFUSED, Noticed("Cancelled."), "Cancelled.", Noticed("Cancelled.").seconds),
        (
            Noticed("2 files failed. The login is refused.", seconds=0),
            FAILED,
            "2 files failed. The login is refused.",
            0,
        ),
    ],
)
def test_a_call_for_action_does_not_hide_another(
    before: Noticed | None, notice: Noticed, text: str, seconds: float
) -> None:
    found = combined(before, notice)
    assert (found.text, found.seconds) == (text, seconds)

"""The notice of submissions survives whatever happens while it is being opened or closed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult

from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.tui.engine.notifications import Submission
from tui_uploader.tui.screens.submitted import SubmittedScreen

SUBMITTED = Processing(ProcessingState.SUBMITTED)


class ClosedAtOnce(SubmittedScreen):
    """Closed while it is mounted, so that it has no children yet."""

    CSS_PATH: ClassVar = []

    def compose(self) -> ComposeResult:
        yield from ()


async def test_a_notice_without_children_neither_fails_nor_loses_a_submission() -> None:
    app: App[None] = App()
    async with app.run_test():
        notice = ClosedAtOnce([Submission("Quarry", SUBMITTED)])
        await app.push_screen(notice)
        notice.add([Submission("Bridge", SUBMITTED)])
        assert [each.name for each in notice.submissions] == ["Quarry", "Bridge"]

"""Questions before something that cannot be undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.conftest import showing
from tests.tui.dialog_app import opened
from tests.tui.uploads import flight, queued
from tests.until import until
from tui_uploader.model.projects import ProcessingState
from tui_uploader.settings import Directories
from tui_uploader.tui.messages import HastyKey
from tui_uploader.tui.screens.confirm import ConfirmScreen


async def test_a_burst_of_keys_answers_no_question(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, flight(tmp_path, 6), auto_process=False)
        await screen.upload_is(lambda upload: upload.settled and upload.counts.uploaded == 6)
        await screen.press("P")
        await screen.shows("Start processing Quarry with 6 images?", "may cost credits")
        for key, character in (("y", "y"), ("tab", None), ("enter", "\r")):
            screen.app.post_message(HastyKey(key, character))
        await screen.pilot.pause()
        assert "Start processing Quarry" in screen.text
        await screen.press("enter")
        await screen.hides("Start processing Quarry")
        upload = screen.app.main.scope().upload
        assert upload is not None and upload.processing.state is ProcessingState.NOT_STARTED


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
async def test_question_numbers_and_answers_fit_every_terminal(size: tuple[int, int]) -> None:
    name = "Quarry of the northern bearings and approaches, May 2026, no. 2"
    stakes = (
        "1,315 files (81.3 MB) will not be uploaded, and those that are being sent end now.",
        "146 files uploaded before stay in the project. p resumes it later.",
        "Not all folders are scanned yet: images found later would be left out.",
    )
    async with opened(lambda: ConfirmScreen(f"Cancel the upload to {name}?", stakes), *size) as dialog:
        await dialog.shows(f"Cancel the upload to {name}?", *stakes, "No (n)", "Yes (y)")
        await dialog.press("enter")
        assert await dialog.answered() is False

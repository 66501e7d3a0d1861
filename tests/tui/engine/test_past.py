"""How retries ended, and what happened while the user was away."""

from __future__ import annotations

import time
from pathlib import Path

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.uploads import flight, queued, truncated
from tests.until import until
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.settings import Directories
from tui_uploader.tui.engine.past import outcomes

RETRIED = PastEvent(1, 0.0, EventKind.RETRIED, 7, "Quarry", files=5)
FAILED = PastEvent(2, 1.0, EventKind.FAILED, 7, "Quarry", files=5, error="SourceDamaged")
AGAIN = "Quarry: 5 files failed again, all damaged: copy them from the card again."


def test_the_end_of_a_retry_is_told_when_nothing_moves_any_more() -> None:
    events = (RETRIED, FAILED)
    assert outcomes(events, frozenset({7})) == {7: AGAIN}
    assert outcomes(events, frozenset()) == {}
    assert outcomes((RETRIED,), frozenset({7})) == {}
    assert outcomes((FAILED,), frozenset({7})) == {}, "these were not retried"
    restored = PastEvent(1, 0.0, EventKind.RESTORED, 7, "Quarry", files=5)
    assert outcomes((restored, FAILED), frozenset({7})) == {7: AGAIN}


async def test_files_that_fail_again_are_not_silent(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = flight(tmp_path, 6)
    truncated(card / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda upload: upload.settled and upload.counts.failed == 1)
        await screen.press("r")
        await screen.shows("1 file failed again")
        await screen.press("f")
        await screen.shows("1 of 7", "broken.JPG")
        await screen.press("x")
        await screen.upload_is(lambda upload: upload.counts.failed == 0)
        await screen.press("U")
        await screen.shows("1 file failed again")


async def test_the_log_tells_events_in_words_and_keeps_the_technical_log(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "a.JPG")
    now = time.time()
    reason = "cloud.pix4d.com refused the connection and said a great deal more about it than fits on one line here."
    manager.happen(PastEvent(1, now, EventKind.ADDED, 1, "Quarry", files=300, detail="/card"))
    manager.happen(PastEvent(2, now, EventKind.OFFLINE, detail=reason))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ a.JPG")
        await screen.press("L")
        await screen.shows("Log", "Quarry: 300 files added from /card.", "Offline: cloud.pix4d.com refused")
        assert "on one line here." not in screen.text
        await screen.press("w")
        await screen.shows("on one line here.")
        manager.happen(PastEvent(3, now, EventKind.PAUSED, 1, "[red]\x1b[2J", files=3))
        await screen.shows("[red]\\x1b[2J paused, 3 files left.")
        await screen.press(*"/refused")
        await screen.hides("300 files")
        await screen.press("enter", "y")
        await screen.shows("Copied, if your terminal allows", "refused")
        await screen.press("t")
        await screen.shows("Engine log")
        await screen.press("escape", "escape")
        await screen.comes_true(lambda: screen.app.screen is screen.app.main, "Escape closes it")


async def test_past_news_can_be_read_again(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG")
    now = time.time()
    manager.happen(PastEvent(1, now, EventKind.ADDED, 1, "Quarry", files=300, detail="/card"))
    manager.happen(PastEvent(2, now, EventKind.PROCESSING_REQUESTED, 1, "Quarry", files=300))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ a.JPG")
        await screen.press("e")
        await screen.shows("Past news", "Quarry submitted for processing with 300 images.")
        assert "300 files added" not in screen.text
        await screen.press("e")
        await screen.hides("Past news")

"""`K` in the app: which verification is shown, what the main screen tells, and a whole check with a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.photos import write_photo
from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.uploads import flight, queued
from tests.values import COMPLETE, ENGINE, READING_CARD, SAFE_CARD, verification
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import VerificationStatus
from tui_uploader.settings import Directories
from tui_uploader.tui.verification.checks import shown_first

DONE = replace(COMPLETE, ended_at=900.0)
OTHER = verification(verification=4, uploads={9: 3})


def engine(*verifications: VerificationStatus) -> EngineStatus:
    return replace(ENGINE, verifications=verifications)


@pytest.mark.parametrize(
    ("status", "uploads", "found"),
    [
        (None, (), None),
        (engine(), (DONE,), None),
        (engine(OTHER, SAFE_CARD), (DONE,), SAFE_CARD),
        (engine(SAFE_CARD, OTHER), (DONE,), SAFE_CARD),
        (engine(OTHER), (DONE,), None),  # of another card
        (engine(OTHER, SAFE_CARD), (), SAFE_CARD),
        (engine(SAFE_CARD, replace(READING_CARD, verification=7)), (DONE,), replace(READING_CARD, verification=7)),
        (engine(SAFE_CARD), (replace(DONE, ended_at=2000.0),), None),  # completed later
    ],
)
def test_what_k_shows(
    status: EngineStatus | None, uploads: tuple[UploadStatus, ...], found: VerificationStatus | None
) -> None:
    assert shown_first(status, uploads) == found


async def test_the_card_of_an_upload_is_checked_with_three_keys(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path)
    async with showing(directories, (80, 24)) as screen:
        await queued(directories, card, auto_process=False)
        await screen.shows("K checks whether the card may be wiped")
        await screen.press("K")
        await screen.shows("May this card be wiped?", f"{card.name}/")
        await screen.press("enter")
        await screen.shows("SAFE", "ALL FOLDERS, 1")
        await screen.press("escape")
        await screen.shows("Verified ")
        write_photo(card / "z.JPG", 3_000)
        await screen.press("K")
        await screen.shows("SAFE", "ALL FOLDERS, 1")
        await screen.press("r")
        await screen.shows("NOT SAFE", "1 of 9 images is not in the cloud.", "z.JPG", "u upload 1 missing")
        await screen.press("u")
        await screen.shows("1 missing image queued for Quarry as upload")
        await screen.press("escape")
        await screen.upload_is(lambda upload: upload.counts.uploaded == 1)  # the new one is under the cursor
        assert "the addition of 1 missing image" in screen.app.main.scope().undoable


async def test_a_typed_path_is_checked(directories: Directories, field: Path, tmp_path: Path) -> None:
    write_photo(tmp_path / "card" / "a.JPG")
    async with showing(directories) as screen:
        await screen.press(":", *"verify /not/here", "enter")
        await screen.shows("/not/here does not exist on this machine.")
        await screen.press("ctrl+u", *f"verify {tmp_path}/card", "enter")
        await screen.shows("NOT SAFE", "1 of 1 image is not in the cloud.", "a.JPG", "is in no project")
        await screen.press("u")
        await screen.shows("No file of this card is in a project.", "then K and u.")


async def test_a_read_only_screen_starts_no_check(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG")
    async with showing(directories) as screen:
        await screen.shows("[2] Files  a.JPG")
        screen.app.main._read_only = True
        await screen.press("K")
        await screen.shows("This screen is read-only")


async def test_a_check_that_runs_is_told_on_the_main_screen(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG")
    async with showing(directories) as screen:
        await screen.shows("[2] Files  a.JPG")
        running = engine(READING_CARD)
        await screen.shows_status(running, "card 50 % read")
        await screen.shows_status(replace(running, verifications=(READING_CARD, OTHER)), "card 50 % read")
        two = (READING_CARD, replace(READING_CARD, verification=6))
        await screen.shows_status(replace(running, verifications=two), "2 cards are read")

"""Commands: their questions and results, with a real engine and the local cloud behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.photos import jpeg, write_flight, write_photo
from tests.tui.conftest import showing
from tests.tui.uploads import flight, paused, queued, truncated
from tests.tui.values import upload_status
from tests.until import until
from tui_uploader.model.projects import NewProject, ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import AddRequest, Counts
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui.engine.commands import left_out
from tui_uploader.tui.engine.undo import addition

FILES = "2 files from this machine are not uploaded yet and would be left out."
FOLDERS = "Not all folders are scanned yet: images found later would be left out."


@pytest.mark.parametrize(
    ("state", "counts", "said"),
    [
        (UploadState.COMPLETE, Counts(uploaded=6), []),
        (UploadState.ACTIVE, Counts(uploaded=6, waiting=1, failed=1), [FILES]),
        (UploadState.PREPARING, Counts(uploaded=6), [FOLDERS]),
        (UploadState.PREPARING, Counts(uploaded=6, uploading=2), [FILES, FOLDERS]),
    ],
)
def test_a_question_names_the_images_that_processing_leaves_out(
    state: UploadState, counts: Counts, said: list[str]
) -> None:
    assert left_out([upload_status(), upload_status(2, state=state, counts=counts)]) == said


async def test_failed_files_are_retried_removed_and_restored(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path, 6)
    broken = truncated(card / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card)
        await screen.shows("1 file failed; r retries")
        await screen.press("f")
        await screen.shows("✗ only failed", "1 of 7", "✗ broken.JPG", "cut off")
        await screen.press("x")
        await screen.shows("1 file removed from the queue; U to undo.")
        await screen.shows("None of the 6 files matches: ✗ only failed")
        await screen.upload_is(lambda upload: upload.counts.failed == 0)
        await screen.shows("Submitted for processing")
        await screen.press("escape", "U")
        await screen.shows("1 file put back")
        await screen.upload_is(lambda upload: upload.counts.failed == 1)
        write_photo(broken)
        await screen.press("r")
        await screen.upload_is(lambda upload: upload.counts.uploaded == 7)
        await screen.press("escape")
        await screen.shows("✓ broken.JPG")


async def test_cancel_asks_with_the_numbers_and_accepts_no(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await paused(directories, flight(tmp_path, 12))
        await screen.upload_is(lambda upload: upload.counts.waiting >= 12)
        await screen.shows("paused", "∙ DJI_0012.JPG")
        await screen.press("c")
        await screen.shows("Cancel the upload to Quarry?", "will not be uploaded", "p resumes it later")
        await screen.press("enter")
        await screen.hides("Cancel the upload")
        await screen.upload_is(lambda upload: upload.state == "paused")
        await screen.press("c", "y")
        await screen.upload_is(lambda upload: upload.state == "cancelled")
        await screen.press("p")
        await screen.upload_is(lambda upload: upload.state == "complete")


async def test_many_files_are_removed_only_after_a_question(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await paused(directories, flight(tmp_path, 12))
        await screen.press("f", "f", "f", "f")
        await screen.shows("∙ only waiting", "DJI_0012.JPG")
        files = screen.app.screen.query_one("#files-table")
        await until(lambda: getattr(files, "current", None) is not None)
        await screen.press("g", *["space"] * 11)
        await screen.shows("11 selected")
        await screen.press("x")
        await screen.shows("Remove 11 files from the queue of Quarry?")
        await screen.press("n", "x", "y")
        await screen.shows("11 files removed from the queue; U to undo.")
        await screen.hides("11 selected")
        await screen.press("U")
        await screen.shows("11 files put back")


async def test_processing_an_incomplete_set_asks_first(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = flight(tmp_path, 6)
    truncated(card / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda upload: upload.settled and upload.counts.failed == 1)
        await screen.press("a")
        await screen.shows("will start automatically after the upload")
        await screen.press("P")
        await screen.shows("Start processing Quarry with 6 images?", "1 file from this machine")
        await screen.press("y")
        await screen.shows("Submitted for processing")
        await screen.press("o")
        await screen.shows("Web address (copied if your terminal allows): http")


@pytest.mark.parametrize("field", [(0.0, 0.0)], indirect=True)
async def test_a_project_that_was_processed_is_processed_again_only_after_a_question(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories, size=(120, 34)) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, flight(tmp_path, 6))
        await screen.upload_is(lambda upload: upload.processing.state is ProcessingState.DONE)
        await screen.press("escape", "P")
        await screen.shows("Quarry was processed today at", "with 6 images. Process again? This may use credits.")
        await screen.press("enter")
        await screen.hides("Process again?")
        await screen.upload_is(lambda upload: upload.processing.state is ProcessingState.DONE)
        await screen.press("P", "y")
        await screen.shows("Processing requested for Quarry")


@pytest.mark.parametrize("field", [(0.0, 60.0)], indirect=True)
async def test_an_addition_a_dismissal_and_a_start_are_undone(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories, size=(120, 34)) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, flight(tmp_path, 6))
        await screen.upload_is(lambda upload: upload.process_at is not None)
        await screen.press("3", "U")
        await screen.shows("Processing of Quarry does not start automatically. P starts it.")
        await screen.upload_is(lambda upload: upload.process_at is None and not upload.auto_process)
        await screen.press("d")
        await screen.shows("Upload to Quarry removed from the list; the project stays. U to undo.")
        await screen.press("U")
        await screen.tells("Upload to Quarry is on the list again.")
        await screen.upload_is(lambda upload: not upload.dismissed)
        async with EngineClient.connect(directories, spawn=False) as engine:
            request = AddRequest((str(flight(tmp_path / "more", 3)),), NewProject("Depot"), auto_process=False)
            added = await engine.add(request)
        assert added.addition is not None
        screen.app._commands.note(addition(added.addition, "3 files of more", "Depot"))
        await screen.press("U")
        await screen.shows("of the queue of Depot")


async def test_processing_changed_files_asks_first(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photo, *_ = write_flight(card, 6)
    async with showing(directories, size=(120, 34)) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card, auto_process=False)
        await screen.upload_is(lambda upload: upload.settled)
        photo.write_bytes(jpeg(5_000))
        await screen.press("P")
        await screen.shows("Start processing Quarry with 6 images?")
        await screen.press("y")
        await screen.shows("Start processing Quarry anyway?", "1 uploaded file of Quarry changed")
        await screen.press("y")
        await screen.shows("Submitted for processing")


async def test_processing_too_few_images_is_refused_and_after_a_cancel_asks_first(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    few, enough = flight(tmp_path / "few", 3), flight(tmp_path / "enough", 6)
    truncated(few / "broken.JPG")
    truncated(enough / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, few, auto_process=False)
        await screen.upload_is(lambda upload: upload.settled and upload.counts.uploaded == 3)
        await screen.press("P")
        await screen.shows("processing needs at least 6")
        await queued(directories, enough, auto_process=False)
        await screen.upload_is(lambda upload: upload.settled and upload.counts.uploaded == 9)
        await screen.press("c")
        await screen.shows("Cancel the upload to Quarry?")
        await screen.press("y")
        await screen.upload_is(lambda upload: upload.state == "cancelled")
        await screen.press("P")
        await screen.shows("Start processing Quarry with")
        await screen.press("n")
        await screen.hides("Start processing Quarry with")


async def test_pause_dismiss_and_log(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, flight(tmp_path, 3))
        await screen.upload_is(lambda upload: upload.state == "complete")
        await screen.press("p")
        await screen.shows("is complete: there is nothing to pause")
        await screen.press("L")
        await screen.shows("Quarry is complete: 3 files")
        await screen.press("escape", "3", "d")
        await screen.shows("Upload to Quarry removed from the list", "No uploads; u starts one.", "DJI_0003.JPG")
        await screen.press("c")
        await screen.shows("No upload here")

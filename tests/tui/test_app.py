"""A person at the app, the real engine behind it, and the real local cloud behind that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.photos import jpeg, of_yesterday, write_flight, write_photo
from tests.tui.conftest import Screen, showing
from tests.until import until
from tui_uploader.model import AddRequest, NewProject, ProcessingState, UploadStatus
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui.messages import HastyKey, UnbracketedPaste
from tui_uploader.tui.screens.submitted import SubmittedScreen


def flight(tmp_path: Path, photos: int = 8) -> Path:
    card = tmp_path / "card"
    write_flight(card, photos)
    return card


def cut_off(path: Path) -> Path:
    write_photo(path, 9_000)
    path.write_bytes(path.read_bytes()[:5_000])
    return of_yesterday(path)


async def queued(directories: Directories, *paths: Path, name: str = "Quarry", auto_process: bool = True) -> int:
    """An upload that another front end began; paused when nothing was sent yet."""
    async with EngineClient.connect(directories, spawn=False) as engine:
        request = AddRequest(tuple(str(path) for path in paths), NewProject(name), auto_process=auto_process)
        return (await engine.add(request)).upload


async def paused(directories: Directories, *paths: Path) -> int:
    """An upload whose files all wait: it is paused before it gets the first one."""
    empty = write_photo(paths[0].parent / "first" / "first.JPG")
    upload = await queued(directories, empty)
    async with EngineClient.connect(directories, spawn=False) as engine:
        await engine.pause(upload)
        await engine.add(AddRequest(tuple(str(path) for path in paths), NewProject("Quarry")))
    return upload


async def when(screen: Screen, condition: Callable[[UploadStatus], object]) -> None:
    """Return when the upload that the screen shows fulfils `condition`."""

    def holds() -> object:
        upload = screen.app.main.subject().upload
        return upload is not None and condition(upload)

    try:
        await until(holds)
    except TimeoutError:
        raise AssertionError(f"never came; the screen:\n{screen.text}") from None


async def test_dropped_files_are_uploaded_and_processing_starts(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path)
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await screen.shows("No uploads yet.", "u uploads files")
        screen.drop(card)
        await screen.shows("Upload files", "card")
        await screen.press("enter")
        await screen.shows("Type a name for the new project.")
        await screen.press(*"Quarry", "enter")
        await screen.shows("Quarry", "DJI_0008.JPG", "✓ DJI_0001.JPG", "Submitted for processing", "Estimated")
        assert isinstance(screen.app.screen, SubmittedScreen)
        await screen.press("enter")
        await screen.hides("Submitted for processing")
        await screen.shows("✓8", "100 %", "complete", "link up")
    assert len([path for path in (field / "objects").rglob("*.JPG") if path.is_file()]) == 8


async def test_failed_files_are_tried_again_removed_and_put_back(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path, 6)
    broken = cut_off(card / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card)
        await screen.shows("1 file failed; r retries")
        await screen.press("f")
        await screen.shows("↻ only failed", "1 of 7", "↻ broken.JPG", "cut off")
        await screen.press("x")
        await screen.shows("1 file removed; U to undo.")
        await screen.shows("No file matches")
        await when(screen, lambda upload: upload.counts.failed == 0)
        await screen.shows("Submitted for processing")
        await screen.press("escape", "U")
        await screen.shows("1 file put back")
        await when(screen, lambda upload: upload.counts.failed == 1)
        write_photo(broken)
        await screen.press("r")
        await screen.shows("Retrying 1 file.")
        await when(screen, lambda upload: upload.counts.uploaded == 7)
        await screen.press("escape")
        await screen.shows("✓ broken.JPG")


async def test_cancel_asks_with_the_numbers_and_takes_no_for_an_answer(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await paused(directories, flight(tmp_path, 12))
        await when(screen, lambda upload: upload.counts.waiting >= 12)
        await screen.shows("paused", "∙ DJI_0012.JPG")
        await screen.press("c")
        await screen.shows("Cancel the upload to Quarry?", "will not be uploaded", "p resumes it later")
        await screen.press("enter")
        await screen.hides("Cancel the upload")
        await when(screen, lambda upload: upload.state == "paused")
        await screen.press("c", "y")
        await when(screen, lambda upload: upload.state == "cancelled")
        await screen.press("p")
        await when(screen, lambda upload: upload.state == "complete")


async def test_a_selection_of_many_is_removed_after_a_question_only(
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
        await screen.shows("11 files removed; U to undo.")
        await screen.hides("11 selected")
        await screen.press("U")
        await screen.shows("11 files put back")


async def test_processing_of_a_part_is_asked_for(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = flight(tmp_path, 6)
    cut_off(card / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card, auto_process=False)
        await when(screen, lambda upload: upload.settled and upload.counts.failed == 1)
        await screen.press("a")
        await screen.shows("will start automatically after the upload")
        await screen.press("s")
        await screen.shows("Start processing Quarry with 6 images?", "1 file from this machine")
        await screen.press("y")
        await screen.shows("Submitted for processing")
        await screen.press("enter", "o")
        await screen.shows("Web address (copied if your terminal allows): http")


async def test_processing_of_files_that_changed_since_is_asked_for(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    photo, *_ = write_flight(card, 6)
    async with showing(directories, size=(120, 34)) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card, auto_process=False)
        await when(screen, lambda upload: upload.settled)
        photo.write_bytes(jpeg(5_000))
        await screen.press("s")
        await screen.shows("Start processing Quarry with 6 images?")
        await screen.press("y")
        await screen.shows("Start processing Quarry anyway?", "1 uploaded file of Quarry changed")
        await screen.press("y")
        await screen.shows("Submitted for processing")


async def test_a_cancelled_part_is_asked_for_too_and_too_few_images_are_told(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    few, enough = flight(tmp_path / "few", 3), flight(tmp_path / "enough", 6)
    cut_off(few / "broken.JPG")
    cut_off(enough / "broken.JPG")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, few, auto_process=False)
        await when(screen, lambda upload: upload.settled and upload.counts.uploaded == 3)
        await screen.press("s")
        await screen.shows("processing needs at least 6")
        await queued(directories, enough, auto_process=False)
        await when(screen, lambda upload: upload.settled and upload.counts.uploaded == 9)
        await screen.press("c")
        await screen.shows("Cancel the upload to Quarry?")
        await screen.press("y")
        await when(screen, lambda upload: upload.state == "cancelled")
        await screen.press("s")
        await screen.shows("Start processing Quarry with")
        await screen.press("n")
        await screen.hides("Start processing Quarry with")


async def test_pause_dismiss_and_the_log(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, flight(tmp_path, 3))
        await when(screen, lambda upload: upload.state == "complete")
        await screen.press("p")
        await screen.shows("it cannot pause now")
        await screen.press("l")
        await screen.shows("Engine log: ")
        await screen.press("escape", "3", "d")
        await screen.shows("Upload to Quarry removed from the list", "No uploads; u starts one.", "DJI_0003.JPG")
        await screen.press("c")
        await screen.shows("No upload here")


async def test_whoever_leaves_is_told_that_the_work_goes_on(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        upload = await paused(directories, flight(tmp_path, 3))
        await screen.shows("DJI_0003.JPG")
        await screen.press("q")
    assert "go on in the background" in screen.app.parting_words
    async with EngineClient.connect(directories, spawn=False) as engine:
        assert (await engine.upload(upload)).counts.total == 4


async def test_details_tell_everything_of_a_file(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = flight(tmp_path, 1)
    (card / "copy.JPG").write_bytes((card / "DJI_0001.JPG").read_bytes())
    (card / "notes.txt").write_text("no image")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card)
        await screen.shows("⚠", "same content as")
        await screen.press("f", "f", "enter")
        await screen.shows("Status       duplicate", "Same as", "Next step", str(card)[:20])
        await screen.press("escape")
        await screen.app.run_action("dialog('show_skipped')")
        await screen.shows("1 path skipped", "notes.txt")


async def test_all_that_a_filter_shows_is_selected_at_once(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await paused(directories, flight(tmp_path, 12))
        await screen.press("slash", *"dji", "space", *":wait")
        await screen.shows("12 of 13", "only waiting", "DJI_0012.JPG")
        await screen.press("enter", "A")
        await screen.shows("12 selected")
        await screen.press("escape")
        await screen.shows("2 Files  Quarry  13", "12 selected")
        await screen.press("i")
        await screen.shows("1 selected")
        await screen.press("i", "x")
        await screen.shows("Remove 12 files from the queue of Quarry?", "stay in the upload")
        await screen.press("y")
        await screen.shows("12 files removed; U to undo.")
        await when(screen, lambda upload: upload.counts.total == 1)
        await screen.press("U")
        await screen.shows("12 files put back", "2 Files  Quarry  13")
        await screen.press("A")
        await screen.shows("13 selected")
        await screen.press("escape")
        await screen.hides("selected")


async def test_a_text_that_came_like_keys_runs_nothing_and_a_path_opens_the_dialog(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path, 3)
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        screen.app.post_message(UnbracketedPaste("mail: cancel y\r"))
        await screen.shows("Pasted text ignored, nothing was done: mail: cancel y")
        screen.app.post_message(UnbracketedPaste(f"{card}\r"))
        await screen.shows("Upload files", "Enter uploads 3 images.")


async def test_a_question_takes_no_answer_from_a_burst(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, flight(tmp_path, 6), auto_process=False)
        await when(screen, lambda upload: upload.settled and upload.counts.uploaded == 6)
        await screen.press("s")
        await screen.shows("Start processing Quarry with 6 images?", "may cost credits")
        for key, character in (("y", "y"), ("tab", None), ("enter", "\r")):
            screen.app.post_message(HastyKey(key, character))
        await screen.pilot.pause()
        assert "Start processing Quarry" in screen.text
        await screen.press("enter")
        await screen.hides("Start processing Quarry")
        upload = screen.app.main.subject().upload
        assert upload is not None and upload.processing.state is ProcessingState.NOT_STARTED

"""Whether a command applies, and the sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.tui.values import file_item, project, upload_status
from tui_uploader.model.files import FileItem
from tui_uploader.model.projects import Processing, ProcessingState, ProjectKind
from tui_uploader.model.results import ProjectResult, ResultType
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope

NOTHING = CommandScope()
FIELD = project("Field", images=12)


def of(*uploads: UploadStatus, **fields: object) -> CommandScope:
    """A scope on the project `Field` with these uploads."""
    return replace(CommandScope(project=FIELD, uploads=uploads, of_project=uploads), **fields)


def upload(
    state: UploadState = UploadState.ACTIVE,
    *,
    waiting: int = 0,
    failed: int = 0,
    uploaded: int = 0,
    duplicate: int = 0,
    moving: int = 0,
    processing: ProcessingState = ProcessingState.NOT_STARTED,
) -> UploadStatus:
    counts = Counts(uploaded, 0, waiting, duplicate, failed)
    made = upload_status(name="Field", state=state, counts=counts, processing=Processing(processing))
    return replace(made, moving=moving)


def on(item: FileItem, *, selected: tuple[int, ...] = ()) -> CommandScope:
    """A scope on a file, or on selected ones."""
    return CommandScope(item=item, files=selected or (item.id,), selected=bool(selected))


WORKING = upload(waiting=3, moving=1)
STUCK = upload(waiting=3)
PAUSED = upload(UploadState.PAUSED, waiting=3)
COMPLETE = upload(UploadState.COMPLETE, uploaded=9)
CANCELLED = upload(UploadState.CANCELLED, waiting=3)
ONLY_FAILED = upload(failed=2, uploaded=9)
WAITS, SENT, FAILED, DUPLICATE = (
    file_item(name="a.JPG", status=status)
    for status in (FileStatus.WAITING, FileStatus.UPLOADED, FileStatus.FAILED, FileStatus.DUPLICATE)
)
RESULTS = project("Field", kind=ProjectKind.RESULTS)
FEW = project("Field", images=5)
WITH_RESULTS = replace(RESULTS, results=(ProjectResult(ResultType.MESH, "a.obj"),))
FOLDED = CommandScope(folded=4_000)


@pytest.mark.parametrize(
    ("command", "scope", "said"),
    [
        (refusals.process, NOTHING, "No project here"),
        (refusals.process, of(project=RESULTS), "Field has results, which are not processed"),
        (refusals.process, of(project=project("Field", id=None)), "Field is not created in the cloud yet"),
        (refusals.process, of(upload(processing=ProcessingState.SUBMITTED)), "Field is being processed already"),
        (refusals.process, of(upload(processing=ProcessingState.PROCESSING)), "Field is being processed already"),
        (refusals.process, of(upload(processing=ProcessingState.DONE)), ""),
        (refusals.process, of(project=replace(FEW, images_in_cloud=5)), "Field has 5 images: processing needs"),
        (refusals.process, of(project=replace(FEW, images_in_cloud=6)), ""),
        (refusals.process, of(project=FEW), ""),  # other machines may have sent more: the engine asks the cloud
        (refusals.pause, NOTHING, "No upload here"),
        (refusals.pause, of(WORKING), ""),
        (refusals.pause, of(PAUSED), ""),
        (refusals.pause, of(CANCELLED), ""),
        (refusals.pause, of(ONLY_FAILED), "Only failed files are left in Field"),
        (refusals.pause, of(COMPLETE), "The upload to Field is complete"),
        (refusals.pause, of(COMPLETE, WORKING), ""),
        (refusals.cancel, NOTHING, "No upload here"),
        (refusals.cancel, of(WORKING), ""),
        (refusals.cancel, of(ONLY_FAILED), ""),
        (refusals.cancel, of(CANCELLED), "Nothing to cancel"),
        (refusals.cancel, of(COMPLETE), "Nothing to cancel"),
        (refusals.dismiss, NOTHING, "No upload here"),
        (refusals.dismiss, of(WORKING), "The upload to Field is not finished"),
        (refusals.dismiss, of(PAUSED), "The upload to Field is not finished"),
        (refusals.dismiss, of(COMPLETE), ""),
        (refusals.dismiss, of(CANCELLED), ""),
        (refusals.dismiss, of(WORKING, COMPLETE), ""),
        (refusals.toggle_auto_process, NOTHING, "No upload here"),
        (refusals.toggle_auto_process, of(WORKING), ""),
        (refusals.toggle_auto_process, of(WORKING, project=RESULTS), "Field has results"),
        (refusals.retry_all, NOTHING, "No upload here"),
        (refusals.retry_all, replace(NOTHING, offline=True), ""),
        (refusals.retry_all, of(ONLY_FAILED), ""),
        (refusals.retry_all, of(STUCK), ""),
        (refusals.retry_all, of(WORKING), "No file of Field has failed, and none waits"),
        (refusals.retry_all, of(COMPLETE), "No file of Field has failed"),
        (refusals.retry_selected, NOTHING, "No file under the cursor"),
        (refusals.retry_selected, FOLDED, "This line stands for 4,000 files"),
        (refusals.retry_selected, on(FAILED), ""),
        (refusals.retry_selected, on(SENT), "Only failed files can be retried; a.JPG is uploaded"),
        (refusals.retry_selected, on(SENT, selected=(1, 2)), ""),
        (refusals.remove_selected, NOTHING, "No file under the cursor"),
        (refusals.remove_selected, FOLDED, "This line stands for 4,000 files"),
        (refusals.remove_selected, on(WAITS), ""),
        (refusals.remove_selected, on(DUPLICATE), ""),
        (refusals.remove_selected, on(SENT), "a.JPG is uploaded and stays in the project"),
        (refusals.remove_selected, on(SENT, selected=(1, 2)), ""),
        (refusals.some_file, on(SENT), ""),
        (refusals.some_file, FOLDED, "This line stands for 4,000 files"),
        (refusals.some_files, NOTHING, "No file under the cursor"),
        (refusals.some_files, on(SENT, selected=(1, 2)), ""),
        (refusals.some_row, FOLDED, ""),
        (refusals.some_row, NOTHING, "No file under the cursor"),
        (refusals.undo, NOTHING, "Nothing to undo"),
        (refusals.undo, CommandScope(undoable="the removal of 3 files"), ""),
        (refusals.copy_address, NOTHING, "No project here"),
        (refusals.copy_address, of(), "Field has no web address yet"),
        (refusals.copy_address, of(project=replace(FIELD, web_address="https://cloud.example/1")), ""),
        (refusals.show_map, NOTHING, "Nothing to map"),
        (refusals.show_map, CommandScope(files_of=1), ""),
        (refusals.show_map, CommandScope(files_of=1, project=RESULTS), "Field has results: the map is for images"),
        (refusals.show_results, NOTHING, "No project here"),
        (refusals.show_results, of(), "No processed results are known of Field"),
        (refusals.show_results, of(project=WITH_RESULTS), ""),
        (refusals.some_image, NOTHING, "No file under the cursor"),
        (refusals.some_image, on(SENT), ""),
        (refusals.some_image, on(file_item(name="a.las")), "a.las is a point cloud (LAS)"),
        (refusals.show_skipped, NOTHING, "No upload here"),
        (refusals.show_skipped, of(COMPLETE), ""),
        (refusals.start_engine, NOTHING, "The engine is running"),
        (refusals.start_engine, CommandScope(engine_runs=False), ""),
        (refusals.open_files, NOTHING, "No project here"),
        (refusals.open_files, of(), ""),
        (refusals.none, NOTHING, ""),
    ],
)
def test_a_command_applies_or_says_why_not(
    command: Callable[[CommandScope], str], scope: CommandScope, said: str
) -> None:
    answer = command(scope)
    assert answer.startswith(said) if said else not answer
    assert not answer or answer.endswith(".")


@pytest.mark.parametrize("status", [FileStatus.DUPLICATE, FileStatus.FAILED])
def test_all_files_of_a_status_are_removed_only_where_there_are_some(status: FileStatus) -> None:
    some = upload(duplicate=1, failed=1, waiting=3)
    assert refusals.remove_every(status, NOTHING).startswith("No upload here")
    assert refusals.remove_every(status, of(COMPLETE)) == f"Field has no {status} files."
    assert not refusals.remove_every(status, of(COMPLETE, some))


def test_one_upload_that_runs_makes_the_key_pause_all() -> None:
    assert refusals.pauses(of(PAUSED, WORKING))
    assert not refusals.pauses(of(PAUSED))
    assert not refusals.pauses(of(ONLY_FAILED))


def test_names_in_refusals_are_safe_for_a_terminal() -> None:
    hostile = replace(FIELD, name="\x1b[31m\u202eFi\neld")
    for said in (refusals.copy_address(of(project=hostile)), refusals.process(of(project=replace(hostile, id=None)))):
        assert said and not any(ord(character) < 32 or character == "\u202e" for character in said)

"""Why a command cannot be given to what is under the cursor: one sentence each; empty where it can. Pure."""

from __future__ import annotations

from tui_uploader.model.projects import MIN_IMAGES, ProjectKind
from tui_uploader.model.states import FileStatus
from tui_uploader.text import counted
from tui_uploader.tui.subject.scope import (
    RUNNING,
    STOPPED,
    CommandScope,
    images_in,
    is_cancellable,
)
from tui_uploader.wording.files import not_an_image

READ_ONLY = "This screen is read-only: it was started with --read-only, looks on and changes nothing."
_NO_UPLOAD = "No upload here; u starts one."
_FINAL = (FileStatus.UPLOADED, FileStatus.UPLOADING)


def none(scope: CommandScope) -> str:
    """For what can be done at any time."""
    del scope
    return ""


def process(scope: CommandScope) -> str:
    project = scope.project
    if project is None:
        return "No project here; P processes the project under the cursor."
    if project.kind is not ProjectKind.IMAGES:
        return f"{scope.name} has results, which are not processed."
    if project.id is None:
        return f"{scope.name} is not created in the cloud yet: the link is down or you are not signed in."
    if scope.processing.state.running:
        return f"{scope.name} is being processed already."
    images = images_in(project, scope.of_project)
    if project.images_in_cloud is not None and images < MIN_IMAGES:
        return f"{scope.name} has {counted(images, 'image')}: processing needs at least {MIN_IMAGES}; u adds more."
    return ""


def pause(scope: CommandScope) -> str:
    if not scope.uploads:
        return _NO_UPLOAD
    if any(upload.state in STOPPED or (upload.state in RUNNING and not upload.settled) for upload in scope.uploads):
        return ""
    if any(upload.state in RUNNING for upload in scope.uploads):
        return f"Only failed files are left in {scope.name}: r retries, x removes, c cancels."
    return f"The upload to {scope.name} is complete: there is nothing to pause."


def cancel(scope: CommandScope) -> str:
    if not scope.uploads:
        return _NO_UPLOAD
    if any(is_cancellable(upload) for upload in scope.uploads):
        return ""
    return f"Nothing to cancel: the upload to {scope.name} has no files left to send."


def dismiss(scope: CommandScope) -> str:
    if not scope.uploads:
        return "No upload here: there is nothing to remove from the list."
    if any(upload.settled for upload in scope.uploads):
        return ""
    return f"The upload to {scope.name} is not finished: p pauses, c cancels it."


def toggle_auto_process(scope: CommandScope) -> str:
    if not scope.uploads:
        return _NO_UPLOAD
    if scope.project is not None and scope.project.kind is not ProjectKind.IMAGES:
        return f"{scope.name} has results, which are not processed."
    return ""


def retry_all(scope: CommandScope) -> str:
    if scope.offline or any(upload.counts.failed for upload in scope.uploads):
        return ""
    if any(upload.counts.waiting and not upload.moving and not upload.settled for upload in scope.uploads):
        return ""
    if not scope.uploads:
        return "No upload here: there is nothing to retry."
    return f"No file of {scope.name} has failed, and none waits for another try."


def retry_selected(scope: CommandScope) -> str:
    if not scope.files:
        return _no_file(scope)
    if not scope.selected and scope.item is not None and scope.item.status is not FileStatus.FAILED:
        return f"Only failed files can be retried; {scope.files_name} is {scope.item.status}."
    return ""


def remove_selected(scope: CommandScope) -> str:
    if not scope.files:
        return _no_file(scope)
    if not scope.selected and scope.item is not None and scope.item.status in _FINAL:
        rest = "stays in the project" if scope.item.status is FileStatus.UPLOADED else "cannot be removed now"
        return f"{scope.files_name} is {scope.item.status} and {rest}."
    return ""


def some_file(scope: CommandScope) -> str:
    return "" if scope.item is not None else _no_file(scope)


def some_image(scope: CommandScope) -> str:
    if scope.item is None:
        return _no_file(scope)
    why = not_an_image(scope.item.name)
    return f"{scope.files_name} {why}" if why and not scope.selected else ""


def show_results(scope: CommandScope) -> str:
    if scope.project is None:
        return "No project here."
    return "" if scope.project.results else f"No processed results are known of {scope.name}."


def some_files(scope: CommandScope) -> str:
    return "" if scope.files else _no_file(scope)


def some_row(scope: CommandScope) -> str:
    """For what a folded line has too."""
    return "" if scope.folded else some_file(scope)


def _no_file(scope: CommandScope) -> str:
    if scope.folded:
        return f"This line stands for {scope.folded:,} files: Enter shows them, Space selects them all."
    return "No file under the cursor."


def undo(scope: CommandScope) -> str:
    return "" if scope.undoable else "Nothing to undo."


def copy_address(scope: CommandScope) -> str:
    if scope.project is None:
        return "No project here."
    return "" if scope.project.web_address else f"{scope.name} has no web address yet."


def show_map(scope: CommandScope) -> str:
    if scope.project is not None and scope.project.kind is ProjectKind.RESULTS:
        return f"{scope.name} has results: the map is for images."
    return "" if scope.files_of is not None else "Nothing to map: this project has no upload from this machine."


def show_skipped(scope: CommandScope) -> str:
    return "" if scope.upload is not None else "No upload here: no paths were skipped."


def start_engine(scope: CommandScope) -> str:
    return "The engine is running." if scope.engine_runs else ""


def open_files(scope: CommandScope) -> str:
    return "" if scope.project is not None or scope.uploads else "No project here; C creates one."


def remove_every(status: FileStatus, scope: CommandScope) -> str:
    if not scope.uploads:
        return _NO_UPLOAD
    if any(getattr(upload.counts, status) for upload in scope.uploads):
        return ""
    return f"{scope.name} has no {status} files."


def pauses(scope: CommandScope) -> bool:
    """Whether `p` pauses now; else it resumes."""
    return any(upload.state in RUNNING and not upload.settled for upload in scope.uploads)

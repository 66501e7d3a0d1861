"""The commands on uploads and projects: ask the user where that is needed, call the engine, report the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from textual.app import App

from tui_uploader.errors import SourceChanged
from tui_uploader.model.files import FileQuery, FileSelection, IdRun, runs_of
from tui_uploader.model.projects import MIN_IMAGES, Project, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted, printable
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.messages import Noticed, Severity
from tui_uploader.wording.commands import cancel_stakes, removed, retried, unfinished

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_WITHOUT_QUESTION = 10
"""Up to this many files are removed without a question: a removal can be undone."""
_LONGEST_NAME = 60


class CommandScope(msgspec.Struct, frozen=True):
    """The upload, project and files that a command applies to: those under the cursor."""

    upload: UploadStatus | None = None
    project: Project | None = None
    uploads: tuple[UploadStatus, ...] = ()
    """All uploads of the project in the engine's status."""
    files: tuple[int, ...] = ()
    """Of the upload: the selected files, or the one under the cursor."""
    forget_selection: Callable[[], None] = lambda: None


class Confirm(Protocol):
    """Asks the user a question, with what is at stake in sentences; calls `yes` if the answer is yes."""

    def __call__(self, question: str, stakes: Sequence[str], yes: Callable[[], None]) -> None: ...


class Commands:
    """The methods whose names are in `keys.py`; each takes the current scope."""

    def __init__(self, app: App[Any], session: EngineSession, confirm: Confirm, copy: Callable[[str], None]) -> None:
        self._app = app
        self._session = session
        self._confirm = confirm
        self._copy = copy
        self._removed: tuple[int, FileSelection] | None = None
        """Upload and files of the last removal."""

    # ---------------------------------------------------------------------------------------------- the upload

    def pause_or_resume(self, scope: CommandScope) -> None:
        upload = self._upload(scope)
        if upload is None:
            return
        number, name = upload.upload, _name(upload.project_name)
        if upload.state in (UploadState.PAUSED, UploadState.CANCELLED):
            self._do("resume", lambda engine: engine.resume(number), f"{name} resumed.")
        else:
            self._do("pause", lambda engine: engine.pause(number), f"{name} paused; p resumes.")

    def cancel(self, scope: CommandScope) -> None:
        upload = self._upload(scope)
        if upload is None:
            return
        if upload.state is UploadState.CANCELLED or not unfinished(upload):
            self._say(f"Nothing to cancel: the upload to {_name(upload.project_name)} has no files left to send.")
            return
        question = f"Cancel the upload to {_name(upload.project_name)}?"
        uploaded = upload.counts.uploaded
        kept = f"{counted(uploaded, 'file')} uploaded before {'stays' if uploaded == 1 else 'stay'} in the project. "
        stakes = (
            cancel_stakes(upload),
            f"{kept if uploaded else ''}p resumes it later.",
        )
        self._confirm(
            question, stakes, lambda: self._do("cancel", lambda engine: engine.cancel(upload.upload), "Cancelled.")
        )

    def dismiss(self, scope: CommandScope) -> None:
        upload = self._upload(scope)
        if upload is not None:
            name = _name(upload.project_name)
            self._do(
                "dismiss",
                lambda engine: engine.dismiss(upload.upload),
                f"Upload to {name} removed from the list; the project stays.",
            )

    def toggle_auto_process(self, scope: CommandScope) -> None:
        upload = self._upload(scope)
        if upload is None:
            return
        on = not upload.auto_process
        then = "will start automatically after the upload" if on else "will start only with s"
        self._do(
            "automatic processing",
            lambda engine: engine.set_auto_process(upload.upload, on),
            f"Processing of {_name(upload.project_name)} {then}.",
        )

    # -------------------------------------------------------------------------------------------------- files

    def retry_all(self, scope: CommandScope) -> None:
        """Retry all failed files of the upload, and reconnect at once if the link is down."""
        upload = scope.upload

        async def retry(engine: EngineClient) -> int:
            await engine.try_now()
            return await engine.retry(upload.upload, FileSelection(statuses=(FileStatus.FAILED,))) if upload else 0

        self._session.call(
            "retry all",
            retry,
            lambda files: self._say(retried(files) if files else f"{retried(0)} Waiting files are tried now."),
        )

    def retry_selected(self, scope: CommandScope) -> None:
        upload, files = self._upload(scope), scope.files
        if upload is None or not self._some(files):
            return

        def report(count: int) -> None:
            scope.forget_selection()
            self._say(retried(count) if count else "None of these files has failed; only failed files can be retried.")

        self._session.call("retry", lambda engine: engine.retry(upload.upload, _selection(files)), report)

    def remove_selected(self, scope: CommandScope) -> None:
        upload, files = self._upload(scope), scope.files
        if upload is None or not self._some(files):
            return
        if len(files) <= _WITHOUT_QUESTION:
            self._remove(upload.upload, files, scope.forget_selection)
            return
        question = f"Remove {counted(len(files), 'file')} from the queue of {_name(upload.project_name)}?"
        stakes = (
            "They stay on this machine and are not uploaded. U undoes this.",
            "Files already uploaded or being sent stay in the upload.",
        )
        self._confirm(question, stakes, lambda: self._remove(upload.upload, files, scope.forget_selection))

    def remove_duplicates(self, scope: CommandScope) -> None:
        self._remove_every(scope, FileStatus.DUPLICATE)

    def remove_failed(self, scope: CommandScope) -> None:
        self._remove_every(scope, FileStatus.FAILED)

    def undo_removal(self, scope: CommandScope) -> None:
        del scope  # it is about the last removal, wherever the user looks now
        if self._removed is None:
            self._say("Nothing to undo: no files were removed.")
            return
        upload, selection = self._removed

        def report(count: int) -> None:
            self._removed = None
            self._say(f"{counted(count, 'file')} put back into the queue.")

        self._session.call("undo", lambda engine: engine.restore(upload, selection), report)

    def _remove(self, upload: int, files: tuple[int, ...], forget_selection: Callable[[], None]) -> None:
        selection = _selection(files)

        def report(count: int) -> None:
            if not count:
                self._say("Nothing removed: all of these files are uploaded or being sent.")
                return
            self._removed = (upload, selection)
            forget_selection()
            kept = len(files) - count
            rest = f" {counted(kept, 'file')} kept: uploaded or being sent." if kept > 0 else ""
            self._say(f"{removed(count)}; U to undo.{rest}")

        self._session.call("remove", lambda engine: engine.remove(upload, selection), report)

    def _remove_every(self, scope: CommandScope, status: FileStatus) -> None:
        upload = self._upload(scope)
        if upload is None:
            return

        def removal(runs: tuple[IdRun, ...]) -> None:
            files = tuple(chain.from_iterable(range(first, last + 1) for first, last in runs))
            chosen = CommandScope(upload=upload, files=files, forget_selection=scope.forget_selection)
            self.remove_selected(chosen) if files else self._say(f"No {status} files.")

        self._session.call(
            f"find {status}", lambda engine: engine.file_runs(upload.upload, FileQuery(status=status)), removal
        )

    # --------------------------------------------------------------------------------------------- the project

    def start_processing(self, scope: CommandScope) -> None:
        project = scope.project
        if project is None or project.kind is not ProjectKind.IMAGES:
            self._say("Nothing to process: select a project with images.")
            return
        identity = project.id
        if identity is None:
            self._say(f"{_name(project.name)} is not created yet: link down or not signed in.", "warning")
            return
        uploaded = max(project.images, sum(upload.counts.uploaded for upload in scope.uploads))
        if uploaded < MIN_IMAGES:  # the engine says what is missing
            self._start(identity, project.name, partial=False)
            return
        question = f"Start processing {_name(project.name)} with {counted(uploaded, 'image')}?"
        missing = left_out(scope.uploads)
        stakes = [*missing, "Processing cannot be undone and may cost credits of your account."]
        self._confirm(question, stakes, lambda: self._start(identity, project.name, partial=bool(missing)))

    def copy_address(self, scope: CommandScope) -> None:
        address = scope.project.web_address if scope.project else None
        if address is None:
            self._say("This project has no web address yet.")
            return
        self._copy(address)
        self._say(f"Web address (copied if your terminal allows): {address}", seconds=15.0)

    def _start(self, project: str, name: str, *, partial: bool) -> None:
        async def start(engine: EngineClient) -> SourceChanged | None:
            try:
                await engine.start_processing(project, partial=partial)
            except SourceChanged as changed:
                return changed
            return None

        def report(changed: SourceChanged | None) -> None:
            if changed is None:
                self._say(f"Processing requested for {_name(name)}.")
                return
            question = f"Start processing {_name(name)} anyway?"
            self._confirm(question, (str(changed),), lambda: self._start(project, name, partial=True))

        self._session.call("start processing", start, report)

    # ------------------------------------------------------------------------------------------------- messages

    def _upload(self, scope: CommandScope) -> UploadStatus | None:
        if scope.upload is None:
            self._say("No upload here; u starts one.")
        return scope.upload

    def _some(self, files: Sequence[int]) -> bool:
        if not files:
            self._say("No file under the cursor.")
        return bool(files)

    def _do(self, name: str, work: Callable[[EngineClient], Awaitable[object]], success: str) -> None:
        self._session.call(name, work, lambda _: self._say(success))

    def _say(self, text: str, severity: Severity = "information", seconds: float = 6.0) -> None:
        self._app.post_message(Noticed(text, severity, seconds))


def _selection(files: tuple[int, ...]) -> FileSelection:
    """One file by its id, so that the engine reports why it refuses; of many, refused ones are skipped."""
    return FileSelection(ids=files) if len(files) == 1 else FileSelection(runs=runs_of(files))


def _name(name: str) -> str:
    return printable(name, _LONGEST_NAME)


def left_out(uploads: Iterable[UploadStatus]) -> list[str]:
    """Sentences about the images that processing would leave out if it started now."""
    known = list(uploads)
    said = []
    if left := sum(unfinished(upload) for upload in known):
        are = "is" if left == 1 else "are"
        said.append(f"{counted(left, 'file')} from this machine {are} not uploaded yet and would be left out.")
    if any(upload.state is UploadState.PREPARING for upload in known):
        said.append("Not all folders are scanned yet: images found later would be left out.")
    return said

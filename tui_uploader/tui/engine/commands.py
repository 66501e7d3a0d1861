"""The commands on uploads and projects: ask the user where that is needed, call the engine, report the result."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace
from textual.app import App

from tui_uploader.errors import AlreadyProcessed, SourceChanged, UploaderError
from tui_uploader.model.files import FileQuery, FileSelection, IdRun, runs_of
from tui_uploader.model.projects import MIN_IMAGES, ProcessingState, Project
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.engine import undo
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.engine.undo import Step, Steps
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.subject.scope import RUNNING, STOPPED, CommandScope, is_cancellable, short_name
from tui_uploader.wording.commands import cancel_stakes, dismissed, removed, retried, unfinished
from tui_uploader.wording.processing import again_question, requested

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_FILES_AT_ONCE = 2000
_WITHOUT_QUESTION = 10
"""Up to this many files are removed without a question: a removal can be undone."""


class Confirm(Protocol):
    """Asks the user a question, with what is at stake in sentences; calls `yes` if the answer is yes."""

    def __call__(self, question: str, stakes: Sequence[str], yes: Callable[[], None]) -> None: ...


class Commands:
    """The methods whose names are in `keys.py`; each takes a scope to which it applies (see `subject.refusals`)."""

    def __init__(self, app: App[Any], session: EngineSession, confirm: Confirm, copy: Callable[[str], None]) -> None:
        self._app = app
        self._session = session
        self._confirm = confirm
        self._copy = copy
        self._steps = Steps()

    @property
    def undoable(self) -> str:
        """What `undo` would undo now; empty: nothing."""
        step = self._steps.next(self._session.status)
        return step.what if step is not None else ""

    def note(self, step: Step) -> None:
        """Let `undo` undo what the user did in a dialog."""
        self._steps.note(step)

    # --------------------------------------------------------------------------------------------- the uploads

    def pause_or_resume(self, scope: CommandScope) -> None:
        uploads = scope.uploads
        stopped = tuple(upload for upload in uploads if upload.state in STOPPED)
        running = tuple(upload for upload in uploads if upload.state in RUNNING)
        if running:
            self._each(
                "pause", running, lambda engine, upload: engine.pause(upload), f"{scope.name} paused; p resumes."
            )
        elif stopped:
            self._each("resume", stopped, lambda engine, upload: engine.resume(upload), f"{scope.name} resumed.")

    def cancel(self, scope: CommandScope) -> None:
        uploads = tuple(upload for upload in scope.uploads if is_cancellable(upload))
        if not uploads:
            return
        uploaded = sum(upload.counts.uploaded for upload in uploads)
        kept = f"{counted(uploaded, 'file')} uploaded before {'stays' if uploaded == 1 else 'stay'} in the project. "
        stakes = (*map(cancel_stakes, uploads), f"{kept if uploaded else ''}p resumes it later.")
        self._confirm(
            f"Cancel the upload to {scope.name}?",
            stakes,
            lambda: self._each("cancel", uploads, lambda engine, upload: engine.cancel(upload), "Cancelled."),
        )

    def dismiss(self, scope: CommandScope) -> None:
        ended = tuple(upload for upload in scope.uploads if upload.settled)
        success = f"{dismissed(ended, scope.name)} U to undo."
        step = undo.dismissal(ended, scope.name)
        self._each("dismiss", ended, lambda engine, upload: engine.dismiss(upload), success, step)

    def toggle_auto_process(self, scope: CommandScope) -> None:
        uploads = scope.uploads
        on = not all(upload.auto_process for upload in uploads)
        then = "will start automatically after the upload" if on else "will start only with P"
        self._each(
            "automatic processing",
            uploads,
            lambda engine, upload: engine.set_auto_process(upload, on),
            f"Processing of {scope.name} {then}.",
        )

    # -------------------------------------------------------------------------------------------------- files

    def retry_all(self, scope: CommandScope) -> None:
        """Retry all failed files of the uploads, and reconnect at once if the link is down."""
        uploads = tuple(upload for upload in scope.uploads if upload.counts.failed)

        async def retry(engine: EngineClient) -> int:
            await engine.try_now()
            failed = FileSelection(statuses=(FileStatus.FAILED,))
            return sum([await engine.retry(upload.upload, failed) for upload in uploads])

        self._session.call(
            "retry all",
            retry,
            lambda files: self._say(retried(files) if files else f"{retried(0)} Waiting files are tried now."),
        )

    def retry_selected(self, scope: CommandScope) -> None:
        upload = scope.files_of
        if upload is None:
            return

        def report(count: int) -> None:
            scope.files_changed()
            self._say(retried(count) if count else "None of these files has failed; only failed files can be retried.")

        self._session.call("retry", lambda engine: engine.retry(upload, _selection(scope)), report, hold_keys=True)

    def remove_selected(self, scope: CommandScope) -> None:
        files = scope.files
        if len(files) <= _WITHOUT_QUESTION:
            self._remove(scope)
            return
        question = f"Remove {counted(len(files), 'file')} from the queue of {scope.name}?"
        stakes = (
            "They stay on this machine and are not uploaded. U undoes this.",
            "Files already uploaded or being sent stay in the upload.",
        )
        self._confirm(question, stakes, lambda: self._remove(scope))

    def remove_duplicates(self, scope: CommandScope) -> None:
        self._remove_every(scope, FileStatus.DUPLICATE)

    def remove_failed(self, scope: CommandScope) -> None:
        self._remove_every(scope, FileStatus.FAILED)

    def undo(self, scope: CommandScope) -> None:
        del scope  # it is about the last step, wherever the user looks now
        step = self._steps.take(self._session.status)
        if step is None:
            self._say("Nothing to undo.")
            return
        self._session.call("undo", step.undo, self._say)

    def _remove(self, scope: CommandScope) -> None:
        upload, files, selection = scope.files_of, scope.files, _selection(scope)
        if upload is None:
            return

        def report(count: int) -> None:
            if not count:
                self._say("Nothing removed: all of these files are uploaded or being sent.")
                return
            self._steps.note(undo.removal(upload, selection, count))
            scope.files_changed()
            kept = len(files) - count
            rest = f" {counted(kept, 'file')} kept: uploaded or being sent." if kept > 0 else ""
            self._say(f"{removed(count)}; U to undo.{rest}")

        self._session.call("remove", lambda engine: engine.remove(upload, selection), report, hold_keys=True)

    def copy_path(self, scope: CommandScope) -> None:
        item = scope.item
        if item is not None:
            self._copy(item.path)
            self._say(f"Path (copied if your terminal allows): {item.path}", seconds=10.0)

    def copy_paths(self, scope: CommandScope) -> None:
        """Of the selected files, which the screen has not all in memory."""
        upload = scope.files_of
        if upload is None or not scope.selected:
            self.copy_path(scope)
            return

        def report(paths: list[str]) -> None:
            self._copy("\n".join(paths))
            self._say(f"Paths of {counted(len(paths), 'file')} (copied if your terminal allows).")

        self._session.call("copy paths", lambda engine: _paths(engine, upload, scope), report)

    def _remove_every(self, scope: CommandScope, status: FileStatus) -> None:
        """Of the uploads of the project under the cursor, or of the upload under it."""
        if not scope.uploads:
            return
        upload, whole = scope.uploads[-1].upload, len(scope.uploads) > 1

        def removal(runs: tuple[IdRun, ...]) -> None:
            files = tuple(chain.from_iterable(range(first, last + 1) for first, last in runs))
            chosen = replace(scope, files=files, selected=True, files_of=upload, whole_project=whole)
            self.remove_selected(chosen) if files else self._say(f"No {status} files.")

        query = FileQuery(status=status, whole_project=whole)
        self._session.call(f"find {status}", lambda engine: engine.file_runs(upload, query), removal, hold_keys=True)

    # --------------------------------------------------------------------------------------------- the project

    def start_processing(self, scope: CommandScope) -> None:
        project = scope.project
        if project is None or project.id is None:
            return  # refused before: see `subject.refusals`
        identity = project.id
        uploaded = max(project.images, sum(upload.counts.uploaded for upload in scope.of_project))
        if uploaded < MIN_IMAGES:  # the engine says what is missing
            self._start(identity, project.name, partial=False)
            return
        missing = left_out(scope.of_project)
        before = scope.processing
        again = before.state is ProcessingState.DONE
        if again:
            question = again_question(short_name(project.name), before, time.time())
            stakes = [f"{counted(uploaded, 'image')} from this machine.", *missing]
        else:
            question = f"Start processing {short_name(project.name)} with {counted(uploaded, 'image')}?"
            stakes = [*missing, "Processing cannot be undone and may cost credits of your account."]
        self._confirm(question, stakes, lambda: self._start(identity, project.name, partial=bool(missing), again=again))

    def refresh(self, scope: CommandScope) -> None:
        del scope  # it is about all projects
        self._session.refresh_projects()
        self._say("The list of projects is read again.")

    def copy_address(self, scope: CommandScope) -> None:
        address = scope.project.web_address if scope.project else None
        if address is None:
            return  # refused before: see `subject.refusals`
        self._copy(address)
        self._say(f"Web address (copied if your terminal allows): {address}", seconds=15.0)

    def _start(self, project: str, name: str, *, partial: bool, again: bool = False) -> None:
        async def start(engine: EngineClient) -> Project | UploaderError:
            try:
                return await engine.start_processing(project, partial=partial, again=again)
            except AlreadyProcessed:  # by another client
                processed = (await engine.project(project)).processing
                return AlreadyProcessed(again_question(short_name(name), processed, time.time()))
            except SourceChanged as changed:
                return changed

        def report(answer: Project | UploaderError) -> None:
            match answer:
                case AlreadyProcessed():
                    self._confirm(str(answer), (), lambda: self._start(project, name, partial=partial, again=True))
                case UploaderError():
                    question = f"Start processing {short_name(name)} anyway?"
                    self._confirm(
                        question, (str(answer),), lambda: self._start(project, name, partial=True, again=again)
                    )
                case _:
                    self._say(requested(short_name(name), answer.processing, time.time()))

        self._session.call("start processing", start, report)

    # ------------------------------------------------------------------------------------------------- messages

    def _each(
        self,
        name: str,
        uploads: Sequence[UploadStatus],
        work: Callable[[EngineClient, int], Awaitable[object]],
        success: str,
        step: Step | None = None,
    ) -> None:
        """`step`: how to undo it."""

        def report(_: None) -> None:
            if step is not None:
                self._steps.note(step)
            self._say(success)

        async def each(engine: EngineClient) -> None:
            for upload in uploads:
                await work(engine, upload.upload)
            await self._session.refresh_status(engine)

        if uploads:
            self._session.call(name, each, report, hold_keys=True)

    def _say(self, text: str, seconds: float = 6.0) -> None:
        self._app.post_message(Noticed(text, seconds=seconds))


async def _paths(engine: EngineClient, upload: int, scope: CommandScope) -> list[str]:
    """The paths of the files of `scope`, in the order in which they were added."""
    wanted, found, offset = set(scope.files), [], 0
    while wanted:
        query = FileQuery(offset=offset, limit=_FILES_AT_ONCE, whole_project=scope.whole_project)
        files = (await engine.files(upload, query)).files
        found += [file.path for file in files if file.id in wanted]
        wanted.difference_update(file.id for file in files)
        offset += len(files)
        if not files:
            break
    return found


def _selection(scope: CommandScope) -> FileSelection:
    """One file by its id, so that the engine reports why it refuses; of many, refused ones are skipped."""
    files, whole = scope.files, scope.whole_project
    if len(files) == 1:
        return FileSelection(ids=files, whole_project=whole)
    return FileSelection(runs=runs_of(files), whole_project=whole)


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

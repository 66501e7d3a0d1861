"""Start processing exactly once, even across a crash, and follow it to the end.

The call that starts processing is not safe to repeat. So the intent is journaled before it, with the service's word for
the project's state. If the answer is lost, that word decides: if it changes, the call arrived; if it stays the same for
a while, the call did not arrive and is repeated.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from tui_uploader.cloud.contract import RemoteProject
from tui_uploader.engine.accounts.accounts import SignedIn
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import UNFINISHED, FileRecord, ProjectRecord, uploads_of
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.journal.tables import history, projects, uploads
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.project_tasks import ProjectTasks
from tui_uploader.engine.scheduling.retry import RetryAction, backoff, decide
from tui_uploader.engine.scheduling.start_delay import StartDelays
from tui_uploader.engine.sources.modified import modified_before_processing, modified_since_registration
from tui_uploader.errors import (
    AlreadyProcessed,
    CloudFault,
    CloudUnintelligible,
    EngineError,
    LinkError,
    NotPossibleNow,
    SignInError,
    TooFewImages,
    UploaderError,
)
from tui_uploader.model.history import EventKind
from tui_uploader.model.projects import MIN_IMAGES, ProcessingState, ProjectKind
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.text import counted, printable

log = logging.getLogger(__name__)

DOUBT_SECONDS = 60.0
_UNKNOWN_START = (
    "It is unknown whether processing was started: the answer was lost, and the service still shows the previous run. "
    "Check the project's web page, and start processing from here if necessary."
)
_STALE_WORD_SECONDS = 600.0

# ---------------------------------------------------------------------------------------------- decisions


def start_is_due(summary: Summary, project: ProjectRecord, once_complete: int | None = None) -> bool:
    """Whether all queued files are uploaded, and processing was not started since the last image was registered.

    `once_complete`: an upload that counts as complete."""
    if project.kind is not ProjectKind.IMAGES or project.remote_id is None or project.start_in_doubt:
        return False
    if project.processing.running:
        return False
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if images < MIN_IMAGES or images <= (project.start_images or 0):
        return False  # decides for most projects, after some years, by one number
    return projects.start_is_wanted(
        replace(upload, state=UploadState.COMPLETE) if upload.id == once_complete else upload
        for upload in summary.uploads_of(project.id)
    )


def objection(summary: Summary, project: ProjectRecord, *, partial: bool, again: bool) -> UploaderError | None:
    """Return why processing cannot be started at the user's request; None if it can.

    `partial`: although files are not uploaded yet; `again`: although it was processed before.
    """
    name = printable(project.name)
    if project.kind is not ProjectKind.IMAGES:
        return NotPossibleNow(f"{name} is a project of results, which cannot be processed.")
    if project.processing.running or project.start_in_doubt:
        return NotPossibleNow(f"Processing of {name} is already {project.processing}.")
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if images < MIN_IMAGES:
        return TooFewImages(
            f"{name} has {counted(images, 'image')} from this machine, but processing needs at least {MIN_IMAGES}. "
            "Upload more."
        )
    kept = [upload for upload in summary.uploads_of(project.id) if upload.state is not UploadState.CANCELLED]
    unread = sum(upload.unscanned for upload in kept)
    if unread and not partial:
        return NotPossibleNow(
            f"{counted(unread, 'path')} of {name} not scanned completely yet. Wait, insert the card again, cancel the "
            "upload, or start with --partial."
        )
    left = summary.project_files(project.id, *UNFINISHED)
    if left and not partial:
        return NotPossibleNow(
            f"{counted(left, 'file')} of {name} not uploaded yet. Wait, remove them, or start with --partial."
        )
    return None if again else processed_before(project)


def processed_before(project: ProjectRecord) -> AlreadyProcessed | None:
    """Return the objection to processing a finished project again without the user's consent; None if there is none."""
    if project.processing is not ProcessingState.DONE:
        return None
    return AlreadyProcessed(
        f"{printable(project.name)} was processed before. Processing it again may use credits: add --again to do so."
    )


def seen(project: ProjectRecord, remote: RemoteProject, age: float) -> ProcessingState:
    """Return the state that the service's answer means, `age` seconds after processing was requested.

    The service may show the final word of the previous run for a while. It counts for the new run once another word was
    seen in between, or after so long that the new run may have reached the same end unnoticed.
    """
    if remote.state is None:
        return project.processing
    nothing_new = project.processing is ProcessingState.SUBMITTED and remote.word == project.start_word
    expected = (project.waiting_seconds or 0.0) + (project.processing_seconds or 0.0)
    patience = min(_STALE_WORD_SECONDS, 3 * expected) if expected else _STALE_WORD_SECONDS
    if nothing_new and remote.state.ended and age < patience:
        return project.processing
    return remote.state


def polling_interval(age: float, estimates: tuple[float | None, float | None]) -> float:
    """Return the seconds until the next query of a run that was requested `age` seconds ago.

    Short at first, so that the user sees the run begin, then a minute, and five minutes after an hour; shorter if the
    service estimates a short run.
    """
    usual = min(60.0, max(2.0, age / 4)) if age < 3600 else 300.0
    expected = sum(estimate for estimate in estimates if estimate is not None)
    if expected and age < expected * 3:
        return min(usual, max(1.0, expected / 10))
    return usual


# ------------------------------------------------------------------------------------------------- effects


class ProcessingWorker:
    """Starts and follows the processing of all projects, several at the same time."""

    def __init__(self, context: EngineContext, doubt_seconds: float, start_delay: float) -> None:
        """`doubt_seconds`: how long to wait for the effect of a call whose answer was lost.

        `start_delay`: seconds in which the user can stop the automatic start.
        """
        self._context = context
        self._doubt_seconds = doubt_seconds
        self._delays = StartDelays(context.clocks.wall, context.clocks.monotonic, start_delay)
        self.wakeup = context.notifier.subscribe(Topic.UPLOADS, Topic.PROJECTS, Topic.ACCOUNTS)
        context.notifier.on_retry(self._look_at_once)
        self._tasks = ProjectTasks(context, "process", self.wakeup)
        self._locks: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next_query: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._since: dict[int, float] = {}

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        dues: list[float] = []
        for project in self._context.summary.projects.values():
            if not self.wants_attention(project):
                for memory in (self._next_query, self._failures, self._since):
                    memory.pop(project.id, None)
                self._delays.cancel(project.id)
                self._tasks.not_needed(project.id)
                continue
            account = self._context.account_of(project)
            if account is None or not account.usable:
                self._delays.cancel(project.id)
                continue
            if self._tasks.busy(project.id):
                continue
            due = max(self._next_query.get(project.id, 0.0), now + self._start_delay(project))
            if due <= now:
                self._tasks.begin(project, partial(self._attend, project.id))
            else:
                dues.append(due)
        return min(dues) - now if dues else None

    async def close(self) -> None:
        await self._tasks.close()

    async def stop_automatic_start(self, upload_id: int) -> None:
        """Switch automatic processing off. Raises NoSuchUpload, and NotPossibleNow once processing was requested."""

        def stop(connection: sqlite3.Connection) -> None:
            upload = uploads.upload(connection, upload_id)
            project = projects.project(connection, upload.project)
            if project.processing.running or project.start_in_doubt:
                raise NotPossibleNow(
                    f"Processing of {printable(project.name)} was already requested; it cannot be stopped from here."
                )
            if projects.no_automatic_start(connection, project.id):
                now = self._context.clocks.wall()
                history.record_of_upload(connection, now, EventKind.PROCESSING_STOPPED, upload_id)

        await self._context.journal.write(stop)

    def starts_at(self, project: ProjectRecord) -> float | None:
        """Return when processing starts automatically, unless the user stops it; None: it is not about to start."""
        if project.id in self._failures or not start_is_due(self._context.summary, project):
            return None
        return self._delays.ends_at(project.id)

    def _start_delay(self, project: ProjectRecord) -> float:
        """Return the seconds for which the user can still stop an automatic start that is due."""
        summary = self._context.summary
        if not start_is_due(summary, project) or self._context.quiet.was_waited_for(summary.newest_upload(project.id)):
            return 0.0
        before = self._delays.ends_at(project.id)
        left = self._delays.left(project.id, summary.project_files(project.id, FileStage.REGISTERED))
        if self._delays.ends_at(project.id) != before:
            self._context.notifier.notify(Topic.STATUS)
        return left

    async def start(self, project_id: int, *, partial: bool, again: bool) -> None:
        """Start at the user's request.

        Raises TooFewImages, NotPossibleNow, AlreadyProcessed, SourceChanged, and errors of the cloud.
        """
        async with self._locks[project_id]:
            project = self._context.summary.projects[project_id]
            refusal = objection(self._context.summary, project, partial=partial, again=again)
            if refusal is not None:
                raise refusal
            account = self._context.accounts.chosen(project.account)
            if not partial and (modified := await self._modified(project_id)):
                raise modified_before_processing(modified, project.name)
            if not await self._start(project, account, again=again):
                project = self._context.summary.projects[project_id]
                refusal = objection(self._context.summary, project, partial=True, again=False)
                raise refusal or NotPossibleNow(f"Processing of {printable(project.name)} was not started.")

    def _look_at_once(self) -> None:
        self._next_query = dict.fromkeys(self._next_query, 0.0)

    def wants_attention(self, project: ProjectRecord) -> bool:
        """Whether processing of the project is due, in doubt or running."""
        return project.start_in_doubt or project.processing.running or start_is_due(self._context.summary, project)

    async def _attend(self, project_id: int) -> None:
        async with self._locks[project_id]:
            project = self._context.summary.projects.get(project_id)
            account = None if project is None else self._context.account_of(project)
            if project is not None and account is not None and account.usable:
                await self._advance(project, account)

    async def _advance(self, project: ProjectRecord, account: SignedIn) -> None:
        try:
            if project.start_in_doubt:
                await self._resolve_doubt(project, account)
            elif project.processing.running:
                await self._query(project, account)
            elif start_is_due(self._context.summary, project):
                await self._start_automatically(project, account)
        except EngineError:
            raise
        except UploaderError as error:
            failures = self._failures.get(project.id, 0)
            self._failures[project.id] = failures + 1
            if decide(error, 0, self._context.clocks.random).action in (
                RetryAction.AWAIT_LINK,
                RetryAction.AWAIT_SIGN_IN,
            ):
                self._context.accounts.note(account, error)
            log.warning("Processing of project %d: %s", project.id, error)
            self._schedule_query(
                project, max(1.0, backoff(failures, self._context.clocks.random), error.retry_after or 0.0)
            )
        else:
            self._failures.pop(project.id, None)

    async def _start_automatically(self, project: ProjectRecord, account: SignedIn) -> None:
        """Start automatically, unless files changed since: then the user decides, or uploads them again."""
        modified = await self._modified(project.id)
        if not modified:
            await self._start(project, account, if_wanted=True)
            return
        reason = modified_before_processing(modified, project.name)
        log.warning("Processing of project %d was not started: %s", project.id, reason)
        await self._context.journal.write(partial(projects.hold_start, project=project.id, reason=reason))

    async def _modified(self, project: int) -> list[FileRecord]:
        return await modified_since_registration(self._context.sources, self._context.journal, project)

    async def _start(
        self, project: ProjectRecord, account: SignedIn, *, again: bool = False, if_wanted: bool = False
    ) -> bool:
        """Start processing and return True, unless another client has started it, and not `again`.

        `if_wanted`: automatically, so not if the user has stopped the start, or added files.
        """
        assert project.remote_id is not None
        before = await account.cloud.project(project.remote_id)
        now = self._context.clocks.wall()
        if before.certainly_processed and not project.was_processed and not again:
            await self._note_processed_elsewhere(project, before)
            if if_wanted or before.state is not ProcessingState.FAILED:
                return False
        self._since.pop(project.id, None)

        def intend(connection: sqlite3.Connection) -> bool:
            if if_wanted and not projects.start_is_wanted(uploads_of(connection, project.id)):
                return False
            projects.set_project(connection, project.id, start_word=before.word)
            projects.ask_start(connection, project.id, now)
            projects.release_start(connection, project.id)
            return True

        if not await self._context.journal.write(intend):
            return False
        try:
            receipt = await account.cloud.start_processing(project.remote_id)
        except (LinkError, CloudFault, CloudUnintelligible):
            raise  # whether the call arrived stays in doubt in the journal
        except UploaderError as error:
            final = not error.retryable and not isinstance(error, SignInError)
            log.warning("Processing of project %d was not started: %s", project.id, error)
            # After a refusal processing starts again only with more images, or at the user's request.
            refused = {"start_asked_at": None, "reason": str(error)} | ({} if final else {"start_images": None})
            await self._set(project, refused)
            raise
        started = {
            "started_at": self._context.clocks.wall(),
            "processing": ProcessingState.SUBMITTED,
            "waiting_seconds": receipt.waiting_seconds,
            "processing_seconds": receipt.processing_seconds,
            "reason": None,
        }
        await self._context.journal.write(lambda connection: projects.note_start(connection, project.id, **started))
        self._schedule_query(project, polling_interval(0.0, (receipt.waiting_seconds, receipt.processing_seconds)))
        return True

    async def _resolve_doubt(self, project: ProjectRecord, account: SignedIn) -> None:
        assert project.remote_id is not None
        remote = await account.cloud.project(project.remote_id)
        if remote.word != project.start_word and remote.state is not None:
            started = {"started_at": project.start_asked_at, "processing": remote.state, "word": remote.word}
            await self._context.journal.write(lambda connection: projects.note_start(connection, project.id, **started))
            if remote.state.ended:
                await self._set(project, {"ended_at": self._context.clocks.wall()})
        elif self._age(project, project.start_asked_at) < self._doubt_seconds:
            self._schedule_query(project, 1.0)
        elif remote.state is not None and remote.state.ended:
            # The word of the previous run, or of a new run that ended unnoticed: only a person can find out.
            await self._context.journal.write(lambda connection: projects.no_automatic_start(connection, project.id))
            await self._set(project, {"start_asked_at": None, "reason": _UNKNOWN_START})
        else:
            await self._start(project, account)

    async def _query(self, project: ProjectRecord, account: SignedIn) -> None:
        assert project.remote_id is not None
        remote = await account.cloud.project(project.remote_id)
        age = self._age(project, project.started_at)
        state = seen(project, remote, age)
        if (state, remote.word) != (project.processing, project.word):
            reason = remote.error_reason if state is ProcessingState.FAILED else None
            facts = {"processing": state, "word": remote.word, "reason": reason}
            await self._set(project, facts | ({"ended_at": self._context.clocks.wall()} if state.ended else {}))
        self._schedule_query(project, polling_interval(age, (project.waiting_seconds, project.processing_seconds)))

    async def _note_processed_elsewhere(self, project: ProjectRecord, remote: RemoteProject) -> None:
        log.warning("Project %d was processed at the request of another client", project.id)
        await self._context.journal.write(
            lambda connection: projects.note_processed_elsewhere(connection, project.id, remote)
        )

    def _age(self, project: ProjectRecord, asked_at: float | None) -> float:
        """Return the seconds since then that are certain, because the wall clock may be set at any time."""
        now = self._context.clocks.monotonic()
        watched = now - self._since.setdefault(project.id, now)
        return watched if project.start_in_doubt else max(watched, self._context.clocks.wall() - (asked_at or 0.0))

    def _schedule_query(self, project: ProjectRecord, seconds: float) -> None:
        self._next_query[project.id] = self._context.clocks.monotonic() + seconds

    async def _set(self, project: ProjectRecord, facts: Mapping[str, object]) -> None:
        await self._context.journal.write(lambda connection: projects.set_project(connection, project.id, **facts))


def with_standing_reason(project: ProjectRecord, summary: Summary) -> ProjectRecord:
    """Add the reason why processing does not follow a complete upload, if so."""
    kept = [upload for upload in summary.uploads_of(project.id) if upload.state is not UploadState.CANCELLED]
    if project.reason or project.processing is not ProcessingState.NOT_STARTED or not kept:
        return project
    if project.kind is not ProjectKind.IMAGES or kept[-1].state is not UploadState.COMPLETE:
        return project
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if kept[-1].auto_process and images < MIN_IMAGES:
        return replace(project, reason=f"{counted(images, 'image')}: processing needs at least {MIN_IMAGES}.")
    return project

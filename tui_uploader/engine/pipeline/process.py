"""Starts processing exactly once, also across a crash, and follows it to the end.

The call that starts processing cannot be repeated safely. So the intent is journaled before it, with the word that
the service had for the project then; while the answer is in doubt, that word decides: if it has changed, the call
arrived; if it stays the same for a while, it did not, and is made again.
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
from tui_uploader.engine.journal.records import UNFINISHED, FileRecord, ProjectRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.journal.tables import projects
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.project_tasks import ProjectTasks
from tui_uploader.engine.scheduling.retry import RetryAction, backoff, decide
from tui_uploader.engine.sources.modified import modified_before_processing, modified_since_registration
from tui_uploader.errors import (
    CloudFault,
    CloudUnintelligible,
    EngineError,
    LinkError,
    NotPossibleNow,
    SignInError,
    TooFewImages,
    UploaderError,
)
from tui_uploader.model import MIN_IMAGES, FileStage, ProcessingState, ProjectKind, UploadState
from tui_uploader.text import counted, printable

log = logging.getLogger(__name__)

DOUBT_SECONDS = 60.0
_UNKNOWN_START = (
    "Whether processing was started is not known: the answer got lost, and the service still shows the run before. "
    "Look at the project's page, and start it from here if need be."
)
_STALE_WORD_SECONDS = 600.0
_RUNNING = (ProcessingState.SUBMITTED, ProcessingState.WAITING, ProcessingState.PROCESSING)

# ---------------------------------------------------------------------------------------------- decisions


def start_is_due(summary: Summary, project: ProjectRecord) -> bool:
    """Everything that the user queued is uploaded, and the service was not asked since the last image came."""
    if project.kind is not ProjectKind.IMAGES or project.remote_id is None or project.start_in_doubt:
        return False
    if project.processing in _RUNNING:
        return False
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if images < MIN_IMAGES or images <= (project.start_images or 0):
        return False  # most projects, after some years: told by a look at one number
    kept = [upload for upload in summary.uploads_of(project.id) if upload.state is not UploadState.CANCELLED]
    return bool(kept) and kept[-1].auto_process and all(upload.state is UploadState.COMPLETE for upload in kept)


def objection(summary: Summary, project: ProjectRecord, partial: bool) -> UploaderError | None:
    """Why the user's wish to start processing cannot be met; None if it can."""
    name = printable(project.name)
    if project.kind is not ProjectKind.IMAGES:
        return NotPossibleNow(f"{name} holds results: there is nothing to process.")
    if project.processing in _RUNNING or project.start_in_doubt:
        return NotPossibleNow(f"Processing of {name} is {project.processing} already.")
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if images < MIN_IMAGES:
        return TooFewImages(
            f"{name} has {counted(images, 'image')} from here, and processing needs at least {MIN_IMAGES}. Upload more."
        )
    kept = [upload for upload in summary.uploads_of(project.id) if upload.state is not UploadState.CANCELLED]
    unread = sum(upload.unscanned for upload in kept)
    if unread and not partial:
        return NotPossibleNow(
            f"{counted(unread, 'path')} of {name} could not be looked through to the end yet. Wait, put the card back, "
            "cancel the upload, or start with --partial."
        )
    left = summary.project_files(project.id, *UNFINISHED)
    if left and not partial:
        return NotPossibleNow(
            f"{counted(left, 'file')} of {name} are not uploaded yet. Wait, remove them, or start with --partial."
        )
    return None


def seen(project: ProjectRecord, remote: RemoteProject, age: float) -> ProcessingState:
    """The state that the service's answer means, `age` seconds after processing was asked for.

    The final word of the run before may stand for a while; it is believed once another word was seen in between, or
    after so long that the new run may have come to the same end unseen.
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
    """Seconds until the next look at a run that was asked for `age` seconds ago.

    Soon at first, so that the user sees it taken up, then every minute, and after an hour every five; more often where
    the service expects to be quick.
    """
    usual = min(60.0, max(2.0, age / 4)) if age < 3600 else 300.0
    expected = sum(estimate for estimate in estimates if estimate is not None)
    if expected and age < expected * 3:
        return min(usual, max(1.0, expected / 10))
    return usual


# ------------------------------------------------------------------------------------------------- effects


class ProcessingWorker:
    """For all projects, several side by side."""

    def __init__(self, context: EngineContext, doubt_seconds: float = DOUBT_SECONDS) -> None:
        """`doubt_seconds`: how long a call whose answer got lost is given to show an effect."""
        self._context = context
        self._doubt_seconds = doubt_seconds
        self.wakeup = context.notifier.subscribe(Topic.UPLOADS, Topic.PROJECTS, Topic.ACCOUNTS)
        context.notifier.on_retry(self._look_at_once)
        self._tasks = ProjectTasks(context, "process", self.wakeup)
        self._turns: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next_look: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._since: dict[int, float] = {}

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        dues: list[float] = []
        for project in self._context.summary.projects.values():
            if not self.wants_attention(project):
                for memory in (self._next_look, self._failures, self._since):
                    memory.pop(project.id, None)
                self._tasks.not_needed(project.id)
                continue
            account = self._context.account_of(project)
            if account is None or not account.usable or self._tasks.busy(project.id):
                continue
            due = self._next_look.get(project.id, 0.0)
            if due <= now:
                self._tasks.begin(project, partial(self._attend, project.id))
            else:
                dues.append(due)
        return min(dues) - now if dues else None

    async def close(self) -> None:
        await self._tasks.close()

    async def start(self, project_id: int, partial: bool) -> None:
        """The user's wish. Raises TooFewImages, NotPossibleNow, SourceChanged, and what the cloud answers."""
        async with self._turns[project_id]:
            project = self._context.summary.projects[project_id]
            refusal = objection(self._context.summary, project, partial)
            if refusal is not None:
                raise refusal
            account = self._context.accounts.chosen(project.account)
            if not partial and (modified := await self._modified(project_id)):
                raise modified_before_processing(modified, project.name)
            await self._start(project, account)

    def _look_at_once(self) -> None:
        self._next_look = dict.fromkeys(self._next_look, 0.0)

    def wants_attention(self, project: ProjectRecord) -> bool:
        """It is to be started, or runs."""
        return project.start_in_doubt or project.processing in _RUNNING or start_is_due(self._context.summary, project)

    async def _attend(self, project_id: int) -> None:
        async with self._turns[project_id]:
            project = self._context.summary.projects.get(project_id)
            account = None if project is None else self._context.account_of(project)
            if project is not None and account is not None and account.usable:
                await self._take_next_step(project, account)

    async def _take_next_step(self, project: ProjectRecord, account: SignedIn) -> None:
        try:
            if project.start_in_doubt:
                await self._resolve_doubt(project, account)
            elif project.processing in _RUNNING:
                await self._look(project, account)
            elif start_is_due(self._context.summary, project):
                await self._start_by_itself(project, account)
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
            self._look_again(
                project, max(1.0, backoff(failures, self._context.clocks.random), error.retry_after or 0.0)
            )
        else:
            self._failures.pop(project.id, None)

    async def _start_by_itself(self, project: ProjectRecord, account: SignedIn) -> None:
        """Unless files changed since: then the user has to say what is wanted, or to upload them again."""
        modified = await self._modified(project.id)
        if not modified:
            await self._start(project, account)
            return
        reason = modified_before_processing(modified, project.name)
        log.warning("Processing of project %d was not started: %s", project.id, reason)
        await self._context.journal.write(partial(projects.hold_start, project=project.id, reason=reason))

    async def _modified(self, project: int) -> list[FileRecord]:
        return await modified_since_registration(self._context.sources, self._context.journal, project)

    async def _start(self, project: ProjectRecord, account: SignedIn) -> None:
        assert project.remote_id is not None
        before = await account.cloud.project(project.remote_id)
        now = self._context.clocks.wall()

        self._since.pop(project.id, None)

        def intend(connection: sqlite3.Connection) -> None:
            projects.set_project(connection, project.id, start_word=before.word)
            projects.ask_start(connection, project.id, now)
            projects.release_start(connection, project.id)

        await self._context.journal.write(intend)
        try:
            receipt = await account.cloud.start_processing(project.remote_id)
        except (LinkError, CloudFault, CloudUnintelligible):
            raise  # whether it arrived is in doubt, and stays so in the journal
        except UploaderError as error:
            final = not error.retryable and not isinstance(error, SignInError)
            log.warning("Processing of project %d was not started: %s", project.id, error)
            # A refusal is not asked again until more images came or the user wishes it.
            refused = {"start_asked_at": None, "reason": str(error)} | ({} if final else {"start_images": None})
            await self._set(project, refused)
            raise
        await self._set(
            project,
            {
                "started_at": self._context.clocks.wall(),
                "processing": ProcessingState.SUBMITTED,
                "waiting_seconds": receipt.waiting_seconds,
                "processing_seconds": receipt.processing_seconds,
                "reason": None,
            },
        )
        self._look_again(project, polling_interval(0.0, (receipt.waiting_seconds, receipt.processing_seconds)))

    async def _resolve_doubt(self, project: ProjectRecord, account: SignedIn) -> None:
        assert project.remote_id is not None
        remote = await account.cloud.project(project.remote_id)
        if remote.word != project.start_word and remote.state is not None:
            await self._set(
                project, {"started_at": project.start_asked_at, "processing": remote.state, "word": remote.word}
            )
        elif self._age(project, project.start_asked_at) < self._doubt_seconds:
            self._look_again(project, 1.0)
        elif remote.state is not None and remote.state.ended:
            # The word of the run before, or that of a new run that ended unseen: a person can tell, we cannot.
            await self._set(project, {"start_asked_at": None, "reason": _UNKNOWN_START})
        else:
            await self._start(project, account)

    async def _look(self, project: ProjectRecord, account: SignedIn) -> None:
        assert project.remote_id is not None
        remote = await account.cloud.project(project.remote_id)
        age = self._age(project, project.started_at)
        state = seen(project, remote, age)
        if (state, remote.word) != (project.processing, project.word):
            reason = remote.error_reason if state is ProcessingState.FAILED else None
            await self._set(project, {"processing": state, "word": remote.word, "reason": reason})
        self._look_again(project, polling_interval(age, (project.waiting_seconds, project.processing_seconds)))

    def _age(self, project: ProjectRecord, asked_at: float | None) -> float:
        """Seconds since then, as far as this process can vouch for: a wall clock may be set at any time."""
        now = self._context.clocks.monotonic()
        watched = now - self._since.setdefault(project.id, now)
        return watched if project.start_in_doubt else max(watched, self._context.clocks.wall() - (asked_at or 0.0))

    def _look_again(self, project: ProjectRecord, seconds: float) -> None:
        self._next_look[project.id] = self._context.clocks.monotonic() + seconds

    async def _set(self, project: ProjectRecord, facts: Mapping[str, object]) -> None:
        await self._context.journal.write(lambda connection: projects.set_project(connection, project.id, **facts))


def with_standing_reason(project: ProjectRecord, summary: Summary) -> ProjectRecord:
    """A complete upload that processing does not follow needs a word on why."""
    kept = [upload for upload in summary.uploads_of(project.id) if upload.state is not UploadState.CANCELLED]
    if project.reason or project.processing is not ProcessingState.NOT_STARTED or not kept:
        return project
    if project.kind is not ProjectKind.IMAGES or kept[-1].state is not UploadState.COMPLETE:
        return project
    images = summary.project_files(project.id, FileStage.REGISTERED)
    if kept[-1].auto_process and images < MIN_IMAGES:
        return replace(project, reason=f"{counted(images, 'image')}: processing needs at least {MIN_IMAGES}.")
    return project

"""Register stored files with their project. A file counts as uploaded only after registration."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from tui_uploader.cloud.contract import Cloud, ObjectStore, Shortfall
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord, ProjectRecord
from tui_uploader.engine.journal.tables import files, stored_files
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.project_tasks import ProjectTasks
from tui_uploader.engine.results.registrar import ResultRegistrar
from tui_uploader.engine.scheduling.retry import RetryAction, backoff, decide
from tui_uploader.engine.sources.modified import without_modified
from tui_uploader.errors import (
    CloudFault,
    CloudRefused,
    CloudUnintelligible,
    EngineError,
    LinkError,
    NoSuchProject,
    UploaderError,
)
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import Notice
from tui_uploader.text import counted, printable

log = logging.getLogger(__name__)

_BATCH = 500
_GATHERING_SECONDS = 2.0
_INCOMPLETE_SECONDS = 30.0
_QUIET_FAILURES = 3
"""Failures in a row after which temporary failures are reported, and unconfirmed images need the user."""
_MOST_LOSSES = 3
_LOST = "The storage confirmed this file several times but does not have it. Ask the service, then retry the file."
_NO_REFUSALS: Mapping[str, str] = {}
_NAMED_AT_MOST = 3
"""Unconfirmed images that a notice names."""


class NotConfirmed(CloudUnintelligible):
    """Images are stored, and the service does not confirm that they belong to the project."""

    @property
    def kind(self) -> str:
        return CloudUnintelligible.__name__


class Registrar:
    """Registers stored files in batches, several projects at the same time."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(FileStage.STORED, Topic.ACCOUNTS)
        context.notifier.on_retry(self._end_pauses)
        self._tasks = ProjectTasks(context, "register", self.wakeup)
        self._since: dict[int, float] = {}
        self._not_before: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._losses: dict[int, int] = {}
        """How often the storage lost each file."""
        self._results = ResultRegistrar(context)
        self._incomplete: dict[int, tuple[int, float]] = {}
        """By project: the number of stored files of results of which others are missing, and until when that holds."""

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        dues: list[float] = []
        for project in self._context.summary.projects.values():
            waiting = self._context.summary.project_files(project.id, FileStage.STORED)
            if not waiting:
                self._since.pop(project.id, None)
                self._context.obstacles.pop(project.id, None)
                self._tasks.not_needed(project.id)
                continue
            due = None if self._tasks.busy(project.id) else self._due(project, waiting, now)
            if due is None:
                continue
            if due <= now:
                self._tasks.begin(project, partial(self._register, project.id))
            else:
                dues.append(due)
        return min(dues) - now if dues else None

    async def close(self) -> None:
        await self._tasks.close()

    def _end_pauses(self) -> None:
        self._not_before.clear()

    def _due(self, project: ProjectRecord, waiting: int, now: float) -> float | None:
        """Return when to register (monotonic); None: the account cannot be used now."""
        account = self._context.account_of(project)
        if account is None or not account.usable:
            return None
        since = self._since.setdefault(project.id, now)
        more_to_come = self._context.summary.project_files(project.id, FileStage.READY, FileStage.SENDING)
        gathered = waiting >= _BATCH or not more_to_come
        seen, until = self._incomplete.get(project.id, (0, 0.0))
        rests_until = until if seen == waiting else 0.0
        return max(now if gathered else since + _GATHERING_SECONDS, self._not_before.get(project.id, 0.0), rests_until)

    async def _register(self, project_id: int) -> None:
        project = self._context.summary.projects.get(project_id)
        account = None if project is None else self._context.account_of(project)
        if project is None or project.remote_id is None or account is None or not account.usable:
            return
        try:
            store = account.cloud.store(project.remote_id)
            await store.open()
            if project.kind is ProjectKind.RESULTS:
                await self._register_results(project, account.cloud, store)
            elif not await self._register_next_images(project, account.cloud, store):
                return
        except EngineError:
            raise
        except UploaderError as error:
            self._settle_failure(project, error)
            return
        self._since.pop(project.id, None)
        self._failures.pop(project.id, None)
        self._context.obstacles.pop(project.id, None)
        account.link.seen_up()

    async def _register_results(self, project: ProjectRecord, cloud: Cloud, store: ObjectStore) -> None:
        """Results of which files are missing stay stored: they are looked at again when another file is stored."""
        waiting = self._context.summary.project_files(project.id, FileStage.STORED)
        if not await self._results.register(project, cloud, store):
            self._incomplete[project.id] = (waiting, self._context.clocks.monotonic() + _INCOMPLETE_SECONDS)

    async def _register_next_images(self, project: ProjectRecord, cloud: Cloud, store: ObjectStore) -> bool:
        """Returns False if none can be registered now."""
        most = min(_BATCH, cloud.registration_batch)
        stored = await self._context.journal.read(
            lambda connection: stored_files.next_stored(connection, project.id, most)
        )
        rows = await without_modified(self._context.sources, self._context.journal, self._context.unfinished, stored)
        if rows:
            await self._register_images(cloud, project, [(row, store.key(row.object or "")) for row in rows])
        return bool(rows)

    async def _register_images(
        self, cloud: Cloud, project: ProjectRecord, keyed: Sequence[tuple[FileRecord, str]]
    ) -> None:
        """Raises NotConfirmed, after what is certain has been journaled."""
        assert project.remote_id is not None
        rows = {key: row for row, key in keyed}
        ids = [row.id for row in rows.values()]
        await self._context.journal.write(lambda connection: stored_files.ask_registration(connection, ids))
        asked_before = frozenset(key for key, row in rows.items() if row.register_asked)
        registration = await cloud.register_images(project.remote_id, list(rows), asked_before)
        doubtful = [rows[key].id for shortfall in registration.shortfalls for key in shortfall.keys]
        if doubtful:  # before anything else: after a crash these have to count as asked for the first time
            await self._context.journal.write(lambda connection: stored_files.unask_registration(connection, doubtful))
        await self._journal_outcome(rows, registration.registered, registration.refused)
        unconfirmed: list[str] = []
        for shortfall in registration.shortfalls:
            found = await cloud.resolve_shortfall(project.remote_id, shortfall)
            log.warning(
                "Project %d: %d of %d registered; %s", project.id, shortfall.counted, len(shortfall.keys), found
            )
            await self._journal_outcome(rows, found.registered)
            await self._send_again([rows[key] for key in found.lost])
            unconfirmed += found.unconfirmed
        if unconfirmed:
            raise _not_confirmed(project, registration.shortfalls, [rows[key] for key in unconfirmed])

    async def _send_again(self, lost: Sequence[FileRecord]) -> None:
        """Send files again that the storage confirmed and does not have; give up those that it loses repeatedly."""
        for row in lost:
            self._losses[row.id] = self._losses.get(row.id, 0) + 1

        def send(connection: sqlite3.Connection) -> None:
            for row in lost:
                stored_files.send_again(connection, row.id)
                if self._losses[row.id] >= _MOST_LOSSES:
                    files.fail(connection, row.id, CloudFault.__name__, _LOST)

        await self._context.journal.write(send)

    async def _journal_outcome(
        self, rows: Mapping[str, FileRecord], registered: Collection[str], refused: Mapping[str, str] = _NO_REFUSALS
    ) -> None:
        """Journal registered and refused files; the others stay stored, and are registered with the next batch."""
        if not registered and not refused:
            return
        now = self._context.clocks.wall()

        def change(connection: sqlite3.Connection) -> None:
            stored_files.register(connection, [rows[key].id for key in registered], now)
            for key, reason in refused.items():
                files.fail(connection, rows[key].id, CloudRefused.__name__, reason)

        await self._context.journal.write(change)

    def _report(self, project: ProjectRecord, error: UploaderError, *, needs_person: bool) -> None:
        self._context.obstacles[project.id] = Notice(error.kind, str(error), needs_person=needs_person)
        self._context.notifier.notify(Topic.STATUS)

    def _settle_failure(self, project: ProjectRecord, error: UploaderError) -> None:
        account = self._context.account_of(project)
        failures = self._failures.get(project.id, 0)
        self._failures[project.id] = failures + 1
        decision = decide(error, 0, self._context.clocks.random)
        if account is not None and decision.action in (RetryAction.AWAIT_LINK, RetryAction.AWAIT_SIGN_IN):
            self._context.accounts.note(account, error)
        lasts = failures >= _QUIET_FAILURES
        if decision.action is RetryAction.GIVE_UP:
            self._report(project, _obstacle(error, project.name), needs_person=True)
        elif isinstance(error, NotConfirmed):
            self._report(project, error, needs_person=lasts)
        elif lasts and not isinstance(error, LinkError):
            self._report(project, error, needs_person=False)
        log.warning("Registering in project %d, attempt %d: %s", project.id, failures + 1, error)
        # Stored files are never given up: registering can be repeated without limit.
        wait = max(1.0, backoff(failures, self._context.clocks.random), decision.after)
        self._not_before[project.id] = self._context.clocks.monotonic() + wait


def _obstacle(error: UploaderError, project: str) -> UploaderError:
    name = printable(project)
    help = (
        "If the project was deleted, cancel this upload and add the files to another project."
        if isinstance(error, NoSuchProject)
        else "Check on the service's web page what this account may do there."
    )
    return type(error)(
        f"{error} Stored files stay stored, and the engine retries registering them in {name} from time to time. {help}"
    )


def _not_confirmed(
    project: ProjectRecord, shortfalls: Sequence[Shortfall], unconfirmed: Sequence[FileRecord]
) -> NotConfirmed:
    asked = sum(len(shortfall.keys) for shortfall in shortfalls)
    number = sum(shortfall.counted for shortfall in shortfalls)
    names = [printable(row.object or "") for row in unconfirmed]
    named = f" ({', '.join(names)})" if len(names) <= _NAMED_AT_MOST else ""
    return NotConfirmed(
        f"The service reports that it registered {number:,} of {counted(asked, 'image')} in {printable(project.name)}, "
        f"without a reason: {counted(len(names), 'image')}{named} are stored but not confirmed as part of the project. "
        "The engine registers them again from time to time. If this persists, compare with the project's web page and "
        "ask the service."
    )

"""Abort stale multipart uploads.

Only multipart uploads that this journal began are touched. One whose id is known is ours, and is aborted. One whose id
was never received cannot be told from that of another machine that sends the same name to the same project: of those
under that name, only old and empty ones are aborted, so that no other machine loses data.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from tui_uploader.cloud.contract import Multipart, ObjectStore
from tui_uploader.engine.accounts.accounts import SignedIn
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import open_multiparts
from tui_uploader.engine.journal.tables.open_multiparts import UNKNOWN, StaleMultipart
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.project_tasks import ProjectTasks
from tui_uploader.engine.scheduling.retry import RetryAction, decide
from tui_uploader.errors import EngineError, MultipartGone, UploaderError
from tui_uploader.model.states import FileStage

log = logging.getLogger(__name__)

OLD = 3600.0
"""Seconds after which a multipart upload without parts counts as stale."""

_BETWEEN_CHECKS = 30.0
"""Seconds. This is never urgent, and everything else goes first."""


class MultipartCleaner:
    """Retries later what cannot be aborted now; what the storage does not let us abort is left to its owner."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(FileStage.FAILED, Topic.UPLOADS, Topic.WORK, Topic.ACCOUNTS)
        self._tasks = ProjectTasks(context, "clean up", self.wakeup)
        self._next_check = 0.0
        self._not_before: dict[StaleMultipart, float] = {}

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        if now < self._next_check:
            return self._next_check - now
        left = await self._context.journal.read(open_multiparts.all_stale)
        by_project: defaultdict[int, list[StaleMultipart]] = defaultdict(list)
        for upload in left:
            if upload.multipart == UNKNOWN and self._next_check:
                # Noted since the engine started: the answer may still arrive.
                self._not_before.setdefault(upload, now + OLD)
            if self._not_before.get(upload, 0.0) <= now:
                by_project[upload.project].append(upload)
        for project_id, those in by_project.items():
            project = self._context.summary.projects.get(project_id)
            if project is not None and not self._tasks.busy(project_id):
                self._tasks.begin(project, partial(self._clean_all, those))
        self._next_check = now + _BETWEEN_CHECKS
        dues = [due for upload in left if (due := self._not_before.get(upload)) is not None]
        return max(self._next_check, min(dues)) - now if dues else None

    async def close(self) -> None:
        await self._tasks.close()

    async def _clean_all(self, of_one_project: Sequence[StaleMultipart]) -> None:
        for upload in of_one_project:
            await self._clean(upload)

    async def _clean(self, upload: StaleMultipart) -> None:
        project = self._context.summary.projects.get(upload.project)
        account = None if project is None else self._context.account_of(project)
        if project is None or project.remote_id is None or account is None or not account.usable:
            return  # a notification follows when that changes
        store = account.cloud.store(project.remote_id)
        try:
            await store.open()
            done = await (self._sweep(store, upload) if upload.multipart == UNKNOWN else self._abort(store, upload))
        except EngineError:
            raise
        except UploaderError as error:
            done = self._gives_up(account, upload, error)
        if done:
            self._not_before.pop(upload, None)
            await self._context.journal.write(partial(open_multiparts.forget, upload=upload))
        else:
            self._not_before[upload] = self._context.clocks.monotonic() + OLD

    def _gives_up(self, account: SignedIn, upload: StaleMultipart, error: UploaderError) -> bool:
        log.warning("Cannot abort a multipart upload of %r now: %s", upload.object, error)
        action = decide(error, 0, self._context.clocks.random).action
        if action in (RetryAction.AWAIT_LINK, RetryAction.AWAIT_SIGN_IN):
            self._context.accounts.note(account, error)
        return action is RetryAction.GIVE_UP

    async def _abort(self, store: ObjectStore, upload: StaleMultipart) -> bool:
        await store.abort_multipart(upload.object, upload.multipart)
        log.info("Aborted a stale multipart upload of %r.", upload.object)
        return True

    async def _sweep(self, store: ObjectStore, upload: StaleMultipart) -> bool:
        """Abort old and empty multipart uploads of the name; return whether none is left that could be ours."""
        listed = await store.list_multiparts(upload.object)
        ours = await self._context.journal.read(
            partial(open_multiparts.in_use, project=upload.project, object_name=upload.object)
        )
        suspects = [multipart for multipart in listed or () if multipart.id not in ours]
        for multipart in suspects:
            if multipart.age >= OLD and await _is_empty(store, upload.object, multipart):
                await store.abort_multipart(upload.object, multipart.id)
                log.info("Aborted an unused multipart upload of %r.", upload.object)
        return all(multipart.age >= OLD for multipart in suspects)


async def _is_empty(store: ObjectStore, object_name: str, multipart: Multipart) -> bool:
    try:
        parts = await store.list_parts(object_name, multipart.id)
    except MultipartGone:
        return False
    return parts is not None and not parts

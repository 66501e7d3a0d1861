"""Ask the storage whether it has what is registered."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from tui_uploader.cloud.contract import Cloud, ObjectStore
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.tables.verified import Holder
from tui_uploader.engine.verification.judgement import Judgement, judge_object, judge_unasked, judge_unseen
from tui_uploader.errors import CloudUnintelligible, EngineError, LinkError, Unsupported, UploaderError
from tui_uploader.model.verification import Finding

_AT_ONCE = 16
_TRIES = 3
_PAUSE = 1.0
_UNREACHABLE_SECONDS = 15.0
"""How long a storage is not asked that did not answer: thousands of files would each wait for it."""


class StorageCheck:
    """Asks about registered contents, for one verification."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._unreachable: dict[str, tuple[float, str]] = {}
        """Accounts whose storage is not asked until then (monotonic), and why."""
        self._existing: set[int] = set()
        """Projects that exist at the service."""
        self._looking: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def confirm(self, holders: Sequence[Holder]) -> Judgement:
        """The best judgement that one of the registered files with one content allows."""
        best: Judgement | None = None
        for holder in holders:
            judged = await self._confirm(holder)
            if judged.finding is Finding.DELIVERED:
                return judged
            best = best or judged
        assert best is not None, "asked about a registered content"
        return best

    async def _confirm(self, holder: Holder) -> Judgement:
        project = self._context.summary.projects.get(holder.project)
        if project is None or project.remote_id is None:
            return judge_unasked(holder, "a project", "the project does not exist at the service")
        until, why = self._unreachable.get(project.account, (0.0, ""))
        if self._context.clocks.monotonic() < until:
            return judge_unasked(holder, project.name, why)
        signed_in = self._context.account_of(project)
        if signed_in is None:
            return judge_unasked(holder, project.name, "the engine is not signed in to its account")
        if signed_in.link.down:
            return judge_unasked(holder, project.name, "there is no connection to the cloud")
        try:
            async with self._slots:
                await self._check_project(signed_in.cloud, project)
                return await self._look(signed_in.cloud.store(project.remote_id), holder, project.name)
        except Unsupported as error:
            if isinstance(error.__cause__, CloudUnintelligible):
                return judge_unasked(holder, project.name, error.message)
            return judge_unseen(holder, project.name)
        except EngineError:
            raise
        except UploaderError as error:
            if isinstance(error, LinkError):
                until = self._context.clocks.monotonic() + _UNREACHABLE_SECONDS
                self._unreachable[project.account] = (until, error.message)
            return judge_unasked(holder, project.name, error.message)

    async def _check_project(self, cloud: Cloud, project: ProjectRecord) -> None:
        """Raises what `Cloud.project` raises; NoSuchProject if it was deleted: then nothing in it is safe."""
        async with self._looking[project.id]:
            if project.id not in self._existing:
                await cloud.project(project.remote_id or "")
                self._existing.add(project.id)

    async def _look(self, store: ObjectStore, holder: Holder, project: str) -> Judgement:
        """Raises what `ObjectStore.head` raises, after a few attempts."""
        for attempt in range(1, _TRIES + 1):
            try:
                await store.open()
                return judge_object(holder, await store.head(holder.object or ""), project)
            except Unsupported:
                raise
            except UploaderError as error:
                if attempt == _TRIES or not error.retryable:
                    raise
            await asyncio.sleep(_PAUSE * attempt)
        raise AssertionError("the last attempt raises")

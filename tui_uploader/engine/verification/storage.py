"""Ask the storage whether it has what is registered.

A question about each object takes minutes for a card of thousands over a slow link, so the project's objects are listed
once there are many questions. What is in the list exactly as it was sent is delivered; about anything else the storage
is asked.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.cloud.contract import Cloud, ObjectStore, StoredObject
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.tables.verified import Holder
from tui_uploader.engine.verification.judgement import Judgement, judge_object, judge_unasked, judge_unseen
from tui_uploader.errors import CloudUnintelligible, EngineError, LinkError, Unsupported, UploaderError
from tui_uploader.model.verification import Evidence, Finding

_AT_ONCE = 16
_TRIES = 3
_PAUSE = 1.0
_UNREACHABLE_SECONDS = 15.0
"""How long a storage is not asked that did not answer: thousands of files would each wait for it."""
MANY = 20
"""Contents of a project, from which on its objects are listed."""
_MOST_LISTED = 20_000
_LIST_SECONDS = 300.0
"""How long a list is used."""


@dataclass(frozen=True, slots=True)
class _Listing:
    objects: Mapping[str, StoredObject]
    since: float
    """When it was asked for (monotonic)."""


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
        self._wanted: Counter[int] = Counter()
        """Contents asked about so far, by project."""
        self._listings: dict[int, _Listing] = {}
        self._listing: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unlisted: set[int] = set()
        """Projects that have no usable list."""

    async def confirm(self, contents: Sequence[Sequence[Holder]]) -> list[Judgement]:
        """The best judgement on each content that one of the registered files with it allows. One call at a time."""
        self._wanted.update(holder.project for holders in contents for holder in holders)
        begun = self._context.clocks.monotonic()
        for project in {holder.project for holders in contents for holder in holders}:
            if self._wanted[project] >= MANY:
                await self._list(project, begun - _LIST_SECONDS)
        judged = [self._judge_by_list(holders) for holders in contents]
        unsettled = [holders for holders, found in zip(contents, judged, strict=True) if found is None]
        answers = iter(await asyncio.gather(*(self._ask(holders, begun) for holders in unsettled)))
        return [found or next(answers) for found in judged]

    async def _ask(self, holders: Sequence[Holder], begun: float) -> Judgement:
        best: Judgement | None = None
        for holder in holders:
            judged = await self._ask_about(holder, begun)
            if judged.finding is Finding.DELIVERED:
                return judged
            best = best or judged
        assert best is not None, "asked about a registered content"
        return best

    async def _ask_about(self, holder: Holder, begun: float) -> Judgement:
        """`begun`: when the holder was registered already (monotonic)."""
        project = self._context.summary.projects.get(holder.project)
        if project is None or project.remote_id is None:
            return judge_unasked(holder, "a project", "the project does not exist at the service")
        cloud = self._cloud_of(project)
        if isinstance(cloud, str):
            return judge_unasked(holder, project.name, cloud)
        try:
            async with self._slots:
                await self._check_project(cloud, project)
                return await self._look(cloud.store(project.remote_id), holder, project.name)
        except Unsupported as error:
            if isinstance(error.__cause__, CloudUnintelligible):
                return judge_unasked(holder, project.name, error.message)
            if holder.project in self._listings:
                await self._list(holder.project, begun)
            listing = self._listings.get(holder.project)
            if listing is not None:  # which is all that this account sees
                return judge_object(holder, listing.objects.get(holder.object or ""), project.name)
            return judge_unseen(holder, project.name)
        except EngineError:
            raise
        except UploaderError as error:
            if isinstance(error, LinkError):
                until = self._context.clocks.monotonic() + _UNREACHABLE_SECONDS
                self._unreachable[project.account] = (until, error.message)
            return judge_unasked(holder, project.name, error.message)

    def _cloud_of(self, project: ProjectRecord) -> Cloud | str:
        """The cloud of its account, or why that cannot be asked now."""
        until, why = self._unreachable.get(project.account, (0.0, ""))
        if self._context.clocks.monotonic() < until:
            return why
        signed_in = self._context.account_of(project)
        if signed_in is None:
            return "the engine is not signed in to its account"
        return "there is no connection to the cloud" if signed_in.link.down else signed_in.cloud

    # --------------------------------------------------------------------------------------------------- listing

    async def _list(self, number: int, since: float) -> None:
        """List the objects of a project, unless its list is newer than that (monotonic). After a failure it has none.

        Raises EngineError.
        """
        async with self._listing[number]:
            listing = self._listings.get(number)
            if number not in self._unlisted and (listing is None or listing.since <= since):
                self._listings.pop(number, None)
                await self._list_anew(number)

    async def _list_anew(self, number: int) -> None:
        project = self._context.summary.projects.get(number)
        if project is None or project.remote_id is None:
            return
        cloud, now = self._cloud_of(project), self._context.clocks.monotonic()
        if isinstance(cloud, str):
            return
        try:
            await self._check_project(cloud, project)
            store = cloud.store(project.remote_id)
            await store.open()
            self._listings[number] = _Listing(await store.list_objects(_MOST_LISTED), now)
        except EngineError:
            raise
        except UploaderError as error:
            if not error.retryable:
                self._unlisted.add(number)

    def _judge_by_list(self, holders: Sequence[Holder]) -> Judgement | None:
        """DELIVERED if a list proves it; None: it proves nothing."""
        for holder in holders:
            listing = self._listings.get(holder.project)
            stored = None if listing is None else listing.objects.get(holder.object or "")
            if stored is not None:
                judged = judge_object(holder, stored, "")
                if judged.evidence is Evidence.STORAGE:
                    return judged
        return None

    # ---------------------------------------------------------------------------------------------------- asking

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

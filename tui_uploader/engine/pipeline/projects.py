"""Projects of the journal and of the service: find the one the user means, and create it at the service once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence

from tui_uploader.cloud.contract import Cloud, RemoteProject
from tui_uploader.engine.accounts.accounts import SignedIn
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.tables import projects
from tui_uploader.errors import LinkError, NoSuchProject, NotSignedIn, SignInError, Unsupported, UsageError
from tui_uploader.model.projects import (
    ExistingProject,
    NewProject,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
    Target,
)
from tui_uploader.text import printable

FindProject = Callable[[sqlite3.Connection], int]
"""Finds a project in the journal or adds it, as part of a transaction."""

LISTING_SECONDS = 10.0
"""Time for each service to list its projects."""
WHOLE_LIST_SECONDS = 600.0
"""How long later pages of a list count as unchanged while its first page tells of no other projects."""


class Projects:
    """Creates projects at the service once, and finds the one that the user means."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._creating: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last_listed: dict[str, Sequence[RemoteProject]] = {}
        """What the service listed the last time, by account."""
        self._listed_whole: dict[str, float] = {}
        """When the whole list was read the last time (monotonic), by account."""
        context.notifier.on_retry(self._listed_whole.clear)

    async def created(self, project: int) -> str:
        """Return the service's id of the project, after creating it there if necessary.

        Raises NotSignedIn, LinkError and other errors of the cloud.
        """
        async with self._creating[project]:
            row = self._context.summary.projects[project]
            if row.remote_id is not None:
                return row.remote_id
            account = self._context.account_of(row)
            if account is None:
                raise NotSignedIn(f"Not signed in as {row.account}.")
            remote = await self._lost_reply_to(row, account.cloud) if row.make_asked_at else None
            if remote is None:
                if row.kind is ProjectKind.RESULTS:
                    await account.cloud.results.check_taken()
                before = [remote.id for remote in await self._listed(account.cloud, row.name)]
                await self._set(project, make_asked_at=self._context.clocks.wall(), make_before="\n".join(before))
                remote = await account.cloud.create_project(row.name)
            await self._set(project, remote_id=remote.id, web_address=remote.web_address, word=remote.word)
            return remote.id

    async def _lost_reply_to(self, row: ProjectRecord, cloud: Cloud) -> RemoteProject | None:
        """Return the project that an earlier call created although its answer was lost, if the service lists it."""
        known = {other.remote_id for other in self._known_of(row.account)} | set(row.make_before.split("\n"))
        return next((remote for remote in await self._listed(cloud, row.name) if remote.id not in known), None)

    async def _listed(self, cloud: Cloud, name: str) -> list[RemoteProject]:
        """Return the projects of that name; none if the service does not list projects."""
        try:
            listed = await cloud.projects()
        except Unsupported:
            return []
        return [remote for remote in listed if remote.name in (name, cloud.kept_name(name))]

    async def meant(self, text: str, account: str | None, kind: ProjectKind) -> int:
        """Return the project that the user names by id or name, added to the journal if only the service knows it.

        Raises NoSuchProject, also if the name is not unique; NotSignedIn, LinkError.
        """
        known = self._known(text, account)
        if known is not None:
            return known
        return await self._context.journal.write(await self._at_service(text, account, kind))

    async def known(self, target: Target, account: str | None, kind: ProjectKind) -> int | None:
        """Return the project of an upload to `target` if the journal has it. Raises NoSuchProject."""
        match target:
            case ExistingProject(id_or_name):
                return self._known(id_or_name, account)
            case NewProject(name):
                try:
                    owner = self._context.accounts.chosen(account).login.account
                except NotSignedIn:
                    return None
                return await self._context.journal.read(
                    lambda connection: projects.newest_named(connection, owner, name, kind)
                )

    async def for_upload(self, target: Target, account: str | None, kind: ProjectKind) -> FindProject:
        """Return a function that finds the project of an upload or adds it, in the upload's transaction.

        Raises UsageError, NoSuchProject, also where the name is not unique; NotSignedIn, LinkError.
        """
        match target:
            case NewProject(name):
                return self.new(name, account, kind)
            case ExistingProject(id_or_name):
                known = self._known(id_or_name, account)
                if known is not None:
                    return lambda _: known
                return await self._at_service(id_or_name, account, kind)

    async def _at_service(self, text: str, account: str | None, kind: ProjectKind) -> FindProject:
        """Raises NoSuchProject, NotSignedIn, LinkError."""
        signed_in = self._context.accounts.chosen(account)
        remote = await self.remote(text, signed_in)
        owner = signed_in.login.account
        return lambda connection: projects.remote_project(connection, owner, remote, kind)

    def _known(self, text: str, account: str | None) -> int | None:
        summary = self._context.summary
        rows = [row for row in summary.projects.values() if account in (None, row.account)]
        rows = [row for row in rows if not summary.vanished(row.id)]
        by_id = [row for row in rows if row.remote_id == text]
        by_name = by_id or [row for row in rows if row.name == text]
        if len(by_name) > 1:
            ids = ", ".join(row.remote_id or "not created yet" for row in by_name)
            raise NoSuchProject(f"Several projects have the name {printable(text)} ({ids}). Use the id instead.")
        return by_name[0].id if by_name else None

    async def remote(self, text: str, signed_in: SignedIn) -> RemoteProject:
        """The service's project of this id or name. Raises NoSuchProject, also where the name is not unique."""
        cloud = signed_in.cloud
        try:
            listed: Sequence[RemoteProject] = await cloud.projects()
        except Unsupported:
            listed = ()
        named = [remote for remote in listed if text in (remote.id, remote.name)]
        if len(named) == 1:
            return named[0]
        if len(named) > 1:
            ids = ", ".join(remote.id for remote in named)
            raise NoSuchProject(f"Several projects have the name {printable(text)} ({ids}). Use the id instead.")
        return await cloud.project(text)

    def _known_of(self, account: str) -> list[ProjectRecord]:
        return [row for row in self._context.summary.projects.values() if row.account == account]

    def new(self, name: str, account: str | None, kind: ProjectKind) -> FindProject:
        """Return a function that finds the project of that name that this machine created, or adds one.

        Raises UsageError, NotSignedIn.
        """
        if not name.strip():
            raise UsageError("A project needs a name.")
        owner = self._context.accounts.chosen(account).login.account

        def keep(connection: sqlite3.Connection) -> int:
            before = projects.newest_named(connection, owner, name, kind)
            return projects.add_project(connection, owner, name, kind) if before is None else before

        return keep

    def names_listed(self, account: str) -> frozenset[str]:
        """Names of the projects that the service listed the last time."""
        return frozenset(remote.name for remote in self._last_listed.get(account, ()))

    async def other(self, text: str) -> Project:
        """Return the project of this id or name that only the service knows. Raises NoSuchProject, NotSignedIn."""
        signed_in = self._context.accounts.chosen(None)
        return _foreign(await self.remote(text, signed_in), signed_in.login.account)

    async def others(self) -> tuple[Project, ...]:
        """List the projects of all accounts that the journal does not have.

        Of a service that does not answer in time, those that it listed before.
        """
        lists = await asyncio.gather(*(self._others_of(signed_in) for signed_in in self._context.accounts.all))
        return tuple(project for projects in lists for project in projects)

    async def _others_of(self, signed_in: SignedIn) -> list[Project]:
        account = signed_in.login.account
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                self._last_listed[account] = await self._list(signed_in)
        except (Unsupported, LinkError, SignInError, TimeoutError):
            pass  # the list is a convenience; projects with uploads are in the journal
        else:
            await self._learn(account)
        known = {row.remote_id for row in self._known_of(account)}
        return [_foreign(remote, account) for remote in self._last_listed.get(account, ()) if remote.id not in known]

    async def _list(self, signed_in: SignedIn) -> Sequence[RemoteProject]:
        """List the projects of an account: all pages only now and then, because screens ask every minute."""
        account, now = signed_in.login.account, self._context.clocks.monotonic()
        read_at = self._listed_whole.get(account)
        if read_at is not None and now - read_at < WHOLE_LIST_SECONDS:
            return await signed_in.cloud.projects(self._last_listed.get(account, ()))
        listed = await signed_in.cloud.projects()
        self._listed_whole[account] = now
        return listed

    async def _learn(self, account: str) -> None:
        """Note what the service listed about projects of the journal."""
        listed = {remote.id: remote for remote in self._last_listed[account]}
        rows = [(row, listed.get(row.remote_id or "")) for row in self._known_of(account)]
        news = [(row.id, remote) for row, remote in rows if remote is not None and _is_news(row, remote)]
        if not news:
            return

        def note(connection: sqlite3.Connection) -> None:
            for project, remote in news:
                row = projects.project(connection, project)
                projects.set_project(connection, project, cloud_images=remote.images)
                if not row.was_processed and remote.certainly_processed:
                    projects.note_processed_elsewhere(connection, project, remote)

        await self._context.journal.write(note)

    async def _set(self, project: int, **facts: object) -> None:
        def change(connection: sqlite3.Connection) -> None:
            projects.set_project(connection, project, **facts)

        await self._context.journal.write(change)


def _is_news(row: ProjectRecord, remote: RemoteProject) -> bool:
    """Whether the list tells something of a project of the journal. Processing from here is followed elsewhere."""
    return remote.images != row.cloud_images or (not row.was_processed and remote.certainly_processed)


def _foreign(remote: RemoteProject, account: str) -> Project:
    state = remote.state or ProcessingState.NOT_STARTED
    processing = Processing(state=state, word=remote.word, reason=remote.error_reason)
    return Project(
        remote.id,
        remote.name,
        ProjectKind.RESULTS if remote.results and not remote.images else ProjectKind.IMAGES,
        account,
        processing=processing,
        web_address=remote.web_address,
        images_in_cloud=remote.images,
    )

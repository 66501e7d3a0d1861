"""Accounts that are signed in: their logins, clouds, links and problems."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tui_uploader.cloud import login_store
from tui_uploader.cloud.contract import Cloud
from tui_uploader.engine.accounts.link_monitor import LinkMonitor
from tui_uploader.engine.notifier import Notifier, Topic
from tui_uploader.errors import LinkError, NotSignedIn, Remedy, UploaderError
from tui_uploader.model.accounts import Account, Login, SignInRequest
from tui_uploader.settings import Directories, Settings, cloud_address

log = logging.getLogger(__name__)

MakeCloud = Callable[[Login], Cloud]


@dataclass(slots=True)
class SignedIn:
    """One account, its cloud and its state."""

    login: Login
    source: str
    cloud: Cloud
    link: LinkMonitor
    problem: UploaderError | None = None
    """Why no file of this account can be sent until a person acts."""
    _transfers: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def usable(self) -> bool:
        return self.problem is None and not self.link.down

    @property
    def needs_person(self) -> UploaderError | None:
        """What only a person can solve: a refused login, or a link that must not be trusted."""
        trouble = self.link.trouble
        distrusted = self.link.down and trouble is not None and trouble.remedy is Remedy.PERSON
        return trouble if distrusted else self.problem

    @property
    def account(self) -> Account:
        return Account(self.login.account, self.login.cloud_url, self.login.client_id, self.source)

    @contextlib.contextmanager
    def transferring(self) -> Iterator[None]:
        """The current task sends files with this login until the end of the block; `leave` cancels it."""
        task = asyncio.current_task()
        assert task is not None, "a transfer is a task"
        self._transfers.add(task)
        try:
            yield
        finally:
            self._transfers.discard(task)

    async def leave(self) -> None:
        """End all that uses the login: transfers first, so that their parts are kept in good order."""
        transfers = list(self._transfers)
        for task in transfers:
            task.cancel()
        await asyncio.gather(*transfers, return_exceptions=True)
        await self.link.close()
        await self.cloud.close()


class Accounts:
    """The accounts that are signed in to this engine."""

    def __init__(
        self,
        directories: Directories,
        settings: Settings,
        make_cloud: MakeCloud,
        notifier: Notifier,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._directories = directories
        self._settings = settings
        self._make_cloud = make_cloud
        self._notifier = notifier
        self._clock = clock
        self._random = random
        self._known: dict[str, SignedIn] = {}
        self._default: str | None = None
        notifier.on_retry(self._probe_links)

    async def load_stored(self) -> None:
        """Sign in with the stored login of the profile, without asking the cloud."""
        found = await asyncio.to_thread(
            login_store.stored_login, self._settings.profile, self._directories, self._settings
        )
        if found is not None:
            login, source = found
            await self._admit(login, source)
            self._default = login.account

    async def sign_in(self, request: SignInRequest) -> Account:
        """Sign in, and replace another login of the account.

        Raises SignInRefused, LinkError and other errors of the cloud, and UsageError for an invalid address; then
        nothing is changed.
        """
        cloud_address(request.login.cloud_url)
        if request.verify:
            await self._verify(request.login)
        source = "environment"
        if request.keep:
            source = await asyncio.to_thread(
                login_store.keep_login, request.profile, request.login, self._directories, self._settings
            )
        signed_in = await self._admit(request.login, source)
        if request.keep or self._default is None:
            self._default = request.login.account
        self._changed()
        return signed_in.account

    async def sign_out(self, profile: str) -> bool:
        """Delete the stored login, and leave its account. False when there was none."""
        forgotten = await asyncio.to_thread(login_store.forget_login, profile, self._directories, self._settings)
        if self._default is not None and profile == self._settings.profile:
            signed_in = self._known.pop(self._default, None)
            self._default = None
            if signed_in is not None:
                await signed_in.leave()
                forgotten = True
        self._changed()
        return forgotten

    def of(self, account: str) -> SignedIn | None:
        """None while not signed in to the account."""
        return self._known.get(account)

    def chosen(self, account: str | None) -> SignedIn:
        """The named account, or the default one.

        Raises NotSignedIn.
        """
        name = account or self._default
        found = self._known.get(name) if name else None
        if found is None:
            raise NotSignedIn(
                "Not signed in. Run `tui-uploader login`, or set PIX4D_CLIENT_ID and PIX4D_CLIENT_SECRET; "
                "`tui-uploader demo` works without an account."
            )
        return found

    @property
    def all(self) -> tuple[SignedIn, ...]:
        return tuple(self._known.values())

    async def close(self) -> None:
        await asyncio.gather(*(signed_in.leave() for signed_in in self._known.values()))

    async def _verify(self, login: Login) -> None:
        same = self._known.get(login.account)
        if same is not None and same.login == login:
            await same.cloud.sign_in()
            same.problem = None
            return
        trial = self._make_cloud(login)
        try:
            await trial.sign_in()
        finally:
            await trial.close()

    async def _admit(self, login: Login, source: str) -> SignedIn:
        before = self._known.get(login.account)
        if before is not None and before.login == login:
            before.problem = None
            before.source = source
            return before
        cloud = self._make_cloud(login)
        link = LinkMonitor(cloud, self._changed, self._notifier.retry_now, clock=self._clock, random=self._random)
        signed_in = SignedIn(login, source, cloud, link)
        self._known[login.account] = signed_in
        if before is not None:
            await before.leave()
        return signed_in

    def _changed(self) -> None:
        self._notifier.notify(Topic.ACCOUNTS)

    def _probe_links(self) -> None:
        for signed_in in self._known.values():
            signed_in.link.try_now()

    def note(self, signed_in: SignedIn, error: UploaderError) -> None:
        """Note an error that concerns the account or its link rather than a single call."""
        if isinstance(error, LinkError):
            signed_in.link.suspect(error)
            return
        if signed_in.problem is None:
            log.warning("Account %s: %s", signed_in.login.account, error)
        signed_in.problem = error
        self._changed()

"""A command's way to the engine, and whose login it works with."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from tui_uploader.cli.answer import say
from tui_uploader.errors import CloudBusy, CloudFault, LinkError
from tui_uploader.model import EngineStatus, Login, SignInRequest
from tui_uploader.settings import Directories, Settings, load
from tui_uploader.text import printable

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

Answer = TypeVar("Answer")


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do `work` to its end; Ctrl-C cancels it and comes out as KeyboardInterrupt."""
    import asyncio  # commands that only print help do without it

    return asyncio.run(work)


@asynccontextmanager
async def connected(*, spawn: bool = True, any_version: bool = False) -> AsyncIterator[EngineClient]:
    """The engine of this user, started if there is none and `spawn`; one of another version only with `any_version`.

    Raises EngineUnreachable, EngineWillNotStart, EngineVersionDiffers.
    """
    from tui_uploader.service.client import EngineClient

    async with EngineClient.connect(Directories.of_user(), spawn=spawn, any_version=any_version) as engine:
        yield engine


@asynccontextmanager
async def changes_of(engine: EngineClient) -> AsyncIterator[AsyncIterator[EngineStatus]]:
    """The engine's status now and whenever it changes; the connection is given back when the block ends."""
    changes = engine.changes()
    try:
        yield changes
    finally:
        if isinstance(changes, AsyncGenerator):
            await changes.aclose()


async def hand_over_login(engine: EngineClient) -> str | None:
    """Give the engine the login that the environment carries, and return its account.

    None when it carries none: the engine then works with the stored login. A cloud that cannot be reached is no
    reason to refuse the work, since the engine waits for it; a login that it refuses is. Raises SignInRefused.
    """
    login = _environment_login(load())
    if login is None:
        return None
    request = SignInRequest(login, keep=False, verify=True)
    try:
        account = await engine.sign_in(request)
    except (LinkError, CloudBusy, CloudFault) as error:
        say(f"{printable(str(error))} The login could not be checked; work is queued until the cloud answers.")
        account = await engine.sign_in(replace(request, verify=False))
    return account.account


def _environment_login(settings: Settings) -> Login | None:
    if settings.login is None:
        return None
    return Login(settings.cloud_url, settings.login.client_id, settings.login.client_secret)

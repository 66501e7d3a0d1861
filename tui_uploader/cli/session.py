"""A command's way to the engine, and whose login it works with."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from tui_uploader.cli.output import print_note
from tui_uploader.errors import CloudBusy, CloudFault, Interrupted, LinkError, UsageError
from tui_uploader.model import EngineStatus, FileItem, FileQuery, Login, SignInRequest
from tui_uploader.settings import Directories, Settings, load
from tui_uploader.text import printable
from tui_uploader.wording.notices import explained

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

T = TypeVar("T")

_WINDOW = 1000
"""Files that are asked for at once."""


def run(work: Coroutine[Any, Any, T], *, cancelled_by: Iterable[signal.Signals] = (signal.SIGTERM,)) -> T:
    """Do `work` to its end. Ctrl-C and the given signals cancel it, so that what it has opened is left in good order.

    Raises KeyboardInterrupt for Ctrl-C, Interrupted for a signal.
    """
    import asyncio  # commands that only print help do without it

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None
        for number in cancelled_by:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        raise Interrupted("The command was told to end.") from None


@asynccontextmanager
async def connected(
    *, spawn: bool = True, any_version: bool = False, introduce: bool = True
) -> AsyncIterator[EngineClient]:
    """The engine of this user, started if there is none and `spawn`; one of another version only with `any_version`.

    An engine that may have been started just now gets to know the environment's login, unless `introduce` is off.
    Raises EngineUnreachable, EngineWillNotStart, EngineVersionDiffers.
    """
    from tui_uploader.service.client import EngineClient

    async with EngineClient.connect(Directories.of_user(), spawn=spawn, any_version=any_version) as engine:
        if spawn and introduce:
            await _introduce(engine)
        yield engine


async def _introduce(engine: EngineClient) -> None:
    """Give the engine the environment's login if it knows none of that account: its uploads wait for it.

    What is wrong with that login, or with its cloud's address, is said and keeps no command from its work. Unchecked,
    since the command at hand may need no cloud. A login that the engine has stays, since the one of this shell may be
    wrong and uploads may be under way.
    """
    try:
        login = _environment_login(load())
        if login is not None and login.account not in [known.account for known in await engine.accounts()]:
            await engine.sign_in(SignInRequest(login, keep=False, verify=False))
    except UsageError as error:
        print_note(printable(str(error)))


@asynccontextmanager
async def changes_of(engine: EngineClient) -> AsyncIterator[AsyncIterator[EngineStatus]]:
    """The engine's status now and whenever it changes; the connection is given back when the block ends."""
    changes = engine.changes()
    try:
        yield changes
    finally:
        if isinstance(changes, AsyncGenerator):
            await changes.aclose()


async def every_file(engine: EngineClient, upload: int) -> AsyncIterator[FileItem]:
    """All files in the order they were added, window by window.

    Not filtered by the engine: while files change status between two windows, the windows of a filtered list would
    overlap and leave gaps.
    """
    offset = 0
    while True:
        window = await engine.files(upload, FileQuery(offset=offset, limit=_WINDOW))
        for item in window.files:
            yield item
        offset += len(window.files)
        if not window.files or offset >= window.total:
            return


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
        until = "the cloud answers" if error.retryable else "that is put right"
        print_note(
            f"{explained(error.kind, error.message)} The login could not be checked; work is queued until {until}."
        )
        account = await engine.sign_in(replace(request, verify=False))
    return account.account


def _environment_login(settings: Settings) -> Login | None:
    if settings.login is None:
        return None
    return Login(settings.cloud_url, settings.login.client_id, settings.login.client_secret)

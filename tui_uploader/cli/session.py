"""A command's connection to the engine, and the login that it brings along."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tui_uploader.cli.output import print_note
from tui_uploader.errors import Interrupted, UsageError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.files import FileItem, FileQuery
from tui_uploader.service.login import hand_over_login
from tui_uploader.settings import Directories, load
from tui_uploader.text import printable
from tui_uploader.wording.notices import explained

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

T = TypeVar("T")

_WINDOW = 1000
"""Files per request."""


def run(work: Coroutine[Any, Any, T], *, cancelled_by: Iterable[signal.Signals] = (signal.SIGTERM,)) -> T:
    """Run `work` to its end. Ctrl-C and the given signals cancel it, so that it can clean up.

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
        raise Interrupted("The command was terminated by a signal.") from None


@asynccontextmanager
async def connected(
    *, spawn: bool = True, any_version: bool = False, introduce: bool = True
) -> AsyncIterator[EngineClient]:
    """Connect to the user's engine; start one if none runs and `spawn`. Another version is accepted with `any_version`.

    A started engine receives the login of the environment, unless `introduce` is off.
    Raises EngineUnreachable, EngineWillNotStart, EngineVersionDiffers.
    """
    from tui_uploader.service.client import EngineClient

    async with EngineClient.connect(Directories.of_user(), spawn=spawn, any_version=any_version) as engine:
        if spawn and introduce:
            await _introduce(engine)
        yield engine


async def _introduce(engine: EngineClient) -> None:
    """Give the engine the environment's login unless it already has one for that account.

    Problems with the login or the cloud's address are reported, but do not stop the command. The login is not checked,
    since the command may not need the cloud. A login that the engine already has is kept: the one of this shell may be
    wrong, and uploads may be running.
    """
    try:
        await hand_over_login(engine, load(), check=False)
    except UsageError as error:
        print_note(printable(str(error)))


@asynccontextmanager
async def changes_of(engine: EngineClient) -> AsyncIterator[AsyncIterator[EngineStatus]]:
    """The engine's status, now and after each change; the connection is closed when the block ends."""
    changes = engine.changes()
    try:
        yield changes
    finally:
        if isinstance(changes, AsyncGenerator):
            await changes.aclose()


async def every_file(engine: EngineClient, upload: int) -> AsyncIterator[FileItem]:
    """All files in the order in which they were added, read in windows.

    Not filtered by the engine: files change status between two windows, so windows of a filtered list would overlap or
    leave gaps.
    """
    offset = 0
    while True:
        window = await engine.files(upload, FileQuery(offset=offset, limit=_WINDOW))
        for item in window.files:
            yield item
        offset += len(window.files)
        if not window.files or offset >= window.total:
            return


async def sign_in(engine: EngineClient) -> str | None:
    """Give the engine the login of the environment, and return its account.

    None if there is none: the engine then uses the stored login. An unreachable cloud does not stop the command, since
    the engine waits for it; a refused login does. Raises SignInRefused.
    """
    handed_over = await hand_over_login(engine, load())
    if handed_over is None:
        return None
    if (error := handed_over.unchecked) is not None:
        until = "the cloud answers" if error.retryable else "this is fixed"
        print_note(
            f"{explained(error.kind, error.message)} The login could not be checked; uploads wait until {until}."
        )
    return handed_over.account

"""A world of its own for the demo: directories, local cloud and engine that live in one folder and die with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui_uploader.cli.session import connected
from tui_uploader.codec import Malformed, from_json
from tui_uploader.errors import EngineError, UploaderError
from tui_uploader.service.spawn import OWN_PYTHON

if TYPE_CHECKING:
    from asyncio.subprocess import Process

_PATIENCE = 20.0
"""Seconds that a process of ours is given to come up, or to go."""


class CloudAddress(msgspec.Struct, frozen=True):
    """The line with which `cloud serve --json` says that it listens."""

    url: str
    client_id: str
    client_secret: str
    root: str


@contextmanager
def sandboxed(folder: Path) -> Iterator[None]:
    """Everything that this process and its children look up by environment lies in `folder`, until the block ends."""
    with _environment(
        {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TUI_UPLOADER_NO_KEYRING": "1",
            "TUI_UPLOADER_IDLE_EXIT": "60",
            "TUI_UPLOADER_PROFILE": "default",
            "TUI_UPLOADER_PROXY": "",
            "TUI_UPLOADER_CA_FILE": "",
            "NO_PROXY": "127.0.0.1,localhost,::1",
        }
    ):
        yield


@asynccontextmanager
async def local_cloud(root: Path, processing_seconds: float) -> AsyncIterator[CloudAddress]:
    """A local cloud as a process of its own; its login is in the environment. Raises EngineError."""
    process = await asyncio.create_subprocess_exec(
        *(*OWN_PYTHON, "-m", "tui_uploader", "cloud", "serve", "--json", "--port", "0"),
        *("--root", str(root), "--processing-seconds", str(processing_seconds)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C in the terminal is for us: the cloud has to outlive the engine
    )
    try:
        address = await _address_told_by(process)
        login = {
            "PIX4D_CLOUD_URL": address.url,
            "PIX4D_CLIENT_ID": address.client_id,
            "PIX4D_CLIENT_SECRET": address.client_secret,
        }
        with _environment(login):
            yield address
    finally:
        await _ended(process)


@asynccontextmanager
async def own_engine() -> AsyncIterator[None]:
    """An engine for the block, gone for certain after it. Only ever within `sandboxed`."""
    async with connected() as engine:
        found = await engine.engine()
    try:
        yield
    finally:
        with suppress(UploaderError):  # it may be gone already
            async with connected(spawn=False) as engine:
                await engine.stop()
        await _gone(found.pid)
        # Where the path in the sandbox is too long for a socket, its folder lies beside the sandbox.
        shutil.rmtree(Path(found.socket).parent, ignore_errors=True)


async def run_on_this_terminal() -> int:
    """The full-screen app on what is here, in a process of its own; its exit code when the user has left it.

    Who stops waiting ends it first, so that it gives the terminal back.
    """
    process = await asyncio.create_subprocess_exec(*OWN_PYTHON, "-m", "tui_uploader", "--in-demo")
    try:
        return await process.wait()
    finally:
        await _ended(process)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _address_told_by(process: Process) -> CloudAddress:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            return from_json(await process.stdout.readline(), CloudAddress)
    except (TimeoutError, Malformed):
        raise EngineError("The local cloud did not come up.") from None


async def _ended(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _gone(pid: int) -> None:
    """Wait until process `pid` is gone, and help it on when it does not go."""
    try:
        async with asyncio.timeout(_PATIENCE):
            while _lives(pid):  # noqa: ASYNC110 - no event tells of the end of a process that is not our child
                await asyncio.sleep(0.05)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""Directories, local cloud and engine of the demo: in one temporary folder, and gone with it."""

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

_PROCESS_TIMEOUT = 20.0
"""Seconds that a process has to start or to end."""


class CloudAddress(msgspec.Struct, frozen=True):
    """The line that `cloud serve --json` prints when it is ready."""

    url: str
    client_id: str
    client_secret: str
    root: str


@contextmanager
def sandboxed(folder: Path, **variables: str) -> Iterator[None]:
    """Point all directories of this process and its children to `folder`, through the environment.

    `variables` are added to it.
    """
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
            **variables,
        }
    ):
        yield


@asynccontextmanager
async def local_cloud(root: Path, processing_seconds: float) -> AsyncIterator[CloudAddress]:
    """Run a local cloud as a process, with its login in the environment. Raises EngineError."""
    process = await asyncio.create_subprocess_exec(
        *(*OWN_PYTHON, "-m", "tui_uploader", "cloud", "serve", "--json", "--port", "0"),
        *("--root", str(root), "--processing-seconds", str(processing_seconds)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C in the terminal must not reach it: the cloud has to outlive the engine
    )
    try:
        address = await _read_address(process)
        login = {
            "PIX4D_CLOUD_URL": address.url,
            "PIX4D_CLIENT_ID": address.client_id,
            "PIX4D_CLIENT_SECRET": address.client_secret,
        }
        with _environment(login):
            yield address
    finally:
        await _end(process)


@asynccontextmanager
async def own_engine() -> AsyncIterator[None]:
    """Run an engine for the block and end it for certain. Only within `sandboxed`."""
    async with connected() as engine:
        found = await engine.engine()
    try:
        yield
    finally:
        with suppress(UploaderError):  # it may have ended already
            async with connected(spawn=False) as engine:
                await engine.stop()
        await _end_engine(found.pid)
        # Where the path in the sandbox is too long for a socket, the socket's folder is outside the sandbox.
        shutil.rmtree(Path(found.socket).parent, ignore_errors=True)


async def run_on_this_terminal() -> int:
    """Run the full-screen app as a process, and return its exit code.

    When cancelled, end the app first, so that it restores the terminal.
    """
    process = await asyncio.create_subprocess_exec(*OWN_PYTHON, "-m", "tui_uploader", "--in-demo")
    try:
        return await process.wait()
    finally:
        await _end(process)


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


async def _read_address(process: Process) -> CloudAddress:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PROCESS_TIMEOUT):
            return from_json(await process.stdout.readline(), CloudAddress)
    except (TimeoutError, Malformed):
        raise EngineError(f"The local cloud did not start within {_PROCESS_TIMEOUT:.0f} s.") from None


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PROCESS_TIMEOUT):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _end_engine(pid: int) -> None:
    """Wait until process `pid` has ended, and kill it if it does not end in time."""
    try:
        async with asyncio.timeout(_PROCESS_TIMEOUT):
            while _runs(pid):  # noqa: ASYNC110 - there is no event for the end of a process that is not our child
                await asyncio.sleep(0.05)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

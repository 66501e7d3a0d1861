"""A home folder per test, and engines that end with the test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.service.stand_in import StandInManager
from tui_uploader.errors import EngineUnreachable
from tui_uploader.service.client import EngineClient
from tui_uploader.service.daemon import run_engine
from tui_uploader.service.instance import lock_holder
from tui_uploader.service.spawn import start_engine
from tui_uploader.settings import Directories, Settings

ROOT = Path(__file__).parents[2]
DEADLINE = 15.0


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as `condition` holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.01)


async def eventually_async(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"still not: {what}"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def directories(monkeypatch: pytest.MonkeyPatch) -> Iterator[Directories]:
    """Directories of this environment; with a short path, as sockets require."""
    home = Path(tempfile.mkdtemp(prefix="tu-"))
    monkeypatch.setenv("HOME", os.fspath(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", os.fspath(home / name.lower()))
    for name in list(os.environ):
        if name.startswith(("PIX4D_", "TUI_UPLOADER_", "STAND_IN_")):
            monkeypatch.delenv(name)
    yield Directories.of_user()
    shutil.rmtree(home, ignore_errors=True)


@dataclass
class Spawner:
    """Spawns engines with the stand-in manager; a `start` for `EngineClient.connect`."""

    directories: Directories
    environment: dict[str, str] = field(default_factory=dict)
    started: int = 0

    def __call__(self, directories: Directories) -> None:
        self.started += 1
        start_engine(
            directories,
            command=(sys.executable, "-m", "tests.service.stand_in_engine"),
            environment={**os.environ, "PYTHONPATH": os.fspath(ROOT), **self.environment},
        )

    @property
    def pid(self) -> int:
        found = lock_holder(self.directories)
        assert found is not None and found.pid is not None, "no engine holds the lock"
        return found.pid

    def connect(self, *, spawn: bool = True, **options: bool) -> contextlib.AbstractAsyncContextManager[EngineClient]:
        return EngineClient.connect(self.directories, spawn=spawn, start=self, **options)


@pytest.fixture
def spawner(directories: Directories) -> Iterator[Spawner]:
    spawner = Spawner(directories)
    yield spawner
    while (left := lock_holder(directories)) is not None and left.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(left.pid, signal.SIGKILL)
        eventually(lambda: lock_holder(directories) is None, "the engine has ended")


@pytest.fixture
async def manager(directories: Directories) -> AsyncIterator[StandInManager]:
    """The manager of an engine that runs in this process."""
    manager = StandInManager()

    async def opened(directories: Directories, settings: Settings) -> StandInManager:
        return manager

    ready = asyncio.Event()
    engine = asyncio.create_task(
        run_engine(directories, Settings(), ready=ready.set, foreground=True, open_manager=opened)
    )
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((engine, waiting), return_when=asyncio.FIRST_COMPLETED, timeout=DEADLINE)
    assert ready.is_set(), engine
    yield manager
    with contextlib.suppress(EngineUnreachable):  # the test stopped it
        async with EngineClient.connect(directories, spawn=False, any_version=True) as client:
            await client.stop()
    await engine
    assert manager.closed


@pytest.fixture
async def client(manager: StandInManager, directories: Directories) -> AsyncIterator[EngineClient]:
    async with EngineClient.connect(directories, spawn=False) as client:
        yield client

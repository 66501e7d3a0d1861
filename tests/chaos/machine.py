"""A user's machine and the cloud that it uploads to: real processes in their own folders."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tests.chaos import rig, truth
from tests.ports import free_ports
from tests.until import until
from tui_uploader.engine.scheduling.concurrency import FIRST_STREAMS
from tui_uploader.errors import UploaderError
from tui_uploader.model.accounts import Login
from tui_uploader.model.engine import EngineStatus
from tui_uploader.service.client import EngineClient
from tui_uploader.service.socket_file import listening
from tui_uploader.settings import APP, Directories

PYTHON = (sys.executable, "-P")
PROGRAM = (*PYTHON, "-m", "tui_uploader")
DEADLINE = 60.0
_VARIABLES = {"TUI_UPLOADER_NO_KEYRING": "1", "TUI_UPLOADER_PROCESSING_DELAY": "0"}
_POLL_SECONDS = 0.05
_UNSEEN_STREAMS = 2 * FIRST_STREAMS
"""Streams that may be in use before a front end sees their number: it grows within a second."""


class EngineDied(Exception):
    """The engine exited without our SIGKILL."""


@dataclass
class Machine:
    folder: Path
    profile: str = "default"
    cloud_options: tuple[str, ...] = ()
    rig_options: tuple[str, ...] = ()
    """If not empty, every engine runs in the rig."""
    engine_prefix: tuple[str, ...] = ()
    """Command that starts the engine, for example behind an emulated link."""
    variables: dict[str, str] = field(default_factory=dict)
    """Additional environment variables of every process."""
    cloud_host: str = "127.0.0.1"
    login: Login | None = None
    seen: EngineStatus | None = None
    """The last status that a front end received."""
    kills: int = 0
    allowed_waste: int = 0
    """Bytes that the kills may have wasted: one body per stream."""
    false_at_kills: set[str] = field(default_factory=set)
    """Files that the journal of a killed engine called uploaded although the cloud did not have them."""
    tampered: int = 0
    """Requests and connections that an interceptor answered or changed."""
    _engine: asyncio.subprocess.Process | None = None
    _cloud: asyncio.subprocess.Process | None = None
    _port: int = 0
    _most_streams: int = 0

    @property
    def card(self) -> Path:
        return self.folder / "card"

    @property
    def hosts(self) -> Path:
        """If it exists, the name `localhost` resolves to the address in this file."""
        return self.folder / "hosts"

    @property
    def cloud_port(self) -> int:
        return self._port

    @property
    def cloud_root(self) -> Path:
        return self.folder / "cloud"

    @property
    def directories(self) -> Directories:
        """The directories that platformdirs determines in `environment`."""
        data = self.folder / "data" / APP
        return Directories(self.folder / "config" / APP, data, self.folder / "state" / APP, data / "engine/engine.sock")

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PIX4D_", "TUI_UPLOADER_"))}
        homes = {f"XDG_{kind.upper()}_HOME": str(self.folder / kind) for kind in ("config", "data", "state", "cache")}
        return ours | homes | {"HOME": str(self.folder), **_VARIABLES} | self.variables

    # ------------------------------------------------------------------------------------------------- the cloud

    async def start_cloud(self) -> None:
        """Start the cloud; every time on the same port."""
        self._port = self._port or free_ports(1)[0]
        options = (
            "--host",
            self.cloud_host,
            "--port",
            str(self._port),
            "--root",
            str(self.cloud_root),
            "--profile",
            self.profile,
        )
        with _appending(self.folder / "cloud.out") as output:
            self._cloud = await asyncio.create_subprocess_exec(
                *(*PROGRAM, "cloud", "serve", "--json", *options, *self.cloud_options),
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                env=self.environment,
            )
        assert self._cloud.stdout is not None
        address = json.loads(await asyncio.wait_for(self._cloud.stdout.readline(), DEADLINE))
        url = f"http://localhost:{self._port}" if self.hosts.exists() else address["url"]
        self.login = Login(url, address["client_id"], address["client_secret"])

    async def kill_cloud(self) -> None:
        assert self._cloud is not None
        self._cloud.kill()
        await self._cloud.wait()

    # ------------------------------------------------------------------------------------------------ the engine

    async def start_engine(self, *rig_options: str) -> None:
        options = (*self.rig_options, *rig_options)
        self._most_streams = 0
        with _appending(self.folder / "engine.out") as output:
            self._engine = await asyncio.create_subprocess_exec(
                *self.engine_prefix,
                *((*PYTHON, str(rig.__file__), *options) if options else (*PROGRAM, "engine", "run")),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
            )

    @property
    def engine_runs(self) -> bool:
        return self._engine is not None and self._engine.returncode is None

    @property
    def engine_pid(self) -> int:
        assert self._engine is not None
        return self._engine.pid

    async def engine_listens(self) -> None:
        """Wait until the engine listens or has exited."""
        await until(lambda: listening(self.directories.socket) or not self.engine_runs, DEADLINE)

    async def kill_engine(self) -> None:
        """Kill the engine. Raises EngineDied when it had exited before."""
        assert self._engine is not None
        with contextlib.suppress(ProcessLookupError):
            self._engine.kill()
        await self.engine_is_dead()

    async def engine_is_dead(self) -> None:
        """Wait for its end by SIGKILL and compare its journal with the cloud. Raises EngineDied for another end."""
        assert self._engine is not None
        code = await asyncio.wait_for(self._engine.wait(), DEADLINE)
        if code != -signal.SIGKILL:
            raise EngineDied(f"The engine exited unexpectedly, with code {code}.")
        self._engine = None
        self.kills += 1
        claims = await asyncio.to_thread(truth.journal_claims, self.directories.journal)
        self.allowed_waste += sum(claims.unfinished_bodies[: max(self._most_streams, _UNSEEN_STREAMS)])
        self.false_at_kills |= claims.uploaded - await asyncio.to_thread(self.images_there)

    def images_there(self) -> set[str]:
        """Names of the registered images whose objects exist, read from the cloud's files."""
        return {path.name for path in truth.cloud_contents(self.cloud_root).images.values()}

    async def stop(self) -> None:
        """Kill all processes that still run."""
        for process in (self._engine, self._cloud):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    # ------------------------------------------------------------------------------------------------- the user

    async def command(self, *arguments: str) -> str:
        """The output of a command of the program."""
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=self.environment
        )
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        assert process.returncode == 0, err.decode()
        return out.decode()

    @asynccontextmanager
    async def front_end(self) -> AsyncIterator[EngineClient]:
        async with EngineClient.connect(self.directories, spawn=False) as engine:
            yield engine

    async def watch(self) -> None:
        """Update `seen` until cancelled, through all restarts of the engine."""
        while True:
            with contextlib.suppress(UploaderError):
                async with self.front_end() as engine:
                    while True:
                        self.seen = await engine.status()
                        self._most_streams = max(self._most_streams, self.seen.streams)
                        await asyncio.sleep(_POLL_SECONDS)
            await asyncio.sleep(_POLL_SECONDS)


def _appending(path: Path) -> BinaryIO:
    return path.open("ab")

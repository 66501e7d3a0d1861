"""The test harness of the engine: a real manager, journal and local cloud, over real sockets, in one event loop.

Only the clocks are simulated: they follow the machine's, and a test may set them ahead. Tests command the engine by its
manager, as front ends do, and look inside by the properties of `World`.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.local_cloud.root_reader import starts
from tests.until import until
from tui_uploader.cloud.contract import Cloud
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.context import Clocks, EngineContext
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.notifier import Notifier, Subject
from tui_uploader.engine.sources.unfinished import DeferredFile, SettleTimes
from tui_uploader.engine.supervisor import Supervisor
from tui_uploader.intake.volumes import Volume
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.server import running
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.files import FileItem, FileQuery
from tui_uploader.model.projects import NewProject
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import AddRequest, UploadStatus
from tui_uploader.settings import Directories, Settings

SETTINGS = Settings(no_keyring=True, processing_delay=0.0)
SETTLE_TIMES = SettleTimes(young=0.0, recent=0.0, unchanged=1.0, written=0.05)
"""Tests write their files a moment before they are read: those that are about that say how long a file is young."""
_LEAP = 5.0


@dataclass(slots=True)
class MachineTime:
    """The clocks of the machine that the engine runs on (seconds)."""

    passed: float = 0.0
    """Seconds by which the clocks are ahead."""
    wall_error: float = 0.0
    """By how much the wall clock is ahead of the truth."""
    stopped_at: float | None = None
    """Time at which the monotonic clock is stopped; None: it runs."""
    looks: int = 0
    """Number of readings of the monotonic clock: every worker reads it whenever it wakes up."""

    def wall(self) -> float:
        return time.time() + self.passed + self.wall_error

    def monotonic(self) -> float:
        self.looks += 1
        return time.monotonic() + self.passed if self.stopped_at is None else self.stopped_at

    def stop(self) -> None:
        self.stopped_at = self.monotonic()


class ObservedNotifier(Notifier):
    """Calls the observers at every commit of the journal and every other change, before it wakes the workers."""

    def __init__(self, observers: list[Callable[[], None]]) -> None:
        super().__init__()
        self._observers = observers

    def notify(self, *subjects: Subject) -> None:
        for observe in self._observers:
            observe()
        super().notify(*subjects)


@dataclass(slots=True)
class World:
    """One user's machine and the cloud that it uploads to."""

    folder: Path
    options: LocalCloudOptions
    cloud: LocalCloudAddress | None = None
    time: MachineTime = field(default_factory=MachineTime)
    make_cloud: Callable[[Login], Cloud] = lambda login: Pix4dCloud(login, SETTINGS)
    settings: Settings = SETTINGS
    settle_times: SettleTimes = SETTLE_TIMES
    observers: list[Callable[[], None]] = field(default_factory=list)
    """Called at every change that the engine announces."""
    supervisor: Supervisor = field(init=False)
    """The workers behind the manager that was opened last."""

    # ------------------------------------------------------------------ the engine that was opened last, from inside

    @property
    def context(self) -> EngineContext:
        """The parts that its workers share, for tests that call such a part themselves."""
        return self.supervisor.context

    @property
    def journal(self) -> Journal:
        return self.context.journal

    @property
    def summary(self) -> Summary:
        """As of the last commit."""
        return self.journal.summary

    def files(self, upload: int, *stages: FileStage) -> int:
        """Number of files of the upload in these stages, which are finer than what front ends are shown."""
        return self.summary.files(upload, *stages)

    def project_row(self, project: str) -> ProjectRecord:
        """The journal's record of the project with this id at the service."""
        return next(row for row in self.summary.projects.values() if row.remote_id == project)

    @property
    def bytes_sent(self) -> int:
        """Bytes of files sent since the start, also those that had to be sent again."""
        return self.context.progress.sent_since_start

    @property
    def bytes_passed(self) -> int:
        """Bytes that passed the rate limiter since the start."""
        return self.context.governor.throttle.passed

    @property
    def transfers(self) -> int:
        """Number of transfers that run."""
        return self.context.progress.running

    @property
    def stream_limit(self) -> int:
        return self.context.streams.limit

    @property
    def all_streams_in_use(self) -> bool:
        return self.context.streams.all_in_use

    @property
    def deferred(self) -> Mapping[int, DeferredFile]:
        """Files that may still be written by another program, by id."""
        return self.context.unfinished.deferred

    @property
    def silent_disks(self) -> list[Volume]:
        """Cards and disks that do not respond."""
        return self.context.sources.hanging()

    def wake_all(self) -> None:
        """Have every worker look for work, as it does after changes of all kinds."""
        self.context.notifier.notify_all()

    # ----------------------------------------------------------------------------------------------- surroundings

    @property
    def card(self) -> Path:
        return self.folder / "card"

    @property
    def directories(self) -> Directories:
        home = self.folder / "home"
        return Directories(home / "config", home / "data", home / "state", home / "engine.sock")

    @asynccontextmanager
    async def cloud_running(self) -> AsyncIterator[LocalCloudAddress]:
        """The second time on, at the same port."""
        port = int(self.cloud.url.rpartition(":")[2]) if self.cloud else 0
        async with running(replace(self.options, port=port)) as address:
            self.cloud = address
            yield address

    def login(self, secret: str | None = None) -> Login:
        assert self.cloud is not None
        return Login(self.cloud.url, self.cloud.client_id, secret or self.cloud.client_secret)

    @asynccontextmanager
    async def engine(self, *, sign_in: bool = True, verify: bool = True) -> AsyncIterator[UploadManager]:
        clocks = Clocks(self.time.wall, self.time.monotonic, random.random)
        self.supervisor = await Supervisor.open(
            self.directories,
            self.settings,
            self.make_cloud,
            clocks,
            ObservedNotifier(self.observers),
            0.5,
            self.settle_times,
        )
        manager = UploadManager(self.supervisor)
        try:
            if sign_in:
                await manager.sign_in(SignInRequest(self.login(), verify=verify))
            yield manager
        finally:
            await manager.close()

    async def in_the_long_run(
        self, condition: Callable[[], object], seconds: float = 20.0, leap: float = _LEAP
    ) -> None:
        """Await `condition` while the clocks run ahead, so that pauses end at once."""

        def time_passes() -> object:
            self.time.passed += leap
            self.wake_all()
            return condition()

        await until(time_passes, seconds)

    def objects(self) -> dict[str, bytes]:
        """What the cloud holds, by name in the project."""
        objects = self.options.root / "objects"
        return {path.name: path.read_bytes() for path in objects.rglob("*") if path.is_file()}

    def starts_of(self, project: str) -> int:
        """How often processing was started, as the cloud counts."""
        return starts(self.options.root, int(project))


def left_open(folder: Path) -> list[str]:
    """Files in `folder` that this process holds open."""
    held = [os.path.realpath(descriptor) for descriptor in Path("/proc/self/fd").iterdir()]
    return [path for path in held if Path(path).is_relative_to(folder)]


async def add(
    manager: UploadManager, *paths: Path, new: str = "Quarry", auto_process: bool = True, account: str | None = None
) -> UploadStatus:
    return await manager.add(
        AddRequest(tuple(str(path) for path in paths), NewProject(new), auto_process=auto_process, account=account)
    )


async def when(
    manager: UploadManager, upload: int, condition: Callable[[UploadStatus], object], seconds: float = 30.0
) -> UploadStatus:
    """The upload's status as soon as it fulfils `condition`."""
    seen: list[UploadStatus] = []

    def holds() -> object:
        found = next(found for found in manager.queries.status().uploads if found.upload == upload)
        seen[:] = [found]
        return condition(found)

    try:
        await until(holds, seconds)
    except TimeoutError:
        raise AssertionError(f"never came: {seen}") from None
    return seen[0]


async def settled(manager: UploadManager, upload: int, seconds: float = 30.0) -> UploadStatus:
    return await when(manager, upload, lambda status: status.settled, seconds)


async def files_by_name(manager: UploadManager, upload: int) -> dict[str, FileItem]:
    window = await manager.queries.files(upload, FileQuery(limit=2000))
    return {item.name: item for item in window.files}

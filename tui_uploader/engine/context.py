"""State that the workers of the engine share, and the loop that runs each of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from tui_uploader.engine.accounts.accounts import Accounts, SignedIn
from tui_uploader.engine.bandwidth.governor import BandwidthGovernor
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.scheduling.storage_pauses import StoragePauses
from tui_uploader.engine.scheduling.stream_slots import StreamSlots
from tui_uploader.engine.scheduling.worker_failures import FailureCounts, Worker, is_quiet, unforeseen_in
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.sources.unfinished import Watches
from tui_uploader.engine.status.progress import TransferProgress
from tui_uploader.errors import UploaderError
from tui_uploader.model import Notice

log = logging.getLogger(__name__)

_GATHERING_SECONDS = 0.01
"""Every commit notifies; a worker looks once for notifications that come together."""

Step = Callable[[], Awaitable[float | None]]
"""Do what can be done now. Returns the seconds until it has to be called again; None: only when notified."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, passed in."""

    wall: Callable[[], float]
    monotonic: Callable[[], float]
    random: Callable[[], float]


@dataclass(slots=True)
class EngineContext:
    journal: Journal
    accounts: Accounts
    progress: TransferProgress
    streams: StreamSlots
    clocks: Clocks
    governor: BandwidthGovernor
    watches: Watches
    sources: SourceThreads = field(default_factory=SourceThreads)
    _subscribers: set[asyncio.Event] = field(default_factory=set)
    faults: dict[Worker, UploaderError] = field(default_factory=dict)
    """What keeps a worker of the engine from its work, such as a full disk under the journal."""
    obstacles: dict[int, Notice] = field(default_factory=dict)
    """Why stored files of a project are not registered, by project."""
    storage: StoragePauses = field(init=False)
    _failures: FailureCounts[Worker] = field(init=False)
    _pauses: set[asyncio.Event] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.storage = StoragePauses(self.clocks.monotonic, self.clocks.random)
        self._failures = FailureCounts(self.clocks.monotonic)

    @property
    def summary(self) -> Summary:
        return self.journal.summary

    def notify(self) -> None:
        """Something changed: everybody look."""
        for changed in self._subscribers:
            changed.set()

    @contextlib.contextmanager
    def subscribed(self) -> Iterator[asyncio.Event]:
        """An event that every `notify` sets."""
        changed = asyncio.Event()
        self._subscribers.add(changed)
        try:
            yield changed
        finally:
            self._subscribers.discard(changed)

    def account_of(self, project: ProjectRecord) -> SignedIn | None:
        return self.accounts.of(project.account)

    async def run(self, name: str, step: Step) -> None:
        """Run `step` when notified, or when its time has come, until cancelled.

        The edge of a task: what goes wrong here is logged, shown as a fault, and tried again.
        """
        with self.subscribed() as changed:
            while True:
                changed.clear()
                try:
                    delay = await step()
                    self.recovered(name)
                except UploaderError as error:
                    await self.trouble(name, error)
                except asyncio.CancelledError:
                    if (task := asyncio.current_task()) is None or task.cancelling():
                        raise
                    await asyncio.sleep(1.0)  # not this worker was cancelled, but a call that it shared with others
                except Exception as error:
                    log.exception("%s met something unforeseen", name)
                    await self.trouble(name, unforeseen_in(name, error))
                else:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(delay):
                            await changed.wait()
                    await asyncio.sleep(_GATHERING_SECONDS)

    async def trouble(self, name: str, error: UploaderError, project: int | None = None) -> None:
        """Show what keeps a worker from its work (for `project`), and pause: longer with each failure in a row."""
        worker = Worker(name, project)
        log.error("%s: %s", worker, error)
        if not is_quiet(error, self._failures.failed(worker)):
            self.faults[worker] = error
            self.notify()
        pause = asyncio.Event()
        self._pauses.add(pause)
        try:
            async with asyncio.timeout(self._failures.rest(worker)):
                await pause.wait()
        except TimeoutError:
            pass
        finally:
            self._pauses.discard(pause)

    def recovered(self, name: str, project: int | None = None) -> None:
        worker = Worker(name, project)
        self._failures.passed(worker)
        if self.faults.pop(worker, None) is not None:
            self.notify()

    def try_now(self) -> None:
        """End the pauses after failures."""
        self._failures.wake()
        for pause in self._pauses:
            pause.set()

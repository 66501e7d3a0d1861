"""The parts of the engine that its workers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui_uploader.engine.accounts.accounts import Accounts, SignedIn
from tui_uploader.engine.bandwidth.governor import BandwidthGovernor
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.notifier import Notifier
from tui_uploader.engine.scheduling.quiet_periods import QuietPeriods
from tui_uploader.engine.scheduling.storage_pauses import StoragePauses
from tui_uploader.engine.scheduling.stream_slots import StreamSlots
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.sources.unfinished import UnfinishedFiles
from tui_uploader.engine.status.progress import TransferProgress
from tui_uploader.engine.worker import WorkerFaults
from tui_uploader.model.uploads import Notice


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, passed in."""

    wall: Callable[[], float]
    monotonic: Callable[[], float]
    random: Callable[[], float]


@dataclass(frozen=True, slots=True)
class EngineContext:
    clocks: Clocks
    notifier: Notifier
    journal: Journal
    accounts: Accounts
    governor: BandwidthGovernor
    streams: StreamSlots
    storage: StoragePauses
    progress: TransferProgress
    sources: SourceThreads
    unfinished: UnfinishedFiles
    faults: WorkerFaults
    quiet: QuietPeriods
    """Uploads that wait for more images."""
    obstacles: dict[int, Notice] = field(default_factory=dict)
    """Why stored files of a project are not registered, by project."""

    @property
    def summary(self) -> Summary:
        return self.journal.summary

    def account_of(self, project: ProjectRecord) -> SignedIn | None:
        return self.accounts.of(project.account)

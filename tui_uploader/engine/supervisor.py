"""Builds, starts and stops the workers of the engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial

from tui_uploader.cloud.contract import Cloud
from tui_uploader.cloud.throttle import Throttle
from tui_uploader.engine import worker
from tui_uploader.engine.accounts.accounts import Accounts
from tui_uploader.engine.bandwidth.governor import BandwidthGovernor
from tui_uploader.engine.context import Clocks, EngineContext
from tui_uploader.engine.hooks.worker import HookWorker
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import commands, file_parts, files
from tui_uploader.engine.notifier import Notifier, Topic
from tui_uploader.engine.pipeline.check import Checker
from tui_uploader.engine.pipeline.complete import Finisher
from tui_uploader.engine.pipeline.media_return import MediaReturn
from tui_uploader.engine.pipeline.multipart_gc import MultipartCleaner
from tui_uploader.engine.pipeline.process import ProcessingWorker
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.pipeline.register import Registrar
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.pipeline.walk import Walker
from tui_uploader.engine.receipts.worker import ReceiptWorker
from tui_uploader.engine.scheduling.concurrency import FIRST_STREAMS
from tui_uploader.engine.scheduling.quiet_periods import QuietPeriods
from tui_uploader.engine.scheduling.storage_pauses import StoragePauses
from tui_uploader.engine.scheduling.stream_slots import StreamSlots
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.sources.unfinished import SettleTimes, UnfinishedFiles
from tui_uploader.engine.status.progress import TransferProgress
from tui_uploader.engine.upkeep.monitor import Monitor
from tui_uploader.engine.upkeep.recorder import Recorder
from tui_uploader.engine.upkeep.retention import Retention
from tui_uploader.engine.verification.verifier import Verifier
from tui_uploader.engine.watches.watches import Watches
from tui_uploader.engine.worker import Worker, WorkerFaults
from tui_uploader.errors import UploaderError
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Directories, Settings

_DAY = 86_400.0


class Supervisor:
    """The workers, each in a task of its own, over one shared context."""

    def __init__(
        self,
        context: EngineContext,
        doubt_seconds: float,
        settings: Settings,
        settle_times: SettleTimes,
        directories: Directories,
    ) -> None:
        self.context = context
        self.projects = Projects(context)
        self.walker = Walker(context)
        self.checker = Checker(context)
        self.sender = Sender(context, self.projects)
        self.registrar = Registrar(context)
        self.processing = ProcessingWorker(context, doubt_seconds, settings.processing_delay)
        self.multipart_cleaner = MultipartCleaner(context)
        self.monitor = Monitor(context, self.sender)
        self.recorder = Recorder(context)
        self.verifier = Verifier(context, settle_times.written)
        self.watches = Watches(context, self.projects, self.verifier)
        self.hooks = HookWorker(context, settings, directories.settings_file)
        self.receipts = ReceiptWorker(context, settings.receipts.to)
        self._workers: Mapping[str, Worker] = {
            "walk": self.walker,
            "check": self.checker,
            "send": self.sender,
            "register": self.registrar,
            "process": self.processing,
            "finish": Finisher(context),
            "multipart gc": self.multipart_cleaner,
            "media return": MediaReturn(context),
            "monitor": self.monitor,
            "record": self.recorder,
            "hooks": self.hooks,
            "receipts": self.receipts,
            "retain": Retention(context, settings.keep_dismissed_days * _DAY),
        }
        self._running: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        directories: Directories,
        settings: Settings,
        make_cloud: Callable[[Login], Cloud],
        clocks: Clocks,
        notifier: Notifier,
        doubt_seconds: float,
        settle_times: SettleTimes,
    ) -> Supervisor:
        """Open the journal, sign in with the stored login, and start the workers.

        Raises JournalTooNew, JournalDamaged, JournalUnwritable; then nothing stays open.
        """
        async with contextlib.AsyncExitStack() as unless_done:
            journal = await asyncio.to_thread(Journal.open, directories.journal, notifier.committed, clocks.wall)
            unless_done.push_async_callback(journal.close)
            governor = await BandwidthGovernor.open(journal, Throttle(), clocks.wall)

            def make_throttled(login: Login) -> Cloud:
                cloud = make_cloud(login)
                cloud.use_throttle(governor.throttle)
                return cloud

            accounts = Accounts(
                directories, settings, make_throttled, notifier, clock=clocks.wall, random=clocks.random
            )
            unless_done.push_async_callback(accounts.close)
            await accounts.load_stored()
            await journal.write(files.hold_interrupted)
            await journal.write(lambda connection: commands.finish_undoing(connection, clocks.wall()))
            context = _context(
                clocks,
                notifier,
                journal,
                accounts,
                governor,
                TransferProgress(
                    await journal.read(file_parts.stored_bytes), partial(notifier.notify, Topic.TRANSFERS)
                ),
                settle_times,
            )
            supervisor = cls(context, doubt_seconds, settings, settle_times, directories)
            await supervisor.watches.start(directories)
            unless_done.pop_all()
        supervisor._start()
        await supervisor.verifier.load()
        return supervisor

    def _start(self) -> None:
        self._running = [
            asyncio.create_task(worker.run(name, each, self.context.faults), name=name)
            for name, each in self._workers.items()
        ]

    async def close(self) -> None:
        """Stop all workers and transfers so that the next `open` resumes them."""
        await self.watches.close()
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.verifier.close()
        for each in (self.walker, self.checker, self.registrar, self.processing, self.multipart_cleaner, self.sender):
            await each.close()
        await self.hooks.close()
        await self.receipts.close()
        self.context.sources.close()
        with contextlib.suppress(UploaderError):
            await self.monitor.save()
        with contextlib.suppress(UploaderError):
            await self.recorder.close()
        await self.context.accounts.close()
        await self.context.journal.close()


def _context(
    clocks: Clocks,
    notifier: Notifier,
    journal: Journal,
    accounts: Accounts,
    governor: BandwidthGovernor,
    progress: TransferProgress,
    settle_times: SettleTimes,
) -> EngineContext:
    def account_of(upload: int) -> str:
        return journal.summary.projects[journal.summary.uploads[upload].project].account

    return EngineContext(
        clocks=clocks,
        notifier=notifier,
        journal=journal,
        accounts=accounts,
        governor=governor,
        progress=progress,
        streams=StreamSlots(
            FIRST_STREAMS, lambda in_use: governor.admits(in_use - progress.sent_by_running), account_of
        ),
        storage=StoragePauses(clocks.monotonic, clocks.random, partial(notifier.notify, Topic.STORAGE)),
        sources=SourceThreads(changed=partial(notifier.notify, Topic.SOURCES)),
        unfinished=UnfinishedFiles(clocks.wall, clocks.monotonic, settle_times),
        faults=WorkerFaults(clocks.monotonic, notifier),
        quiet=QuietPeriods(clocks.wall, clocks.monotonic),
    )

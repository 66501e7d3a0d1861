"""Builds, starts and closes the workers of the engine together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from tui_uploader.cloud.contract import Cloud
from tui_uploader.cloud.throttle import Throttle
from tui_uploader.engine.accounts.accounts import Accounts
from tui_uploader.engine.bandwidth.governor import BandwidthGovernor
from tui_uploader.engine.context import Clocks, EngineContext
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import file_parts, files
from tui_uploader.engine.monitor import Monitor
from tui_uploader.engine.pipeline.check import Checker
from tui_uploader.engine.pipeline.complete import Finisher
from tui_uploader.engine.pipeline.media_return import Returns
from tui_uploader.engine.pipeline.multipart_gc import MultipartCleaner
from tui_uploader.engine.pipeline.process import ProcessingWorker
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.pipeline.register import Registrar
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.pipeline.walk import Scanner
from tui_uploader.engine.retention import Retention
from tui_uploader.engine.scheduling.concurrency import FIRST_STREAMS
from tui_uploader.engine.scheduling.stream_slots import StreamSlots
from tui_uploader.engine.sources.unfinished import Patience, Watches
from tui_uploader.engine.status.progress import TransferProgress
from tui_uploader.errors import UploaderError
from tui_uploader.model import Login
from tui_uploader.settings import Directories, Settings

_DAY = 86_400.0


class Supervisor:
    """The workers of the engine, over one shared context."""

    def __init__(self, context: EngineContext, doubt_seconds: float) -> None:
        self.context = context
        context.sources.changed = context.notify
        self.projects = Projects(context)
        self.scanner = Scanner(context)
        self.checker = Checker(context)
        self.sender = Sender(context, self.projects)
        self.registrar = Registrar(context)
        self.processing = ProcessingWorker(context, doubt_seconds)
        self.multiparts = MultipartCleaner(context)
        self.monitor = Monitor(context, self.sender)
        self._running: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        directories: Directories,
        settings: Settings,
        make_cloud: Callable[[Login], Cloud],
        clocks: Clocks,
        doubt_seconds: float,
        patience: Patience,
    ) -> Supervisor:
        """Raises JournalTooNew, JournalDamaged, JournalUnwritable; then nothing stays open."""
        later = _Later()

        def make_throttled(login: Login) -> Cloud:
            cloud = make_cloud(login)
            cloud.send_through(governor.throttle)
            return cloud

        async with contextlib.AsyncExitStack() as unless_done:
            journal = await asyncio.to_thread(Journal.open, directories.journal, later.notify)
            unless_done.push_async_callback(journal.close)
            governor = await BandwidthGovernor.open(journal, Throttle(), clocks.wall)
            await journal.write(files.hold_interrupted)
            progress = TransferProgress(await journal.read(file_parts.stored_bytes))
            accounts = Accounts(
                directories,
                settings,
                make_throttled,
                later.notify,
                later.wake,
                later.stop_transfers,
                clock=clocks.wall,
                random=clocks.random,
            )
            unless_done.push_async_callback(accounts.close)
            await accounts.load_stored()
            streams = StreamSlots(
                FIRST_STREAMS,
                lambda in_use: governor.admits(in_use - progress.sent_by_running),
                lambda upload: journal.summary.projects[journal.summary.uploads[upload].project].account,
            )
            watches = Watches(clocks.wall, clocks.monotonic, patience)
            supervisor = cls(
                EngineContext(journal, accounts, progress, streams, clocks, governor, watches), doubt_seconds
            )
            unless_done.pop_all()
        later.supervisor = supervisor
        supervisor._begin(settings.keep_dismissed_days * _DAY)
        return supervisor

    def _begin(self, keep_seconds: float) -> None:
        steps = {
            "scan": self.scanner.step,
            "check": self.checker.step,
            "send": self.sender.step,
            "register": self.registrar.step,
            "process": self.processing.step,
            "finish": Finisher(self.context).step,
            "orphans": self.multiparts.step,
            "returns": Returns(self.context).step,
            "monitor": self.monitor.step,
            "retain": Retention(self.context, keep_seconds).step,
        }
        self._running = [asyncio.create_task(self.context.run(name, step), name=name) for name, step in steps.items()]

    async def close(self) -> None:
        """Stop every transfer so that the next `open` goes on from there."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.scanner.close()
        await self.checker.close()
        for worker in (self.registrar, self.processing, self.multiparts):
            await worker.close()
        await self.sender.close()
        self.context.sources.close()
        with contextlib.suppress(UploaderError):
            await self.monitor.save()
        await self.context.accounts.close()
        await self.context.journal.close()

    async def stop_transfers(self, account: str) -> None:
        """Of an account whose login changes."""
        summary = self.context.summary
        for upload in summary.uploads.values():
            if summary.projects[upload.project].account == account:
                await self.sender.stop(upload.id)

    def try_now(self) -> None:
        """Nobody waits for the end of a pause."""
        self.context.try_now()
        self.scanner.wake()
        for signed_in in self.context.accounts.all:
            signed_in.link.try_now()
        self.sender.wake()
        self.registrar.wake()
        self.processing.wake()


class _Later:
    """The supervisor, for what is opened before them and calls on them from then on."""

    supervisor: Supervisor | None = None

    def notify(self) -> None:
        if self.supervisor is not None:
            self.supervisor.context.notify()

    def wake(self) -> None:
        if self.supervisor is not None:
            self.supervisor.try_now()

    async def stop_transfers(self, account: str) -> None:
        if self.supervisor is not None:
            await self.supervisor.stop_transfers(account)

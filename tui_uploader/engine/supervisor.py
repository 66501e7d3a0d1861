"""The rooms of the engine, furnished, started and closed together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from tui_uploader.cloud.contract import Cloud
from tui_uploader.cloud.net.throttle import Throttle
from tui_uploader.engine.accounts.accounts import Accounts
from tui_uploader.engine.bandwidth.governor import Valve
from tui_uploader.engine.context import Clocks, Core
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import files
from tui_uploader.engine.monitor import Pulse
from tui_uploader.engine.pipeline.check import Checker
from tui_uploader.engine.pipeline.complete import Finisher
from tui_uploader.engine.pipeline.media_return import Returns
from tui_uploader.engine.pipeline.multipart_gc import Orphans
from tui_uploader.engine.pipeline.process import ProcessingDesk
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.pipeline.register import Registrar
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.pipeline.walk import Scanner
from tui_uploader.engine.retention import Retention
from tui_uploader.engine.scheduling.concurrency import FIRST_STREAMS
from tui_uploader.engine.scheduling.stream_slots import Streams
from tui_uploader.engine.sources.unfinished import Patience, Watches
from tui_uploader.engine.status.progress import Live
from tui_uploader.errors import UploaderError
from tui_uploader.model import Login
from tui_uploader.settings import Directories, Settings

_DAY = 86_400.0


class Rooms:
    """Each room runs by itself over the one core; what it needs of another, it is given here."""

    def __init__(self, core: Core, doubt_seconds: float) -> None:
        self.core = core
        core.sources.changed = core.ring
        self.projects = Projects(core)
        self.scanner = Scanner(core)
        self.checker = Checker(core)
        self.sender = Sender(core, self.projects)
        self.registrar = Registrar(core)
        self.desk = ProcessingDesk(core, doubt_seconds)
        self.orphans = Orphans(core)
        self.pulse = Pulse(core, self.sender)
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
    ) -> Rooms:
        """Raises JournalTooNew, JournalDamaged, JournalUnwritable; then nothing stays open."""
        later = _Later()

        def make_throttled(login: Login) -> Cloud:
            cloud = make_cloud(login)
            cloud.send_through(valve.throttle)
            return cloud

        async with contextlib.AsyncExitStack() as unless_done:
            journal = await asyncio.to_thread(Journal.open, directories.journal, later.ring)
            unless_done.push_async_callback(journal.close)
            valve = await Valve.open(journal, Throttle(), clocks.wall)
            await journal.write(files.hold_interrupted)
            live = Live(await journal.read(files.bytes_in_parts))
            accounts = Accounts(
                directories,
                settings,
                make_throttled,
                later.ring,
                later.wake,
                later.stop_transfers,
                clock=clocks.wall,
                random=clocks.random,
            )
            unless_done.push_async_callback(accounts.close)
            await accounts.load_stored()
            streams = Streams(
                FIRST_STREAMS,
                lambda in_use: valve.admits(in_use - live.sent_in_flight),
                lambda upload: journal.summary.projects[journal.summary.uploads[upload].project].account,
            )
            watches = Watches(clocks.wall, clocks.monotonic, patience)
            rooms = cls(Core(journal, accounts, live, streams, clocks, valve, watches), doubt_seconds)
            unless_done.pop_all()
        later.rooms = rooms
        rooms._begin(settings.keep_dismissed_days * _DAY)
        return rooms

    def _begin(self, keep_seconds: float) -> None:
        steps = {
            "scan": self.scanner.step,
            "check": self.checker.step,
            "send": self.sender.step,
            "register": self.registrar.step,
            "process": self.desk.step,
            "finish": Finisher(self.core).step,
            "orphans": self.orphans.step,
            "returns": Returns(self.core).step,
            "pulse": self.pulse.step,
            "retain": Retention(self.core, keep_seconds).step,
        }
        self._running = [asyncio.create_task(self.core.run(name, step), name=name) for name, step in steps.items()]

    async def close(self) -> None:
        """Stop every transfer so that the next `open` goes on from there."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.scanner.close()
        await self.checker.close()
        for room in (self.registrar, self.desk, self.orphans):
            await room.close()
        await self.sender.close()
        self.core.sources.close()
        with contextlib.suppress(UploaderError):
            await self.pulse.save()
        await self.core.accounts.close()
        await self.core.journal.close()

    async def stop_transfers(self, account: str) -> None:
        """Of an account whose login changes."""
        summary = self.core.summary
        for upload in summary.uploads.values():
            if summary.projects[upload.project].account == account:
                await self.sender.stop(upload.id)

    def try_now(self) -> None:
        """Nobody waits for the end of a pause."""
        self.core.try_now()
        self.scanner.wake()
        for signed_in in self.core.accounts.all:
            signed_in.link.try_now()
        self.sender.wake()
        self.registrar.wake()
        self.desk.wake()


class _Later:
    """The rooms, for what is opened before them and calls on them from then on."""

    rooms: Rooms | None = None

    def ring(self) -> None:
        if self.rooms is not None:
            self.rooms.core.ring()

    def wake(self) -> None:
        if self.rooms is not None:
            self.rooms.try_now()

    async def stop_transfers(self, account: str) -> None:
        if self.rooms is not None:
            await self.rooms.stop_transfers(account)

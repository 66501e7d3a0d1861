"""The engine as a process: one per user, spawned on demand, gone when nobody and nothing needs it.

`python -m tui_uploader.service.daemon --ready-fd N` is what front ends spawn.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from tui_uploader.encoding import paths_are_utf8
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import EngineWillNotStart, Interrupted, UploaderError
from tui_uploader.http_server.connection_limits import Connections
from tui_uploader.http_server.server import HttpServer
from tui_uploader.redaction import guard_tracebacks
from tui_uploader.service.api import create_app
from tui_uploader.service.instance import AlreadyRunning, Lock, make_private, sole_instance
from tui_uploader.service.lifetime import Presence, StopSignal, leave_when_idle, leave_when_lost
from tui_uploader.service.logfile import logging_to
from tui_uploader.service.protocol import Failure, version
from tui_uploader.service.socket_file import Door, door
from tui_uploader.service.spawn import Outcome, Readiness, ReadinessPipe
from tui_uploader.settings import APP, Directories, Settings, load
from tui_uploader.threads import DaemonThreads

OpenManager = Callable[[Directories, Settings], Awaitable[UploadManager]]

CLOSING_TIME = 10.0
_THREADS = 32
"""Seconds that the manager has to close; what it has not written by then, the journal makes good at the next start."""

_KEEP_ALIVE = 30
_LAST_REQUESTS = 1

_log = logging.getLogger("tui_uploader.service.daemon")  # also where this file runs as `__main__`


async def run_engine(
    directories: Directories,
    settings: Settings,
    *,
    ready: Callable[[], None],
    foreground: bool,
    open_manager: OpenManager = UploadManager.open,
) -> None:
    """Serve until SIGTERM, SIGINT, a front end's `stop`, or idleness; `ready` is called when front ends may come.

    In the background, stdout and stderr of the whole process go to the log. Raises AlreadyRunning,
    EngineWillNotStart, and what `open_manager` raises.
    """
    make_private(directories)
    # Names are resolved and keyrings asked there: neither may hang for ever at the end.
    asyncio.get_running_loop().set_default_executor(DaemonThreads(_THREADS, "engine"))
    with (
        sole_instance(directories, version()) as lock,
        logging_to(directories.log, foreground=foreground),
        door(directories.socket) as entrance,
    ):
        lock.announce(entrance.path)
        async with _opened(open_manager, directories, settings) as manager:
            stop = StopSignal()
            presence = Presence()
            app = create_app(manager, directories, lambda: entrance.path, stop, presence)
            server = HttpServer(app, keep_alive=_KEEP_ALIVE, last_requests=_LAST_REQUESTS, connections=Connections())
            with _signals_set(stop):
                place = _Place(directories, lock, entrance, server)
                await _serve(server, place, ready, stop, presence, manager, settings.idle_exit)
            _log.info("Engine stops: %s.", stop.reason)


@contextlib.asynccontextmanager
async def _opened(
    open_manager: OpenManager, directories: Directories, settings: Settings
) -> AsyncIterator[UploadManager]:
    manager = await open_manager(directories, settings)
    _log.info("Engine %s, process %d, opened its journal in %s.", version(), os.getpid(), directories.data)
    try:
        yield manager
    finally:
        try:
            async with asyncio.timeout(CLOSING_TIME):
                await manager.close()
        except TimeoutError:
            _log.warning("The upload manager did not close within %g s; leaving all the same.", CLOSING_TIME)


async def _serve(
    server: HttpServer,
    place: _Place,
    ready: Callable[[], None],
    stop: StopSignal,
    presence: Presence,
    manager: UploadManager,
    idle_exit: float,
) -> None:
    async with asyncio.TaskGroup() as watchers:
        idle = watchers.create_task(leave_when_idle(stop, presence, lambda: manager.queries.busy, idle_exit))
        lost = watchers.create_task(leave_when_lost(stop, place.kept))
        serving = watchers.create_task(server.serve(sockets=[place.entrance.listener]))
        await server.listening(serving)
        ready()
        await stop.wait()
        server.stop()
        await serving
        idle.cancel()
        lost.cancel()


@dataclass
class _Place:
    """Where front ends find the engine: its lock and its socket."""

    directories: Directories
    lock: Lock
    entrance: Door
    server: HttpServer
    _told: str | None = None

    async def kept(self) -> bool:
        """Make good what was removed; False when the lock is lost.

        A lock whose file was removed is taken anew while the journal is still there: the journal has a guard of its own
        (`engine.journal.guard`), so no other engine can have opened it meanwhile.
        """
        if not self.lock.intact:
            if not self.directories.journal.exists() or not self.lock.take_anew():
                return False
            _log.warning("The lock file was removed, and is made again.")
        if not self.entrance.intact:
            await self._open_again()
        return True

    async def _open_again(self) -> None:
        try:
            self.entrance.bind()
            try:
                await self.server.listen_on(self.entrance.listener)
            except OSError:
                self.entrance.close()  # so that it is tried again
                raise
        except (EngineWillNotStart, OSError) as error:
            if self._told != str(error):  # once, not every time that it is tried
                self._told = str(error)
                _log.warning("The socket was removed, and cannot be made again: %s", error)
            return
        self.lock.announce(self.entrance.path)
        self._told = None
        _log.warning("The socket was removed, and is made again at %s.", self.entrance.path)


@contextlib.contextmanager
def _signals_set(stop: StopSignal) -> Iterator[None]:
    """SIGTERM and SIGINT stop the engine in good order; SIGHUP, which comes when an SSH session ends, does nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set, f"signal {number.name}")
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, hang_up)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def engine_main(ready_fd: int | None = None, open_manager: OpenManager = UploadManager.open) -> int:
    """Be the engine, and return the exit code. With `ready_fd` in the background, reporting to that descriptor."""
    pipe = ReadinessPipe(ready_fd) if ready_fd is not None else None
    faulthandler.enable()
    guard_tracebacks()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.umask(0o077)
    try:
        directories = Directories.of_user()
        settings = load(directories=directories)
        if settings.ca_file is not None:
            settings = replace(settings, ca_file=settings.ca_file.absolute())
        os.chdir("/")  # a memory card that the engine was started from has to be removable
        asyncio.run(
            run_engine(
                directories,
                settings,
                ready=lambda: _tell(pipe, Readiness(Outcome.READY)),
                foreground=pipe is None,
                open_manager=open_manager,
            )
        )
    except AlreadyRunning as found:
        _tell(pipe, Readiness(Outcome.ALREADY_RUNNING), str(found))
        return 0 if pipe else EngineWillNotStart.exit_code
    except UploaderError as error:
        _tell(pipe, Readiness(Outcome.FAILED, Failure(error.kind, error.message)), error.message)
        return error.exit_code
    except KeyboardInterrupt:  # before it was ready; later, SIGINT is a way to stop
        return Interrupted.exit_code
    return 0


def _tell(pipe: ReadinessPipe | None, readiness: Readiness, sentence: str | None = None) -> None:
    """To whoever spawned the engine; where that is done already, or a terminal did it, the sentence goes to stderr."""
    if pipe is not None and not pipe.used:
        pipe.report(readiness)
    elif sentence is not None:
        sys.stderr.write(f"{APP}: {sentence}\n")


def main() -> int:
    paths_are_utf8()  # where nobody gave the interpreter `-X utf8`
    parser = argparse.ArgumentParser(prog="tui-uploader engine", description="The background process of tui-uploader.")
    parser.add_argument("--ready-fd", type=int, help="descriptor to report readiness to; without it, stay in front")
    return engine_main(parser.parse_args().ready_fd)


if __name__ == "__main__":
    sys.exit(main())

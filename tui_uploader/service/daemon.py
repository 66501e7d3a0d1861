"""The engine as a process: one per user, started on demand, stopped when idle.

Front ends spawn `python -m tui_uploader.service.daemon --ready-fd N`.
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

from tui_uploader.encoding import require_utf8_paths
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import EngineWillNotStart, Interrupted, UploaderError
from tui_uploader.http_server.connection_limits import ConnectionLimits
from tui_uploader.http_server.server import HttpServer
from tui_uploader.redaction import guard_tracebacks
from tui_uploader.service.api import create_app
from tui_uploader.service.instance import EngineAlreadyRunning, EngineLock, make_folders_private, sole_instance
from tui_uploader.service.lifetime import ClientPresence, StopSignal, stop_when_idle, stop_when_lock_lost
from tui_uploader.service.logfile import logging_to
from tui_uploader.service.protocol import Failure, version
from tui_uploader.service.socket_file import EngineSocket, bound_socket
from tui_uploader.service.spawn import Readiness, ReadinessPipe, SpawnOutcome
from tui_uploader.settings import APP, Directories, Settings, load
from tui_uploader.threads import DaemonThreads

OpenManager = Callable[[Directories, Settings], Awaitable[UploadManager]]

CLOSING_TIME = 10.0
"""Seconds that the manager has to close; the journal recovers the rest at the next start."""
_THREADS = 32

_KEEP_ALIVE = 30
_LAST_REQUESTS = 1

_log = logging.getLogger("tui_uploader.service.daemon")  # also when this file runs as `__main__`


async def run_engine(
    directories: Directories,
    settings: Settings,
    *,
    ready: Callable[[], None],
    foreground: bool,
    open_manager: OpenManager = UploadManager.open,
) -> None:
    """Serve until SIGTERM, SIGINT, a front end's `stop`, or idle time; call `ready` when front ends can connect.

    In the background, stdout and stderr of the whole process go to the log. Raises EngineAlreadyRunning,
    EngineWillNotStart, and errors of `open_manager`.
    """
    make_folders_private(directories)
    # Resolvers and keyrings run there and may hang; they must not delay the exit.
    asyncio.get_running_loop().set_default_executor(DaemonThreads(_THREADS, "engine"))
    with (
        sole_instance(directories, version()) as lock,
        logging_to(directories.log, foreground=foreground),
        bound_socket(directories.socket) as bound,
    ):
        lock.announce(bound.path)
        async with _opened(open_manager, directories, settings) as manager:
            stop = StopSignal()
            presence = ClientPresence()
            app = create_app(manager, directories, lambda: bound.path, stop, presence)
            server = HttpServer(
                app, keep_alive=_KEEP_ALIVE, last_requests=_LAST_REQUESTS, connections=ConnectionLimits()
            )
            with _signals_set(stop):
                lock_and_socket = _LockAndSocket(directories, lock, bound, server)
                await _serve(server, lock_and_socket, ready, stop, presence, manager, settings.idle_exit)
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
            _log.warning("The upload manager did not close within %g s; exiting anyway.", CLOSING_TIME)


async def _serve(
    server: HttpServer,
    lock_and_socket: _LockAndSocket,
    ready: Callable[[], None],
    stop: StopSignal,
    presence: ClientPresence,
    manager: UploadManager,
    idle_exit: float,
) -> None:
    async with asyncio.TaskGroup() as watchers:
        idle = watchers.create_task(stop_when_idle(stop, presence, lambda: manager.queries.busy, idle_exit))
        lost = watchers.create_task(stop_when_lock_lost(stop, lock_and_socket.ensure_intact))
        serving = watchers.create_task(server.serve(sockets=[lock_and_socket.bound.listener]))
        await server.listening(serving)
        ready()
        await stop.wait()
        server.stop()
        await serving
        idle.cancel()
        lost.cancel()


@dataclass
class _LockAndSocket:
    """The files by which front ends find the engine."""

    directories: Directories
    lock: EngineLock
    bound: EngineSocket
    server: HttpServer
    _logged: str | None = None

    async def ensure_intact(self) -> bool:
        """Restore removed files; return False when the lock is lost.

        When the lock file was removed but the journal still exists, a new lock file is locked: the journal has a lock
        of its own (`engine.journal.lock`), so no other engine can have opened it meanwhile.
        """
        if not self.lock.intact:
            if not self.directories.journal.exists() or not self.lock.retake():
                return False
            _log.warning("The lock file was removed; created it again.")
        if not self.bound.intact:
            await self._open_again()
        return True

    async def _open_again(self) -> None:
        try:
            self.bound.bind()
            try:
                await self.server.listen_on(self.bound.listener)
            except OSError:
                self.bound.close()  # so that the next check tries again
                raise
        except (EngineWillNotStart, OSError) as error:
            if self._logged != str(error):  # once, not at every attempt
                self._logged = str(error)
                _log.warning("The socket was removed and cannot be created again: %s", error)
            return
        self.lock.announce(self.bound.path)
        self._logged = None
        _log.warning("The socket was removed; created it again at %s.", self.bound.path)


@contextlib.contextmanager
def _signals_set(stop: StopSignal) -> Iterator[None]:
    """SIGTERM and SIGINT stop the engine cleanly; SIGHUP, sent when an SSH session ends, is ignored."""
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
    """Run the engine and return the exit code; with `ready_fd` in the background, reporting to that descriptor."""
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
        os.chdir("/")  # a memory card as working directory could not be unmounted
        asyncio.run(
            run_engine(
                directories,
                settings,
                ready=lambda: _report(pipe, Readiness(SpawnOutcome.READY)),
                foreground=pipe is None,
                open_manager=open_manager,
            )
        )
    except EngineAlreadyRunning as found:
        _report(pipe, Readiness(SpawnOutcome.ALREADY_RUNNING), str(found))
        return 0 if pipe else EngineWillNotStart.exit_code
    except UploaderError as error:
        _report(pipe, Readiness(SpawnOutcome.FAILED, Failure(error.kind, error.message)), error.message)
        return error.exit_code
    except KeyboardInterrupt:  # before it was ready; afterwards SIGINT stops it cleanly
        return Interrupted.exit_code
    return 0


def _report(pipe: ReadinessPipe | None, readiness: Readiness, sentence: str | None = None) -> None:
    """Report to the process that spawned the engine; without one, or when it has a report, print the sentence."""
    if pipe is not None and not pipe.used:
        pipe.report(readiness)
    elif sentence is not None:
        sys.stderr.write(f"{APP}: {sentence}\n")


def main() -> int:
    require_utf8_paths()  # when the interpreter was started without `-X utf8`
    parser = argparse.ArgumentParser(prog="tui-uploader engine", description="The background process of tui-uploader.")
    parser.add_argument("--ready-fd", type=int, help="descriptor for the report; without it, run in the foreground")
    return engine_main(parser.parse_args().ready_fd)


if __name__ == "__main__":
    sys.exit(main())

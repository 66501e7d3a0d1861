"""Stop an engine that does not answer; its process is verified before each signal."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

import msgspec

from tui_uploader.errors import EngineUnreachable
from tui_uploader.ownership import user_name
from tui_uploader.service.instance import LockHolder, lock_holder, running_elsewhere
from tui_uploader.service.process_identity import Process, describe_process
from tui_uploader.service.spawn import not_running
from tui_uploader.settings import Directories

GRACE = 12.0
"""Seconds until the engine is killed; a little more than `daemon.CLOSING_TIME`."""

_LAST_GRACE = 5.0
_POLL = 0.02


class ForcedStop(msgspec.Struct, frozen=True):
    """Result of a forced stop."""

    pid: int
    killed: bool
    """The engine had to be killed. The journal loses nothing by that."""


def end_by_force(
    directories: Directories,
    *,
    grace: float = GRACE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> ForcedStop:
    """Send SIGTERM to the engine's process, SIGKILL after `grace` seconds, and return when its lock is free.

    Raises EngineUnreachable when no engine runs, when the process cannot be verified, or when it does not end.
    """
    engine = lock_holder(directories)
    if engine is None:
        raise not_running(directories)

    def gone_within(seconds: float) -> bool:
        deadline = clock() + seconds
        while engine.is_same(lock_holder(directories)):
            if clock() > deadline:
                return False
            sleep(_POLL)
        return True

    pid = _verified_pid(engine, directories)
    # SIGCONT: a suspended process does not act on SIGTERM.
    _send(pid, signal.SIGTERM, signal.SIGCONT)
    if gone_within(grace):
        return ForcedStop(pid, killed=False)
    _verified_pid(engine, directories)
    _send(pid, signal.SIGKILL)
    if gone_within(_LAST_GRACE):
        return ForcedStop(pid, killed=True)
    raise EngineUnreachable(
        f"Process {pid} was killed but has not ended: it is waiting for a disk or a network share, and ends when that"
        " answers or is disconnected. Uploads then continue where they stopped."
    )


def _verified_pid(engine: LockHolder, directories: Directories) -> int:
    """The engine's process id. Raises EngineUnreachable unless the process with that id is the engine."""
    if engine.elsewhere:
        raise running_elsewhere(directories, engine)
    process = None if engine.pid is None else describe_process(engine.pid, (directories.lock, directories.earlier_lock))
    doubt = doubt_about(engine, process, os.getuid())
    if doubt is not None or engine.pid is None:
        raise EngineUnreachable(f"The engine was not stopped by force: {doubt}.")
    return engine.pid


def doubt_about(engine: LockHolder, process: Process | None, uid: int) -> str | None:
    """Why `process`, which has the id in the lock file, may not be the engine of user `uid`; None when it is."""
    if engine.pid is None or engine.pid <= 1:
        return "its lock file does not name its process"
    if process is None:
        return f"this computer has no process {engine.pid}; it may run in a container, where this command works"
    if process.uid != uid:
        return f"process {engine.pid} belongs to {user_name(process.uid)}"
    if engine.started is not None and engine.started != process.started:
        return f"process {engine.pid} is not the one that took the lock"
    if not process.is_engine:
        return f"process {engine.pid} does not hold the engine's lock"
    return None


def _send(pid: int, *signals: signal.Signals) -> None:
    for number in signals:
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            os.kill(pid, number)

"""End an engine that does not answer, and nothing else: the process is made certain before each signal."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

import msgspec

from tui_uploader.errors import EngineUnreachable
from tui_uploader.ownership import user_name
from tui_uploader.service.instance import Holder, holder, runs_elsewhere
from tui_uploader.service.process_identity import Process, described
from tui_uploader.service.spawn import not_running
from tui_uploader.settings import Directories

GRACE = 12.0
"""Seconds that the engine has to end in good order; `daemon.CLOSING_TIME` and a little more."""

_LAST_GRACE = 5.0
_POLL = 0.02


class Ended(msgspec.Struct, frozen=True):
    """What became of the engine."""

    pid: int
    killed: bool
    """It did not end in good order. Nothing that the journal holds is lost by that."""


def end_by_force(
    directories: Directories,
    *,
    grace: float = GRACE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Ended:
    """Ask the engine's process to end, kill it after `grace` seconds, and return when its lock is free.

    Raises EngineUnreachable when there is none, when the process is not certain to be the engine, or does not end.
    """
    engine = holder(directories)
    if engine is None:
        raise not_running(directories)

    def gone_within(seconds: float) -> bool:
        deadline = clock() + seconds
        while engine.is_same(holder(directories)):
            if clock() > deadline:
                return False
            sleep(_POLL)
        return True

    pid = _certain(engine, directories)
    # SIGCONT: a process that was suspended would not act upon SIGTERM.
    _send(pid, signal.SIGTERM, signal.SIGCONT)
    if gone_within(grace):
        return Ended(pid, killed=False)
    _certain(engine, directories)
    _send(pid, signal.SIGKILL)
    if gone_within(_LAST_GRACE):
        return Ended(pid, killed=True)
    raise EngineUnreachable(
        f"Process {pid} does not end although it was killed: it waits for a disk or a network share. It ends when that"
        " answers or is taken away; uploads then go on where they are."
    )


def _certain(engine: Holder, directories: Directories) -> int:
    """The engine's process id. Raises EngineUnreachable unless the process with that id is the engine."""
    if engine.elsewhere:
        raise runs_elsewhere(directories, engine)
    process = None if engine.pid is None else described(engine.pid, (directories.lock, directories.earlier_lock))
    doubt = doubt_of(engine, process, os.getuid())
    if doubt is not None or engine.pid is None:
        raise EngineUnreachable(f"The engine was not ended by force, because {doubt}.")
    return engine.pid


def doubt_of(engine: Holder, process: Process | None, uid: int) -> str | None:
    """Why `process`, which has the id that the lock names, may not be the engine of user `uid`; None when it is."""
    if engine.pid is None or engine.pid <= 1:
        return "its lock does not name its process"
    if process is None:
        return f"this computer shows no process {engine.pid}; it may be in a container, where the command would work"
    if process.uid != uid:
        return f"process {engine.pid} belongs to {user_name(process.uid)}"
    if engine.started is not None and engine.started != process.started:
        return f"process {engine.pid} is another one than the one that took the lock"
    if not process.is_engine:
        return f"process {engine.pid} does not hold the engine's lock"
    return None


def _send(pid: int, *signals: signal.Signals) -> None:
    for number in signals:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, number)

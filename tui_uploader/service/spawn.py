"""Start the engine in the background and wait until it is ready. Light, for every front end imports it.

The child gets one end of a pipe, as the descriptor to report to and as its stderr. It writes one line of JSON, a
`Readiness`; any other output is shown as the reason when it exits before it is ready.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec

from tui_uploader import codec
from tui_uploader.errors import EngineGone, EngineUnreachable, EngineWillNotStart, revived
from tui_uploader.service.instance import (
    LockHolder,
    engine_log_path,
    engine_socket_path,
    lock_holder,
    running_elsewhere,
    trusted_socket_path,
)
from tui_uploader.service.protocol import Failure
from tui_uploader.service.socket_file import listening
from tui_uploader.settings import APP, Directories
from tui_uploader.text import printable

OWN_PYTHON = (sys.executable, "-P")
"""Starts every process of this program. `-P`: a file in the current folder, which may be a memory card, must not be
imported as a module."""

# `-X utf8`: a path is the same bytes for the engine and all front ends, whatever the locale of the one that starts it.
ENGINE_COMMAND = (*OWN_PYTHON, "-X", "utf8", "-m", "tui_uploader.service.daemon")

PATIENCE = 15.0
"""Seconds that an engine has to start, or to stop."""

_SECRETS = frozenset({"PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET"})
_POLL = 0.02
_MOST_OUTPUT = 64 * 1024


class SpawnOutcome(StrEnum):
    READY = "ready"
    ALREADY_RUNNING = "already_running"
    """Another engine holds the lock: it is ready, starting or stopping."""
    FAILED = "failed"


class Readiness(msgspec.Struct, frozen=True):
    """Report of a new engine to the process that spawned it."""

    outcome: SpawnOutcome
    failure: Failure | None = None
    """The error that prevents the start; only with FAILED."""


class ReadinessPipe:
    """The child's end of the pipe, for one report."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        os.set_inheritable(descriptor, False)

    @property
    def used(self) -> bool:
        return self._descriptor is None

    def report(self, readiness: Readiness) -> None:
        if self._descriptor is None:
            return
        # The process that spawned the engine may have ended; the engine stays.
        with contextlib.suppress(OSError):
            os.write(self._descriptor, f"{codec.to_json(readiness)}\n".encode())
        os.close(self._descriptor)
        self._descriptor = None


def start_engine(
    directories: Directories,
    *,
    command: Sequence[str] = ENGINE_COMMAND,
    environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> None:
    """Spawn an engine and wait until it is ready, or finds another one running.

    `directories` are those of this environment (`Directories.of_user()`): the child determines them the same way.
    Raises the error of an engine that cannot start (EngineWillNotStart, JournalTooNew …).
    """
    inherited = os.environ if environment is None else environment
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb", buffering=0) as answers:
        try:
            process = subprocess.Popen(
                [*command, "--ready-fd", str(theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=theirs,
                pass_fds=(theirs,),
                start_new_session=True,
                env={name: value for name, value in inherited.items() if name not in _SECRETS},
            )
        except OSError as error:
            raise EngineWillNotStart(
                f"Cannot start the engine: cannot run {printable(command[0])} ({error.strerror})."
            ) from error
        finally:
            os.close(theirs)
        # Reaps the engine when it ends before the front end.
        threading.Thread(target=process.wait, name="engine-reaper", daemon=True).start()
        readiness = _await_readiness(answers.fileno(), process.pid, directories, patience)
    if readiness.failure is not None:
        raise revived(readiness.failure.kind, readiness.failure.message)


def _await_readiness(answers: int, pid: int, directories: Directories, patience: float) -> Readiness:
    """Raises EngineWillNotStart when the child exits or does not report in time."""
    deadline = time.monotonic() + patience
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(answers, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(answers, 4096)
            output = (output + chunk)[-_MOST_OUTPUT:]
            readiness = reported(output)
            if readiness is not None:
                return readiness
            if not chunk:
                raise _died(output, directories)
    raise EngineWillNotStart(
        f"The engine (process {pid}) was not ready within {patience:g} s. See its log, {log_text(directories)}, for the"
        " reason."
    )


def reported(output: bytes) -> Readiness | None:
    """The report among the complete lines of the child's output, if any."""
    for line in output.split(b"\n")[:-1]:
        with contextlib.suppress(codec.Malformed):
            return codec.from_json(line, Readiness)
    return None


def _died(output: bytes, directories: Directories) -> EngineWillNotStart:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    last_line = printable(lines[-1].strip(), 300) if lines else "no output"
    return EngineWillNotStart(
        f"The engine exited before it was ready ({last_line}). See also its log, {log_text(directories)}."
    )


def reachable(directories: Directories) -> bool:
    """Whether an engine listens; it may be unable to answer.

    Raises EngineUnreachable when the folder of its socket cannot be trusted.
    """
    return listening(trusted_socket_path(directories))


def ensure_engine(directories: Directories, start: Callable[[Directories], None] | None = start_engine) -> None:
    """Return when an engine listens; spawn one with `start` if none runs.

    Front ends that do this at the same time get the same engine. Raises what `start` raises, EngineGone when no engine
    runs and `start` is None, and EngineUnreachable when an engine holds the lock but does not listen in time, or runs
    on another computer.
    """
    deadline = time.monotonic() + PATIENCE
    while not reachable(directories):
        holding = lock_holder(directories)
        if holding is not None and holding.elsewhere:
            raise running_elsewhere(directories, holding)
        if time.monotonic() > deadline:
            raise not_answering(directories)
        if holding is not None:
            time.sleep(_POLL)
        elif start is not None:
            start(directories)
        else:
            raise not_running(directories)


def wait_until_stopped(directories: Directories, stopping: LockHolder | None) -> None:
    """Wait until `stopping` has released the lock. Raises EngineUnreachable when it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while stopping is not None and stopping.is_same(lock_holder(directories)):
        if time.monotonic() > deadline:
            raise not_answering(directories)
        time.sleep(_POLL)


def not_running(directories: Directories) -> EngineGone:
    """The error for a command that needs a running engine."""
    return EngineGone(
        "The upload engine is not running. Starting an upload starts it. (socket:"
        f" {printable(os.fspath(engine_socket_path(directories)))})"
    )


def not_answering(directories: Directories) -> EngineUnreachable:
    """The error for an engine that runs but does not answer."""
    holding = lock_holder(directories)
    if holding is not None and holding.elsewhere:
        return running_elsewhere(directories, holding)
    who = f" ({holding.named})" if holding else ""
    return EngineUnreachable(
        f"The engine{who} does not answer on its socket, {printable(os.fspath(engine_socket_path(directories)))}."
        f" Stop it with `{APP} engine stop --force`, then try again: uploads continue where they stopped."
    )


def log_text(directories: Directories) -> str:
    """The path of the engine's log in a sentence."""
    return printable(os.fspath(engine_log_path(directories)))

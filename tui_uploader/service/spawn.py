"""Start the engine in the background and learn whether it is ready. Light: every front end imports this.

The child gets one end of a pipe, as the descriptor to report to and as its stderr. It writes one line of JSON, a
`Readiness`; anything else that comes out of it is what it said before it died.
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
from tui_uploader.service.instance import Holder, engine_log, engine_socket, holder, runs_elsewhere, trusted_socket
from tui_uploader.service.protocol import Failure
from tui_uploader.service.socket_file import listening
from tui_uploader.settings import APP, Directories
from tui_uploader.text import printable

OWN_PYTHON = (sys.executable, "-P")
"""Starts every process of this program. `-P`: none may import from the folder it is started in, which may be a memory
card with a file that somebody named like a module of ours."""

# `-X utf8`: paths mean the same bytes to the engine and to its front ends, whatever the locale of the first of them.
ENGINE_COMMAND = (*OWN_PYTHON, "-X", "utf8", "-m", "tui_uploader.service.daemon")

PATIENCE = 15.0
"""Seconds that an engine has to become ready, or to go."""

_SECRETS = frozenset({"PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET"})
_POLL = 0.02
_MOST_OUTPUT = 64 * 1024


class Outcome(StrEnum):
    READY = "ready"
    ALREADY_RUNNING = "already_running"
    """Another engine holds the lock: it is ready, or will be soon, or is just leaving."""
    FAILED = "failed"


class Readiness(msgspec.Struct, frozen=True):
    """What a new engine reports to whoever spawned it."""

    outcome: Outcome
    failure: Failure | None = None
    """Why it will not start; with FAILED only."""


class ReadinessPipe:
    """The child's end of the pipe; takes one report."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        os.set_inheritable(descriptor, False)

    @property
    def used(self) -> bool:
        return self._descriptor is None

    def report(self, readiness: Readiness) -> None:
        if self._descriptor is None:
            return
        # Whoever spawned the engine may be gone; that is no reason for the engine to go too.
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
    """Spawn an engine and wait until it is ready, or until it finds that there is one already.

    `directories` are those of this environment (`Directories.of_user()`): the child finds them in the same way.
    Raises what the engine raised when it could not start (EngineWillNotStart, JournalTooNew …).
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
                f"The engine cannot start: {printable(command[0])} cannot be run ({error.strerror})."
            ) from error
        finally:
            os.close(theirs)
        # Reaps the engine should it end before the front end does.
        threading.Thread(target=process.wait, name="engine-reaper", daemon=True).start()
        readiness = _await_readiness(answers.fileno(), process.pid, directories, patience)
    if readiness.failure is not None:
        raise revived(readiness.failure.kind, readiness.failure.message)


def _await_readiness(answers: int, pid: int, directories: Directories, patience: float) -> Readiness:
    """Raises EngineWillNotStart when the child says nothing sensible, or nothing in time."""
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
        f"The engine (process {pid}) was not ready within {patience:g} s; its log,"
        f" {shown_log(directories)}, may tell why."
    )


def reported(output: bytes) -> Readiness | None:
    """The report among the whole lines that came out of the child, if there is one."""
    for line in output.split(b"\n")[:-1]:
        with contextlib.suppress(codec.Malformed):
            return codec.from_json(line, Readiness)
    return None


def _died(output: bytes, directories: Directories) -> EngineWillNotStart:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    last_words = printable(lines[-1].strip(), 300) if lines else "it said nothing"
    return EngineWillNotStart(
        f"The engine ended before it was ready ({last_words}); its log, {shown_log(directories)}, may tell more."
    )


def reachable(directories: Directories) -> bool:
    """An engine listens; it need not be in a state to answer.

    Raises EngineUnreachable when its folder is not ours alone.
    """
    return listening(trusted_socket(directories))


def ensure_engine(directories: Directories, start: Callable[[Directories], None] | None = start_engine) -> None:
    """Return when an engine listens, spawning one with `start` if there is none.

    Front ends that do this at the same time end up with one engine. Raises what `start` raises, EngineGone when there
    is no engine and no `start`, and EngineUnreachable when an engine holds the lock but opens no door in time, or is on
    another computer.
    """
    deadline = time.monotonic() + PATIENCE
    while not reachable(directories):
        holding = holder(directories)
        if holding is not None and holding.elsewhere:
            raise runs_elsewhere(directories, holding)
        if time.monotonic() > deadline:
            raise silent(directories)
        if holding is not None:
            time.sleep(_POLL)
        elif start is not None:
            start(directories)
        else:
            raise not_running(directories)


def await_end(directories: Directories, leaving: Holder | None) -> None:
    """Return when `leaving` holds the lock no more. Raises EngineUnreachable when it does not go."""
    deadline = time.monotonic() + PATIENCE
    while leaving is not None and leaving.is_same(holder(directories)):
        if time.monotonic() > deadline:
            raise silent(directories)
        time.sleep(_POLL)


def not_running(directories: Directories) -> EngineGone:
    """The error for a journal without an engine."""
    return EngineGone(
        f"No engine runs: nobody listens at {printable(os.fspath(engine_socket(directories)))}; any upload starts one."
    )


def silent(directories: Directories) -> EngineUnreachable:
    """The error for an engine that is there and does not answer."""
    holding = holder(directories)
    if holding is not None and holding.elsewhere:
        return runs_elsewhere(directories, holding)
    who = f" ({holding.named})" if holding else ""
    return EngineUnreachable(
        f"The engine{who} does not answer at {printable(os.fspath(engine_socket(directories)))}; end it with"
        f" `{APP} engine stop --force`, then try again: uploads go on where they are."
    )


def shown_log(directories: Directories) -> str:
    """The path of the engine's log, for a sentence."""
    return printable(os.fspath(engine_log(directories)))

"""Run a program of the user: bounded in time and output, and killed with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tui_uploader.redaction import without_secrets
from tui_uploader.settings import home_folder
from tui_uploader.text import printable
from tui_uploader.threads import in_own_thread

_KEPT = 4096
"""Bytes of the end of an output that are kept; the rest is read and discarded, as a full pipe stops a program."""
_CHUNK = 65_536
_FLOOD = 1 << 20
"""Bytes of output after which reading is slowed down, so that a flood costs little processor time."""
_FLOOD_PAUSE, _POLL_SECONDS = 0.01, 0.05
_LAST_WAIT = 1.0
_LONGEST_LINE = 300
_OURS = ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET", "TUI_UPLOADER_PROXY")
"""Variables that no other program gets: they hold secrets of this one."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int | None = None
    """Negative: the signal that ended it; None: it was killed at its time limit, or not started."""
    output: str = ""
    """Last line of stdout; safe for a terminal, and without secrets."""
    error: str = ""
    """The same of stderr."""
    not_started: OSError | None = None


def own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OURS}


async def run_program(command: Sequence[str], text: str, seconds: float, environment: Mapping[str, str]) -> Ended:
    """Run a program with `text` on stdin, in a session and process group of its own.

    What it started is killed when it has ended, at the time limit, and when this call is cancelled. A program that
    does not come back from a hung disk blocks a thread, and nothing else.
    """
    program = _Program(command, text, seconds, environment)
    running = asyncio.ensure_future(in_own_thread(program.run))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        program.kill()
        await asyncio.wait({running}, timeout=_LAST_WAIT)
        raise


def failure_of(name: str, ended: Ended, seconds: float) -> str | None:
    """The sentence about a program that did not end with exit code 0."""
    if ended.not_started is not None:
        return f"{name} cannot be started: {_why_not_started(ended.not_started)}"
    if ended.code is None:
        return f"{name} was still running after {seconds:g} s, and was stopped."
    if ended.code < 0:
        return f"{name} was ended by {_signal_name(-ended.code)}."
    if ended.code:
        said = ended.error or ended.output
        return f"{name} ended with exit code {ended.code}{f': {said}' if said else ' and no message'}".rstrip(".") + "."
    return None


def _why_not_started(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "there is no such program, or its first line names an interpreter that does not exist."
    if error.errno == errno.EACCES:
        return "it is not executable by this user; `chmod +x` makes it so."
    if error.errno == errno.ENOEXEC:
        return "it is no program, and has no first line such as #!/bin/sh."
    return f"{error.strerror or error}."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Program:
    """One run. `run` belongs to one thread; `kill` may be called by another, at any time."""

    def __init__(self, command: Sequence[str], text: str, seconds: float, environment: Mapping[str, str]) -> None:
        self._command = command
        self._unsent = text.encode() + b"\n"
        self._seconds = seconds
        self._environment = environment
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._tails: dict[IO[bytes], bytes] = {}
        self._read = 0

    def run(self) -> Ended:
        end = time.monotonic() + self._seconds
        try:
            process = self._started()
        except (OSError, RuntimeError) as error:
            return Ended(not_started=error if isinstance(error, OSError) else OSError(str(error)))
        with process:
            assert process.stdout is not None and process.stderr is not None
            in_time = self._serve(process, end)
            self.kill()
            code = process.wait()
            output, error_output = (_last_line(self._tails[each]) for each in (process.stdout, process.stderr))
        return Ended(code if in_time else None, output, error_output)

    def kill(self) -> None:
        """Kill the program and all that is left of its process group."""
        with self._guard:
            self._killed = True
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def _started(self) -> subprocess.Popen[bytes]:
        home = home_folder()
        program, *arguments = self._command
        process = subprocess.Popen(
            [str(Path(program).expanduser()) if program.startswith("~") else program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=home if home is not None and os.access(home, os.X_OK) else "/",
            env=self._environment,
            start_new_session=True,
        )
        with self._guard:
            self._process = process
        if self._killed:
            self.kill()
        return process

    def _serve(self, process: subprocess.Popen[bytes], end: float) -> bool:
        """Serve its pipes until it has ended. Returns False if it has not at `end`."""
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        with selectors.DefaultSelector() as selector:
            for pipe, direction in (
                (process.stdin, selectors.EVENT_WRITE),
                (process.stdout, selectors.EVENT_READ),
                (process.stderr, selectors.EVENT_READ),
            ):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, direction, pipe)
                self._tails[pipe] = b""
            while process.poll() is None:
                if time.monotonic() >= end:
                    return False
                self._serve_once(selector, _POLL_SECONDS)
            self._serve_once(selector, 0.0)
        return True

    def _serve_once(self, selector: selectors.BaseSelector, seconds: float) -> None:
        for key, events in selector.select(seconds):
            pipe: IO[bytes] = key.data
            if not (self._write(pipe) if events & selectors.EVENT_WRITE else self._receive(pipe)):
                selector.unregister(pipe)
                if events & selectors.EVENT_WRITE:
                    pipe.close()
        if self._read > _FLOOD:
            time.sleep(_FLOOD_PAUSE)

    def _write(self, pipe: IO[bytes]) -> bool:
        """Returns whether more is to be written."""
        try:
            self._unsent = self._unsent[os.write(pipe.fileno(), self._unsent) :]
        except BlockingIOError:
            return True
        except OSError:  # it does not want to read
            return False
        return bool(self._unsent)

    def _receive(self, pipe: IO[bytes]) -> bool:
        """Returns whether more may come."""
        try:
            data = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        self._read += len(data)
        self._tails[pipe] = (self._tails[pipe] + data)[-_KEPT:]
        return bool(data)


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return printable(without_secrets(lines[-1].strip()), _LONGEST_LINE) if lines else ""

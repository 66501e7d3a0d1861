"""Time from the command to its first complete frame, as the user experiences it."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.tui.pty_session import ANSWERS, DEADLINE, PtySession

_END_OF_FRAME = b"\x1b[?2026l"


@dataclass(frozen=True, slots=True)
class Start:
    """A program, and the text that its first complete frame ends with."""

    command: Sequence[str]
    environment: Mapping[str, str]
    text: str
    """The last text of the first complete frame."""
    before: Callable[[], object] = lambda: None
    """Preparation of each run, not timed."""


@dataclass(frozen=True, slots=True)
class Waited:
    """Medians of several starts."""

    seconds: float
    cpu: float
    """Processor seconds of the program until then."""
    written: float
    """Bytes written until then."""


class _BlindSession(PtySession):
    """Answers queries of the program, but does not emulate the screen, which would take processor time."""

    def _show(self, data: bytes) -> None:
        for question, answer in ANSWERS.items():
            before, now = self.written[: -len(data)].count(question), self.written.count(question)
            for _ in range(now - before):
                os.write(self._descriptor, answer)

    def shows(self, text: bytes) -> bool:
        """Whether a complete frame with the text was written."""
        found = self.written.find(text)
        return found >= 0 and self.written.find(_END_OF_FRAME, found) >= 0


def first_frames(starts: Mapping[str, Start], rounds: int) -> dict[str, Waited]:
    """Measure in turns, so that a slow minute of the machine affects all alike. A first round is not counted.

    That round leaves compiled modules behind, like an installation or a first start, even if the environment forbids
    Python to write any: otherwise only the program would be uncompiled, and not its libraries.
    """
    waits: dict[str, list[Waited]] = {name: [] for name in starts}
    # A spawned engine may still be writing compiled modules at the end.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        for number in range(rounds + 1):
            for name, start in starts.items():
                waited = _first_frame(replace(start, environment={**start.environment, **compiled}))
                if number:
                    waits[name].append(waited)
    return {name: _median(each) for name, each in waits.items()}


def _first_frame(start: Start) -> Waited:
    """Start the program and wait for its first frame. Raises TimeoutError."""
    start.before()
    with _BlindSession(start.command, environment=start.environment) as session:
        while not session.shows(start.text.encode()):
            if time.monotonic() - session.started_at > DEADLINE:
                raise TimeoutError(f"{start.text!r} never appeared: {bytes(session.written[-2000:])!r}")
            session.read(0.5)
        cpu = cpu_of_all_threads(session.process.pid)
        return Waited(session.last_byte_at - session.started_at, cpu, len(session.written))


def cpu_of_all_threads(pid: int) -> float:
    """Processor seconds of all live threads, finer than the ticks of `/proc/PID/stat` (Linux)."""
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _median(waits: Sequence[Waited]) -> Waited:
    return Waited(
        seconds=statistics.median(each.seconds for each in waits),
        cpu=statistics.median(each.cpu for each in waits),
        written=statistics.median(each.written for each in waits),
    )

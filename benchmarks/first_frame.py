"""From the command to its first whole frame, as whoever sits at the terminal waits for it."""

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
    """A program on its way to a frame that holds all that belongs to it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    text: str
    """Comes last into the first whole frame."""
    before: Callable[[], object] = lambda: None
    """What has to be so each time, and is not timed."""


@dataclass(frozen=True, slots=True)
class Waited:
    """Medians."""

    seconds: float
    cpu: float
    """Processor seconds of the program itself until then."""
    written: float
    """Bytes until then."""


class _BlindSession(PtySession):
    """Answers what the program asks, and draws nothing: that would take the processor from the program."""

    def _show(self, data: bytes) -> None:
        for question, answer in ANSWERS.items():
            before, now = self.written[: -len(data)].count(question), self.written.count(question)
            for _ in range(now - before):
                os.write(self._descriptor, answer)

    def shows(self, text: bytes) -> bool:
        """Whether a frame with the text was written to its end."""
        found = self.written.find(text)
        return found >= 0 and self.written.find(_END_OF_FRAME, found) >= 0


def first_frames(starts: Mapping[str, Start], rounds: int) -> dict[str, Waited]:
    """They take turns, so that a slow minute of the machine is everybody's. One round before them is not counted.

    That round leaves compiled modules behind, as an installation or the first start of a program does, also where the
    environment forbids Python to keep any: else libraries would be there compiled, and only the program would not.
    """
    waits: dict[str, list[Waited]] = {name: [] for name in starts}
    # An engine that was spawned may still be keeping what it compiled.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        for number in range(rounds + 1):
            for name, start in starts.items():
                waited = _first_frame(replace(start, environment={**start.environment, **compiled}))
                if number:
                    waits[name].append(waited)
    return {name: _median(each) for name, each in waits.items()}


def _first_frame(start: Start) -> Waited:
    """Raises TimeoutError."""
    start.before()
    with _BlindSession(start.command, environment=start.environment) as session:
        while not session.shows(start.text.encode()):
            if time.monotonic() - session.started_at > DEADLINE:
                raise TimeoutError(f"{start.text!r} never came: {bytes(session.written[-2000:])!r}")
            session.read(0.5)
        cpu = cpu_of_all_threads(session.process.pid)
        return Waited(session.last_byte_at - session.started_at, cpu, len(session.written))


def cpu_of_all_threads(pid: int) -> float:
    """Processor seconds of the threads that there are: finer than the ticks of `/proc/PID/stat` (Linux)."""
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _median(waits: Sequence[Waited]) -> Waited:
    return Waited(
        seconds=statistics.median(each.seconds for each in waits),
        cpu=statistics.median(each.cpu for each in waits),
        written=statistics.median(each.written for each in waits),
    )

"""Cost of a command as a whole process: wall time, processor time, peak memory.

All contestants are measured from outside, including their start-up, imports and thread pools.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SAMPLE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Usage:
    """One run of one process. Times are seconds."""

    wall: float
    cpu: float
    """User and system time, including that of waited-for children."""
    peak: int
    """Largest resident size in bytes."""


class CommandFailed(RuntimeError):
    """A measured command failed."""


class MeasuredProcess:
    """A running command that is measured."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], answer: IO[bytes] | None = None) -> None:
        """`answer`: a file that gets what the command writes to stdout."""
        self._command = command
        # A file, because an unread pipe would block the command.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `wait` closes it
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=answer or self._output,
            stderr=self._output,
        )
        self._ended = threading.Event()
        self._peak = 0
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_so_far(self) -> float:
        """User and system seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self) -> Usage:
        """Wait for its end. Raises CommandFailed with its output."""
        _, status, used = os.wait4(self._process.pid, 0)
        wall = time.perf_counter() - self._began
        self._ended.set()
        self._sampler.join()
        self._process.returncode = os.waitstatus_to_exitcode(status)
        with self._output:
            self._output.seek(0)
            output = self._output.read().decode(errors="replace")
        if self._process.returncode:
            raise CommandFailed(f"{self._command[0]} ended with {self._process.returncode}: {output[-2000:]}")
        return Usage(wall, used.ru_utime + used.ru_stime, self._peak or used.ru_maxrss * 1024)

    def _sample(self) -> None:
        # `ru_maxrss` begins with the memory of this process, which forked it; the kernel's high-water mark begins
        # again when the command is loaded.
        status = Path(f"/proc/{self._process.pid}/status")
        while not self._ended.wait(_SAMPLE_SECONDS):
            try:
                lines = status.read_text().splitlines()
            except OSError:
                return
            for line in lines:
                if line.startswith("VmHWM:"):
                    self._peak = max(self._peak, int(line.split()[1]) * 1024)


def measured(
    command: Sequence[str], environment: Mapping[str, str] | None = None, answer: IO[bytes] | None = None
) -> Usage:
    """Run a command to its end; `answer` gets its stdout. Raises CommandFailed."""
    return MeasuredProcess(command, environment or {}, answer).wait()


def median_usage(runs: Sequence[Usage]) -> Usage:
    """The median of each value."""
    return Usage(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        peak=int(statistics.median(run.peak for run in runs)),
    )


def side_by_side(contestants: Mapping[str, Callable[[], Usage]], rounds: int) -> dict[str, Usage]:
    """The median of each contestant, measured in turns, so that a slow minute of the machine affects all alike."""
    runs: dict[str, list[Usage]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            runs[name].append(run())
    return {name: median_usage(each) for name, each in runs.items()}

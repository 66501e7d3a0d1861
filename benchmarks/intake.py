"""Speed of the intake of a card: find files, read them once for identity and CRC32, inspect headers.

Everything comes from the page cache, so that the figures are those of the program and not of a disk.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.machine import peer
from benchmarks.measure import measured
from benchmarks.photos import scratch_folder, write_photos
from benchmarks.table import Table
from tui_uploader.intake.fingerprint import fingerprint
from tui_uploader.intake.inspect import inspect_image
from tui_uploader.intake.scan import Candidate, scan
from tui_uploader.intake.source import open_source
from tui_uploader.model.projects import ProjectKind

_FILES, _FILE_SIZE = 200, 4_000_000
_MANY = 100_000
_ROUNDS = 7
_THREADS = 2


def tables() -> list[Table]:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        card, crowd = Path(folder) / "card", Path(folder) / "crowd"
        write_photos(card, _FILES, _FILE_SIZE)
        crowd.mkdir()
        for number in range(_MANY):
            (crowd / f"DJI_{number}.JPG").touch()
        return [_content(card), _names(card, crowd)]


def _content(card: Path) -> Table:
    candidates = _found(card)
    everything = sum(candidate.size for candidate in candidates)
    checksum = [*map(str, sorted(card.iterdir()))]

    def row(what: str, seconds: float) -> tuple[str, ...]:
        return what, f"{everything / seconds / 1e9:.2f}", f"{seconds / len(candidates) * 1e3:.3f}"

    return Table(
        "Intake: content",
        f"{_FILES} photos of {_FILE_SIZE / 1e6:.0f} MB from the page cache, median of {_ROUNDS} rounds. Our rows are"
        " one read that computes the identity (xxh3-128) and the CRC32; the peers' are one checksum, as processes.",
        ("what", "GB/s", "ms per file"),
        (
            row("fingerprint, 1 thread", _seconds(lambda: _each(_read, candidates, 1))),
            row(f"fingerprint, {_THREADS} threads", _seconds(lambda: _each(_read, candidates, _THREADS))),
            row(f"fingerprint and inspect, {_THREADS} threads", _seconds(lambda: _each(_whole, candidates, _THREADS))),
            row("md5sum", _median(lambda: measured(["md5sum", *checksum]).wall)),
            row("rclone hashsum crc32", _median(lambda: measured([*_rclone(), "crc32", str(card)]).wall)),
            row("rclone hashsum xxh128", _median(lambda: measured([*_rclone(), "xxh128", str(card)]).wall)),
        ),
    )


def _names(card: Path, crowd: Path) -> Table:
    candidates = _found(card)
    inspected = _seconds(lambda: _each(lambda candidate: inspect_image(candidate.path), candidates, 1))
    walked = _seconds(lambda: _found(crowd))
    listed = _median(lambda: measured([peer("rclone"), "size", str(crowd), "--config", os.devnull]).wall)

    def row(what: str, seconds: float, count: int) -> tuple[str, ...]:
        return what, f"{seconds:.3f}", f"{seconds / count * 1e6:.1f}"

    return Table(
        "Intake: names and headers",
        f"A walk through a folder of {_MANY:,} photos, and inspection of the headers of {_FILES} photos. One thread.",
        ("what", "s", "µs per file"),
        (
            row("scan", walked, _MANY),
            row("rclone size (also a walk)", listed, _MANY),
            row("inspect", inspected, _FILES),
        ),
    )


def _rclone() -> list[str]:
    return [peer("rclone"), "--config", os.devnull, "--checkers", str(_THREADS), "hashsum"]


def _found(folder: Path) -> list[Candidate]:
    return [candidate for batch in scan([str(folder)], ProjectKind.IMAGES) for candidate in batch.candidates]


def _read(candidate: Candidate) -> object:
    return fingerprint(candidate.path)


def _whole(candidate: Candidate) -> object:
    with open_source(candidate.path) as (descriptor, _):
        return fingerprint(candidate.path, descriptor), inspect_image(candidate.path, descriptor)


def _each(work: Callable[[Candidate], object], candidates: Sequence[Candidate], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, candidates):
            pass


def _seconds(work: Callable[[], object]) -> float:
    def timed() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return _median(timed)


def _median(timed: Callable[[], float]) -> float:
    return statistics.median(timed() for _ in range(_ROUNDS))

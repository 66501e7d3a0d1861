"""Cost of adding the same card again: walk, recognition and checks, as by the engine.

Without the journal. A remount is simulated: the known files get another mount.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.photos import write_photos
from benchmarks.table import Table
from tests.engine.rows import FILE
from tui_uploader.engine.journal.tables.known_contents import KnownContent
from tui_uploader.engine.sources.read import read_file
from tui_uploader.engine.sources.recognise import recognise
from tui_uploader.intake.scan import Candidate, scan
from tui_uploader.model.projects import ProjectKind

_PHOTOS, _SIZE = 4_000, 600_000
_THREADS = 2


def tables() -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card"
        write_photos(card, _PHOTOS, _SIZE)
        _write_out(card)
        known: dict[str, KnownContent] = {}
        rows = [_row("first time", card, known)]
        for cold in (False, True):
            cache = "not in the page cache" if cold else "in the page cache"
            for what, remembered in (("again", known), ("again, after a remount", _remounted(known))):
                if cold:
                    _drop(card)
                rows.append(_row(f"{what}, {cache}", card, dict(remembered)))
    return [
        Table(
            "The same card again",
            f"{_PHOTOS:,} photos of {_SIZE / 1e3:.0f} kB: walked, recognised or, if that fails, read, in {_THREADS}"
            " threads. Bytes are those requested by system calls. Of files over 4 MiB, 197 kB are sampled"
            " instead of 131. Pages are dropped file by file; names and inodes stay in the cache.",
            ("what", "s", "MB read", "kB per photo"),
            tuple(rows),
        )
    ]


def _row(what: str, card: Path, known: dict[str, KnownContent]) -> tuple[str, ...]:
    bytes_before, began = _bytes_read(), time.perf_counter()
    _add(card, known)
    seconds, read = time.perf_counter() - began, _bytes_read() - bytes_before
    return what, f"{seconds:.2f}", f"{read / 1e6:.0f}", f"{read / _PHOTOS / 1e3:.0f}"


def _add(card: Path, known: dict[str, KnownContent]) -> None:
    """Walk and check the card; add the files that are read to `known`."""
    for batch in scan([str(card)], ProjectKind.IMAGES):
        recognised = recognise(batch.candidates, known)
        for candidate in recognised.candidates:
            if candidate.path in recognised.sampled:
                known[candidate.path] = replace(known[candidate.path], candidate=candidate)
        with ThreadPoolExecutor(_THREADS) as threads:
            for one in threads.map(lambda candidate: _check(candidate, known), recognised.candidates):
                known[one.candidate.path] = one


def _check(candidate: Candidate, known: Mapping[str, KnownContent]) -> KnownContent:
    row = replace(
        FILE,
        path=candidate.path,
        size=candidate.size,
        mtime_ns=candidate.mtime_ns,
        inode=candidate.inode,
        ctime_ns=candidate.ctime_ns,
        mount=candidate.mount,
    )
    reading = read_file(row, ProjectKind.IMAGES, known.get(candidate.path))
    assert reading.content is not None
    return KnownContent(reading.candidate, reading.content)


def _remounted(known: Mapping[str, KnownContent]) -> dict[str, KnownContent]:
    return {path: replace(one, candidate=replace(one.candidate, mount="another")) for path, one in known.items()}


def _bytes_read() -> int:
    """Bytes that this process has read by system calls."""
    line = Path("/proc/self/io").read_text(encoding="ascii").splitlines()[0]
    return int(line.removeprefix("rchar:"))


def _write_out(card: Path) -> None:
    for descriptor in _opened(card):
        os.fsync(descriptor)


def _drop(card: Path) -> None:
    for descriptor in _opened(card):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _opened(card: Path) -> Iterable[int]:
    for photo in card.iterdir():
        descriptor = os.open(photo, os.O_RDONLY)
        yield descriptor
        os.close(descriptor)

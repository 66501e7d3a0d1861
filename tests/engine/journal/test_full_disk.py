"""A disk that is full to the last byte, and the little space with which the journal continues."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tui_uploader.engine.journal.database import pages_until_checkpoint
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.errors import JournalUnwritable

KIB, MIB = 1024, 1024**2


@pytest.mark.parametrize(
    ("free", "growth", "pages"),
    [
        (10_000 * MIB, 0, 1000),
        (10_000 * MIB, 4 * MIB, 1000),
        (65 * MIB, 80 * MIB, 0),  # would not fit
        (60 * MIB, 4 * MIB, 32),  # so that little is left to do when the disk is full
        (288 * KIB, 200 * KIB, 32),
        (288 * KIB, 4 * MIB, 0),
        (0, 0, 0),
        (0, -4096, 0),
    ],
)
def test_a_checkpoint_is_made_only_if_it_fits(free: int, growth: int, pages: int) -> None:
    assert pages_until_checkpoint(free, growth) == pages


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder)
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


class Ballast:
    """A foreign file that takes all free space, and releases some of it."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "ballast"

    def fill(self, but_for: int = 0) -> None:
        state = os.statvfs(self._path.parent)
        with self._path.open("ab") as file:
            file.write(bytes(state.f_bavail * state.f_frsize - but_for))

    def free(self, size: int) -> None:
        os.truncate(self._path, self._path.stat().st_size - size)


def notes(count: int, size: int) -> Callable[[sqlite3.Connection], None]:
    def change(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (note BLOB)")
        connection.executemany("INSERT INTO notes VALUES (zeroblob(?))", [(size,)] * count)

    return change


async def taken(journal: Journal, most: int) -> int:
    """Return the number of changes that the journal accepts until the disk is full."""
    for done in range(most):
        try:
            await journal.write(notes(1, 10))
        except JournalUnwritable:
            return done
    return most


@asynccontextmanager
async def opened(disk: Path) -> AsyncIterator[Journal]:
    journal = Journal.open(disk / "journal" / "journal.sqlite")
    try:
        yield journal
    finally:
        await journal.close()


async def test_a_large_log_leaves_space_for_changes(disk: Path) -> None:
    """7 MB in the log do not fit into the file, and 288 kB are still enough for many changes."""
    ballast = Ballast(disk)
    async with opened(disk) as journal:
        ballast.fill(but_for=9 * MIB)
        await journal.write(notes(1750, 3500))
        ballast.fill()
        assert await taken(journal, 2000) < 2000
        with pytest.raises(JournalUnwritable, match=r"continues once there is space: free at least [78]\.\d+ MB\."):
            await journal.write(notes(1, 10))
        ballast.free(288 * KIB)
        assert 10 < await taken(journal, 2000) < 2000
        ballast.free(288 * KIB)
        assert await taken(journal, 2000) > 10
        (disk / "ballast").unlink()
        # The log was written into the file and truncated.
        assert await taken(journal, 2000) == 2000
        assert (disk / "journal" / "journal.sqlite-wal").stat().st_size < 9 * MIB


async def test_the_log_stays_short_while_a_disk_fills_slowly(disk: Path) -> None:
    """If space is short the log stays short, so that 288 kB remain enough."""
    ballast = Ballast(disk)
    async with opened(disk) as journal:
        for _ in range(40):
            await journal.write(notes(20, 3500))
        ballast.fill()
        while await taken(journal, 2000) == 2000:
            pass
        ballast.free(288 * KIB)
        assert await taken(journal, 2000) == 2000

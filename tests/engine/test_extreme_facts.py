"""Extreme sizes, times and inode numbers of file systems."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tests.engine.world import World, add, settled
from tests.photos import write_flight
from tui_uploader.engine.journal.columns import from_column, to_column
from tui_uploader.engine.journal.tables import deduplication, known_contents
from tui_uploader.engine.journal.tables.known_contents import Content, KnownContent
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import Counts

MEMORY = Path("/dev/shm")
"""A file system whose times have 64 bits for the seconds; others end in 2038 or 2446."""

YEAR_2300, YEAR_60000, YEAR_MINUS_1000 = 10_413_792_000, 1_831_400_000_000, -93_724_000_000


@pytest.mark.parametrize(
    "number",
    [0, -1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), -(2**63) - 1, YEAR_60000 * 10**9, YEAR_MINUS_1000 * 10**9],
)
async def test_the_journal_keeps_extreme_numbers_of_a_file(harness: JournalHarness, number: int) -> None:
    """As inode and as time; neighbouring numbers are distinguished, and the content is recognised."""
    strange = candidate("/card/a.jpg", mtime_ns=number, inode=number)
    await harness.find(strange, candidate("/card/b.jpg"))
    assert from_column(to_column(number)) == number
    assert (await harness.row("/card/a.jpg")).candidate == strange
    await harness.check("/card/a.jpg", content("a"))
    remembered = await harness.journal.read(lambda connection: known_contents.find(connection, strange.path))
    assert remembered == KnownContent(strange, Content(content("a"), 7))
    assert (
        await harness.journal.read(lambda connection: deduplication.distinct_images(connection, harness.project)) == 2
    )

    await harness.find(strange)
    assert (await harness.row("/card/a.jpg")).stage is FileStage.READY, "the same numbers: the same file"
    await harness.find(candidate("/card/a.jpg", mtime_ns=number + 1, inode=number))
    assert (await harness.row("/card/a.jpg")).stage is FileStage.FOUND, "another number: another file"


@pytest.fixture
def timeless(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that accepts any date, if this machine has one."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("seconds", [YEAR_2300, YEAR_60000, YEAR_MINUS_1000], ids=["2300", "60000", "-1000"])
async def test_a_file_with_an_extreme_date_is_uploaded(timeless: Path, seconds: int) -> None:
    world = World(timeless, LocalCloudOptions(root=timeless / "cloud"))
    photos = write_flight(world.card, 6)
    os.utime(photos[3], (seconds, seconds))
    if photos[3].stat().st_mtime != seconds:
        pytest.skip("this file system knows no such dates")
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=6)
        again = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, again.upload)).counts.duplicate == 6

"""Positions of the images of an upload: exact up to the limit of one project, combined by grid cell beyond."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tests.engine.world import World, add, files_by_name, settled
from tui_uploader.demo import write_sample_flight
from tui_uploader.engine.journal.tables import deduplication, files, known_contents, uploads
from tui_uploader.engine.journal.tables.known_contents import Content, KnownContent
from tui_uploader.engine.journal.views.positions import MOST_POINTS, positions
from tui_uploader.errors import NoSuchUpload
from tui_uploader.intake.formats.exif import by_cameras_clock
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import Position, Positions
from tui_uploader.model.states import FileEvent, FileStatus

Place = tuple[float | None, float | None]


async def taken(harness: JournalHarness, name: str, place: Place, at: float | None = None, letter: str = "") -> None:
    """Add and check a file of this name that was taken at this position."""
    path = f"/card/{name}"
    await harness.find(candidate(path))
    row = await harness.row(path)
    read = Content(content(letter or name[0]), 7, *place, at)
    await harness.write(lambda c: deduplication.settle_check(c, row.id, row.candidate, read))


async def seen(harness: JournalHarness, file: str | None = None) -> Positions:
    number = (await harness.row(f"/card/{file}")).id if file else None
    return await harness.journal.read(lambda c: positions(c, harness.upload, number))


async def test_positions_are_sorted_by_time_and_have_a_status(harness: JournalHarness) -> None:
    await taken(harness, "c.JPG", (46.3, 6.3), 30.0)
    await taken(harness, "a.JPG", (46.1, 6.1), 10.0)
    await taken(harness, "b.JPG", (46.2, 6.2), 20.0)
    await taken(harness, "z.JPG", (46.4, 6.4))
    await taken(harness, "copy.JPG", (46.1, 6.1), 11.0, letter="a")
    await harness.send("/card/b.JPG")
    await harness.send("/card/c.JPG", register=False)
    found = await seen(harness)
    assert [(point.latitude, point.status) for point in found.points] == [
        (46.1, FileStatus.WAITING),
        (46.1, FileStatus.DUPLICATE),
        (46.2, FileStatus.UPLOADED),
        (46.3, FileStatus.UPLOADING),
        (46.4, FileStatus.WAITING),
    ]
    assert (found.located, found.unlocated, found.unread, found.current) == (5, 0, 0, None)


async def test_images_without_a_position_are_counted(harness: JournalHarness) -> None:
    await taken(harness, "a.JPG", (None, None))
    await taken(harness, "b.JPG", (46.0, None))
    await taken(harness, "c.JPG", (46.0, 6.0))
    await taken(harness, "removed.JPG", (46.5, 6.5))
    await harness.happen("/card/removed.JPG", FileEvent.REMOVE)
    await harness.find(candidate("/card/new.JPG"), candidate("/card/c.JPG", size=5))
    found = await seen(harness)
    assert (found.located, found.unlocated, found.unread) == (0, 2, 2), "a changed file has no known position"


async def test_damaged_images_are_on_the_map_where_their_position_can_be_read(harness: JournalHarness) -> None:
    """Their bytes are read again all the same: what is known of them is not enough to upload them."""
    await taken(harness, "a.JPG", (46.0, 6.0), 1.0)
    await harness.find(candidate("/card/cut.JPG"), candidate("/card/empty.JPG"))
    cut, facts = await harness.row("/card/cut.JPG"), Content("", 0, 46.1, 6.1, 2.0)
    await harness.write(lambda c: known_contents.remember(c, cut.candidate, facts))
    for name in ("cut", "empty"):
        row = await harness.row(f"/card/{name}.JPG")
        await harness.write(lambda c, row=row: files.fail(c, row.id, "SourceDamaged", "It is damaged."))  # type: ignore[misc]
    found = await seen(harness, "cut.JPG")
    assert [(point.latitude, point.status) for point in found.points] == [
        (46.0, FileStatus.WAITING),
        (46.1, FileStatus.FAILED),
    ]
    assert found.current == found.points[1]
    assert (found.located, found.failed, found.unlocated, found.failed_unlocated) == (2, 1, 1, 1)
    assert await harness.journal.read(lambda c: known_contents.find(c, cut.path)) is None


async def test_the_positions_of_a_project_are_those_of_all_its_uploads(harness: JournalHarness) -> None:
    await taken(harness, "a.JPG", (46.0, 6.0), 1.0)
    await harness.send("/card/a.JPG")
    first = harness.upload
    await harness.write(lambda c: uploads.mark_scanned(c, first, ["/card"]))
    await harness.write(lambda c: uploads.finish_if_done(c, first, 1.0))
    harness.upload = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/card"], True, 1.0))
    assert harness.upload != first
    await taken(harness, "b.JPG", (46.1, 6.1), 2.0)
    for upload in (first, harness.upload):
        found = await harness.journal.read(lambda c, upload=upload: positions(c, upload, whole_project=True))  # type: ignore[misc]
        assert [point.latitude for point in found.points] == [46.0, 46.1]
    assert (await seen(harness)).located == 1


async def test_an_upload_without_files_has_no_positions(harness: JournalHarness) -> None:
    assert await seen(harness) == Positions((), 0, 0, 0)
    with pytest.raises(NoSuchUpload):
        await harness.journal.read(lambda c: positions(c, 4711, 4711))


async def test_the_position_of_one_file(harness: JournalHarness) -> None:
    await taken(harness, "a.JPG", (-46.1, -6.1), 10.0)
    await taken(harness, "b.JPG", (None, None))
    assert (await seen(harness, "a.JPG")).current == Position(-46.1, -6.1, FileStatus.WAITING, taken_at=10.0)
    assert (await seen(harness, "b.JPG")).current is None


@pytest.mark.parametrize("place", [(91.0, 6.0), (-1e300, 6.0), (46.0, 200.0), (46.0, float("inf")), ("north", 6.0)])
async def test_an_invalid_position_does_not_count(harness: JournalHarness, place: Place) -> None:
    """A damaged journal may hold any value."""
    await taken(harness, "a.JPG", place)
    await taken(harness, "b.JPG", (46.0, 6.0))
    found = await seen(harness, "a.JPG")
    assert (found.located, found.unlocated, found.current) == (1, 1, None)
    assert [(point.latitude, point.longitude) for point in found.points] == [(46.0, 6.0)]


async def test_the_position_of_a_changed_file_is_the_new_one(harness: JournalHarness) -> None:
    await taken(harness, "a.JPG", (46.0, 6.0), 10.0)
    await harness.happen("/card/a.JPG", FileEvent.CHANGED)
    row = await harness.row("/card/a.JPG")
    now = Content(content("b"), 7, None, None, None)
    await harness.write(lambda c: deduplication.settle_check(c, row.id, row.candidate, now))
    assert (await seen(harness)).located == 0
    assert await harness.journal.read(lambda c: known_contents.find(c, row.path)) == KnownContent(row.candidate, now)


def crowd(connection: sqlite3.Connection, harness: JournalHarness, places: Sequence[tuple[float, float]]) -> None:
    """Add an uploaded file for each position; the last one failed."""
    last = len(places) - 1
    connection.executemany(
        "INSERT INTO files (upload, project, path, name, size, mtime_ns, inode, identity, stage)"
        " VALUES (?, ?, ?, '', 1, 1, 1, ?, ?)",
        (
            (
                harness.upload,
                harness.project,
                b"/%d" % number,
                str(number),
                "failed" if number == last else "registered",
            )
            for number in range(len(places))
        ),
    )
    connection.executemany(
        "INSERT INTO known (path, size, mtime_ns, inode, identity, crc32, latitude, longitude, taken_at)"
        " VALUES (?, 1, 1, 1, ?, 1, ?, ?, 0)",
        ((b"/%d" % number, str(number), *place) for number, place in enumerate(places)),
    )


async def gathered(harness: JournalHarness, places: Sequence[tuple[float, float]]) -> Positions:
    await harness.write(lambda c: crowd(c, harness, places))
    found = await seen(harness)
    assert found.located == len(places) == sum(point.files for point in found.points)
    assert 0 < len(found.points) <= MOST_POINTS
    assert [point.status for point in found.points].count(FileStatus.FAILED) == 1, "a failed file is always shown"
    return found


async def test_the_map_of_a_full_project_is_exact(harness: JournalHarness) -> None:
    places = [(46 + number * 1e-5, 6 + number % 60 * 1e-5) for number in range(4_000)]
    assert len((await gathered(harness, places)).points) == 4_000


async def test_many_images_are_combined_by_grid_cell(harness: JournalHarness) -> None:
    places = [(46 + number // 200 * 1e-4, 6 + number % 200 * 1e-4) for number in range(20_000)]
    found = await gathered(harness, places)
    assert len(found.points) > MOST_POINTS / 2
    assert min(point.latitude for point in found.points) == pytest.approx(46, abs=2e-4)
    assert max(point.longitude for point in found.points) == pytest.approx(6 + 199e-4, abs=4e-4)


async def test_many_images_across_the_antimeridian_form_one_grid(harness: JournalHarness) -> None:
    places = [(0.0, (179.9 + number * 1e-5 + 180) % 360 - 180) for number in range(20_000)]
    found = await gathered(harness, places)
    assert len(found.points) == 70, "a row of the grid"
    assert all(abs(point.longitude) > 179.8 for point in found.points)


async def test_many_images_at_one_position_are_one_point(harness: JournalHarness) -> None:
    assert len((await gathered(harness, [(46.0, 6.0)] * (MOST_POINTS + 1))).points) == 1


async def test_checking_a_flight_reads_its_positions(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    flight = write_sample_flight(world.card, 12)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        await settled(manager, upload)
        file = (await files_by_name(manager, upload))["DJI_0012.JPG"].id
        found = await manager.queries.positions(upload, file)
    assert found.located == flight.images + flight.duplicates + flight.broken
    assert (found.unlocated, found.failed, found.failed_unlocated) == (0, flight.broken, 0)
    assert [point.status for point in found.points].count(FileStatus.FAILED) == flight.broken
    times = [point.taken_at or 0.0 for point in found.points]
    assert times == sorted(times) and times[0] > by_cameras_clock("2020-01-01T00:00:00")
    assert found.current in found.points

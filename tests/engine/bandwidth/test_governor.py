"""Rate limit, timetable and budget over real uploads to the local cloud; only the wall clock is moved."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, left_open, settled, when
from tests.photos import write_flight, write_photo
from tests.until import until
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import JournalDamaged, UsageError
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.engine import BandwidthChange, BudgetPeriod
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts

MIB = 1024**2
MINUTE = 60.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


def window(world: World, begins_in: float, ends_in: float) -> str:
    """Times of day, so many minutes from now on by the engine's clock."""
    now = datetime.fromtimestamp(world.time.wall())
    begin, end = (now + timedelta(minutes=minutes) for minutes in (begins_in, ends_in))
    return f"{begin:%H:%M}-{end:%H:%M}"


async def reasons(manager: UploadManager, upload: int) -> set[str | None]:
    items = (await files_by_name(manager, upload)).values()
    return {item.reason for item in items if item.status is FileStatus.WAITING}


async def test_a_rate_limit_applies_and_can_be_changed_while_files_are_sent(world: World) -> None:
    photos = write_flight(world.card, 12, MIB)
    async with world.cloud_running(), world.engine() as manager:
        assert (await manager.set_bandwidth(BandwidthChange(limit="2MB/s"))).holds == "at most 2 MB/s"
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.bytes_passed)
        before, begun = world.bytes_passed, time.monotonic()
        await asyncio.sleep(2.0)
        moved, elapsed = world.bytes_passed - before, time.monotonic() - begun
        assert 0.8 * elapsed < moved / 2_000_000 <= elapsed + 0.35
        assert manager.queries.status().bandwidth.rate == 2_000_000
        await manager.set_bandwidth(BandwidthChange(limit="off"))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=12)
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_a_low_rate_limit_leaves_few_streams(world: World) -> None:
    write_flight(world.card, 12, MIB)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="64KB/s"))
        await add(manager, world.card, auto_process=False)
        await until(lambda: manager.queries.status().streams == 2)
        await until(lambda: world.stream_limit == 2)
        assert manager.queries.status().streams == 2


async def test_the_timetable_stops_transfers_and_resumes_them(world: World) -> None:
    photos = write_flight(world.card, 12, MIB)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="2MB/s", schedule=f"{window(world, 60, 120)} pause"))
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.bytes_passed > MIB)
        world.time.wall_error += 61 * MINUTE
        held = await when(manager, upload.upload, lambda status: status.counts.uploading == 0 and status.notice)
        assert held.notice is not None
        assert (held.notice.kind, held.notice.needs_person) == ("SendingPaused", False)
        assert held.notice.message.startswith("schedule: paused until ")
        assert await reasons(manager, upload.upload) == {"no sending at this time"}
        assert held.counts.failed == 0
        await until(lambda: manager.queries.status().streams == 0)
        stopped_at = world.bytes_passed
        await asyncio.sleep(1.0)
        assert world.bytes_passed == stopped_at
        await manager.set_bandwidth(BandwidthChange(limit="off"))
        world.time.wall_error += 60 * MINUTE
        done = await when(manager, upload.upload, lambda status: status.state is UploadState.COMPLETE)
        assert (done.counts, done.notice) == (Counts(uploaded=12), None)
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_an_upload_added_during_a_pause_waits_for_its_end(world: World) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(schedule=f"{window(world, -5, 60)} pause"))
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.counts.waiting == 3 and status.notice)
        assert world.bytes_passed == 0
        await manager.set_bandwidth(BandwidthChange(schedule="off"))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=3)


async def test_a_budget_stops_between_files_and_outlives_the_engine(world: World) -> None:
    """Only the file that crosses the budget is sent beyond it; no byte is wasted, and no file fails."""
    photos = write_flight(world.card, 10, MIB)
    size = photos[0].stat().st_size
    async with world.cloud_running():
        async with world.engine() as manager:
            await manager.set_bandwidth(BandwidthChange(budget="5MB", per=BudgetPeriod.TOTAL))
            upload = await add(manager, world.card, auto_process=False)
            held = await when(manager, upload.upload, lambda status: status.notice and not status.counts.uploading)
            assert held.notice is not None
            assert (held.notice.kind, held.notice.needs_person) == ("BudgetUsedUp", True)
            assert held.notice.message.startswith("data budget of 5 MB is used up; `b`")
            assert held.counts == Counts(uploaded=5, waiting=5)
            assert await reasons(manager, upload.upload) == {"data budget used up"}
            used = manager.queries.status().bandwidth.used
            assert 5_000_000 <= used < 5_000_000 + size
        async with world.engine() as manager:
            again = await when(manager, upload.upload, lambda status: status.notice)
            assert again.notice == held.notice
            assert manager.queries.status().bandwidth.used == used
            assert world.bytes_passed == 0
            await manager.set_bandwidth(BandwidthChange(budget="off"))
            assert (await settled(manager, upload.upload)).counts == Counts(uploaded=10)
            assert world.bytes_passed == sum(photo.stat().st_size for photo in photos[5:])


async def test_a_budget_stops_a_large_file_between_parts(world: World) -> None:
    large = write_photo(world.card / "A.JPG", 40 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(budget="10MB", per=BudgetPeriod.DAY))
        upload = await add(manager, world.card, auto_process=False)
        held = await when(manager, upload.upload, lambda status: status.counts.waiting == 1 and status.bytes.sent)
        assert held.bytes.sent == 16 * MIB
        assert held.notice is not None
        assert (held.notice.kind, held.notice.needs_person) == ("SendingPaused", False)
        world.time.wall_error += 24 * 60 * MINUTE  # a new day, a new budget; of which one more part is sent
        held = await when(manager, upload.upload, lambda status: status.bytes.sent > 16 * MIB and status.notice)
        await manager.set_bandwidth(BandwidthChange(budget="off"))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert world.bytes_passed == large.stat().st_size
        assert world.objects() == {"A.JPG": large.read_bytes()}


async def test_a_budget_that_is_already_exceeded_stops_running_transfers(world: World) -> None:
    write_flight(world.card, 4, 8 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="2MB/s"))
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.bytes_passed > MIB)
        await manager.set_bandwidth(BandwidthChange(budget="500K"))
        held = await when(manager, upload.upload, lambda status: status.notice)
        assert held.counts == Counts(waiting=4)
        assert world.bytes_passed < 4 * MIB


async def test_settings_outlive_the_engine_and_invalid_ones_change_nothing(world: World) -> None:
    async with world.cloud_running():
        async with world.engine() as manager:
            wish = BandwidthChange("500k", "Sat,Sun 22:00-06:00 pause", "20GB", BudgetPeriod.WEEK)
            before = await manager.set_bandwidth(wish)
            for wrong in (
                BandwidthChange(limit="1M", schedule="nonsense"),
                BandwidthChange(limit="1M", budget="much"),
                BandwidthChange(limit="fast"),
            ):
                with pytest.raises(UsageError):
                    await manager.set_bandwidth(wrong)
            assert (await manager.queries.bandwidth()).limit == 500_000
        async with world.engine() as manager:
            after = await manager.queries.bandwidth()
            assert (after.limit, after.schedule, after.budget, after.per) == (
                before.limit,
                "Sat,Sun 22:00-06:00 pause",
                20_000_000_000,
                BudgetPeriod.WEEK,
            )


async def test_front_ends_see_the_timetable_change_while_nothing_is_sent(world: World) -> None:
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(schedule=f"{window(world, 60, 120)} 1M"))
        rates: list[int | None] = []

        async def follow() -> None:
            async for status in manager.queries.changes():
                rates.append(status.bandwidth.rate)  # noqa: PERF401 - looked at while it grows

        following = asyncio.create_task(follow())
        await until(lambda: rates == [None])
        world.time.wall_error += 61 * MINUTE
        world.wake_all()
        await until(lambda: rates[-1] == 1_000_000)
        following.cancel()


@pytest.mark.parametrize("value", ['{"limit": -5}', '{"schedule": "Montag"}', "nonsense", '{"budget": "20GB"}'])
async def test_damaged_settings_are_reported_and_not_ignored(world: World, value: str) -> None:
    journal = Journal.open(world.directories.journal)
    await journal.close()
    with closing(sqlite3.connect(world.directories.journal)) as connection, connection:
        connection.execute("INSERT INTO preferences VALUES ('bandwidth', ?)", (value,))
    with pytest.raises(JournalDamaged):
        async with world.engine(sign_in=False):
            pass
    assert not left_open(world.directories.data)

"""Files that a program is still writing while the engine checks them."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import SETTLE_TIMES, World, add, files_by_name, settled, when
from tests.photos import jpeg, write_flight
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.sources.unfinished import SettleTimes
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileSelection
from tui_uploader.model.states import FileStage, FileStatus
from tui_uploader.model.uploads import Counts

WIDTH = HEIGHT = 512
SHORT = SettleTimes(unchanged=0.2, refused=0.4, suspicious=0.8)
LONG = SettleTimes(unchanged=0.2, refused=600.0, suspicious=600.0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"), settle_times=SHORT)


def tiff() -> bytes:
    """An uncompressed image of one strip, directory first, without black pixels."""
    entries = [(256, WIDTH), (257, HEIGHT), (258, 8), (259, 1), (262, 1), (273, 0), (277, 1), (278, HEIGHT)]
    entries.append((279, WIDTH * HEIGHT))
    pixels_at = 8 + 2 + 12 * len(entries) + 4
    made = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, value in entries:
        made += struct.pack("<HHII", tag, 4, 1, pixels_at if tag == 273 else value)
    pixels = bytes(1 + (row * 7 + column) % 255 for row in range(HEIGHT) for column in range(WIDTH))
    return made + bytes(4) + pixels


WHOLE = tiff()
ALLOCATED = WHOLE[: len(WHOLE) // 3] + bytes(len(WHOLE) - len(WHOLE) // 3)


def begin_copy(path: Path) -> Path:
    """Like a program that gives the copy its full size first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ALLOCATED)
    return path


def finish_copy(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(WHOLE)


async def reason_of(manager: UploadManager, upload: int, name: str) -> str:
    return (await files_by_name(manager, upload))[name].reason or ""


async def test_a_copy_that_is_finished_in_place_is_uploaded_once(world: World) -> None:
    world.settle_times = LONG
    path = begin_copy(world.card / "DJI_0001.TIF")
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.deferred)
        assert "it ends in zeros" in await reason_of(manager, upload.upload, path.name)
        status = await manager.queries.upload(upload.upload)
        assert status.counts == Counts(waiting=1)
        assert status.notice is not None and "DJI_0001.TIF may still be written" in status.notice.message
        finish_copy(path)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert world.objects() == {path.name: WHOLE}


async def test_an_unfinished_copy_fails_and_is_retried_when_it_is_finished(world: World) -> None:
    path = begin_copy(world.card / "DJI_0001.TIF")
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(failed=1)
        assert "interrupted copy. Copy it again" in await reason_of(manager, upload.upload, path.name)
        assert world.objects() == {}
        finish_copy(path)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=1))
        assert world.objects() == {path.name: WHOLE}


async def test_a_black_end_is_accepted_only_if_the_user_names_the_file(world: World) -> None:
    path = begin_copy(world.card / "DJI_0001.TIF")
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await settled(manager, upload.upload)
        await manager.retry(upload.upload, FileSelection(statuses=(FileStatus.FAILED,)))
        await add(manager, world.card, auto_process=False)
        await until(lambda: not world.summary.busy(upload.upload))
        assert (await manager.queries.upload(upload.upload)).counts == Counts(failed=1)
        await manager.retry(upload.upload, FileSelection(names=(path.name,)))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert world.objects() == {path.name: ALLOCATED}


async def test_half_of_a_recent_photo_waits_for_the_other_half(world: World) -> None:
    world.settle_times = LONG
    photo = jpeg(60_000)
    world.card.mkdir()
    path = world.card / "DJI_0001.JPG"
    path.write_bytes(photo[:30_000])
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        while "not complete yet" not in await reason_of(manager, upload.upload, path.name):
            await until(lambda: world.deferred)
        with path.open("ab") as file:
            file.write(photo[30_000:])
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=1))
        assert world.objects() == {path.name: photo}


async def test_many_recent_files_are_deferred_together(world: World) -> None:
    """All are observed before the first is read; none waits for another."""
    world.settle_times = SettleTimes(unchanged=3600.0)
    for photo in write_flight(world.card, 200):
        photo.touch()
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: len(world.deferred) == 200)
        assert world.files(upload.upload, FileStage.FOUND) == 200
        world.time.passed += 3600.0
        world.wake_all()
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=200)


async def test_files_of_yesterday_and_of_the_future_are_uploaded(world: World) -> None:
    """A date in the far future delays a file by one pause and no longer."""
    old, hour, far = write_flight(world.card, 3)
    ahead = world.time.wall() + 3600
    os.utime(hour, (ahead, ahead))
    os.utime(far, ns=(0, 9_200_000_000 * 10**9))
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.counts.uploaded == 3)
        assert set(world.objects()) == {old.name, hour.name, far.name}


async def test_a_file_that_changes_whenever_it_is_sent_fails_until_it_stops(world: World) -> None:
    world.settle_times = SETTLE_TIMES
    world.options = replace(world.options, faults=("stall:route=put,seconds=0.3,bytes=100000,every=1",))
    (photo,) = write_flight(world.card, 1, size=300_000)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)

        def fails_if_it_changes() -> bool:
            counts = manager.queries.status().uploads[0].counts
            if counts.uploading:
                photo.write_bytes(jpeg(300_000))
            return counts == Counts(failed=1)

        await world.in_the_long_run(fails_if_it_changes)
        assert "keeps changing" in await reason_of(manager, upload.upload, photo.name)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=1))
        assert photo.read_bytes() in world.objects().values()

"""Cards that come back, as FAT reports them: inode numbers anew, times moved by hours."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.engine.pipeline.test_cards import Card, card, no_more_reading, write_in_place
from tests.engine.watches.test_watched_folder import only_watch, stored, upload_of, watch
from tests.engine.world import World
from tests.photos import write_flight
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.sources import threads
from tui_uploader.engine.watches import folder, watches
from tui_uploader.engine.watches.listing import Place, place_at
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts
from tui_uploader.model.watches import WatchState

__all__ = ["card"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def put_back(world: World, manager: UploadManager, fat: Card, mount: str = "second") -> None:
    """The same card, mounted anew."""
    away = world.card.rename(world.card.with_name("away"))
    await world.in_the_long_run(lambda: only_watch(manager).state is WatchState.ABSENT, leap=1)
    fat.mount, fat.numbers_anew, fat.shift_ns = mount, True, 3600 * 10**9
    away.rename(world.card)
    await world.in_the_long_run(lambda: only_watch(manager).upload is not None, leap=1)
    await until(lambda: only_watch(manager).state is WatchState.WATCHING)


async def test_a_card_that_returns_is_neither_read_nor_counted_again(
    world: World, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_flight(world.card, 4)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, quiet_seconds=1.0, auto_process=False)
        await upload_of(manager, 4)
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE)
        no_more_reading(monkeypatch)
        await put_back(world, manager, card)
        assert manager.queries.upload_status(1).counts == Counts(uploaded=4)
        assert manager.queries.upload_status(1).state is UploadState.COMPLETE
        assert (len(manager.queries.status().uploads), only_watch(manager).cards) == (1, 1)


async def test_an_image_that_was_overwritten_with_equal_size_and_time_is_uploaded(world: World, card: Card) -> None:
    photos = write_flight(world.card, 4)
    times = [photo.stat() for photo in photos]
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, auto_process=False)
        await upload_of(manager, 4)
        await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        away = world.card.rename(world.card.with_name("elsewhere"))
        await world.in_the_long_run(lambda: only_watch(manager).state is WatchState.ABSENT, leap=1)
        write_in_place([away / photos[0].name])
        set_time(away / photos[0].name, times[0].st_mtime_ns)
        card.mount = "second"
        away.rename(world.card)
        await world.in_the_long_run(lambda: only_watch(manager).upload == 1, leap=1)
        await upload_of(manager, 5)
        assert stored(world) == 5
        assert photos[0].read_bytes() in world.objects().values()


async def test_a_card_that_was_wiped_and_filled_again_is_another_upload(world: World, card: Card) -> None:
    """The same names, sizes and times, on the same card."""
    photos = write_flight(world.card, 4)
    stats = [photo.stat() for photo in photos]
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, auto_process=False)
        await upload_of(manager, 4)
        away = world.card.rename(world.card.with_name("elsewhere"))
        await world.in_the_long_run(lambda: only_watch(manager).state is WatchState.ABSENT, leap=1)
        write_in_place([away / photo.name for photo in photos])
        for photo, before in zip(photos, stats, strict=True):
            set_time(away / photo.name, before.st_mtime_ns)
        card.mount = "second"
        away.rename(world.card)
        await world.in_the_long_run(lambda: only_watch(manager).upload == 2, leap=1)
        await upload_of(manager, 4)
        assert [upload.project_name for upload in manager.queries.status().uploads] == ["card", "card (2)"]
        assert stored(world) == 8


async def test_a_card_that_hangs_keeps_the_watch_from_nothing_but_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, other = world.folder / "hanging", world.folder / "other"
    released = threading.Event()
    real = place_at

    def place(path: str) -> Place | None:
        if path == str(hanging):
            released.wait(60)
        return real(path)

    monkeypatch.setattr(folder, "place_at", place)
    monkeypatch.setattr(threads, "HANGS_AFTER", 0.2)
    monkeypatch.setattr(watches, "_FIRST_LOOK", 0.1)
    async with world.cloud_running(), world.engine() as manager:
        try:
            await watch(manager, hanging)
            await until(lambda: manager.watches.list()[0].state is WatchState.BLOCKED)
            assert "does not respond" in (manager.watches.list()[0].reason or "")
            write_flight(other, 1)
            await watch(manager, other)
            await until(lambda: manager.watches.list()[1].upload)
            assert (await manager.watches.remove(1)).path == str(hanging)
        finally:
            released.set()


def set_time(path: Path, mtime_ns: int) -> None:
    os.utime(path, ns=(mtime_ns, mtime_ns))

"""Files that change, are removed, or take long during their check."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.engine.sources import read
from tui_uploader.intake.fingerprint import Fingerprint, Observer, fingerprint
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileSelection
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Counts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def test_a_file_removed_during_its_check_stays_removed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the file on disk does not undo its removal."""
    photo, _ = write_flight(world.card, 2)
    looking, go = threading.Event(), threading.Event()

    def held_up(path: str, descriptor: int, real: str) -> Candidate:
        if path == str(photo):
            looking.set()
            assert go.wait(20)
        return candidate_at(path, descriptor, real)

    monkeypatch.setattr(read, "candidate_at", held_up)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(looking.is_set)
        photo.write_bytes(jpeg(9000))
        assert await manager.remove(upload.upload, FileSelection(names=(photo.name,))) == 1
        go.set()
        done = await when(manager, upload.upload, lambda status: status.state is UploadState.COMPLETE)
        assert done.counts == Counts(uploaded=1)
        assert photo.name not in await files_by_name(manager, upload.upload)


async def test_files_of_a_cancelled_and_dismissed_upload_are_sent_when_they_are_added_again(world: World) -> None:
    """Files waiting there will never be sent: they are not originals of duplicates."""
    photos = write_flight(world.card, 6)
    world.options = replace(world.options, faults=("stall:route=put,seconds=60,every=1",))
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        await when(manager, upload.upload, lambda status: status.counts.uploading)
        await manager.cancel(upload.upload)
        await manager.dismiss(upload.upload)
    world.options = replace(world.options, faults=())
    async with world.cloud_running(), world.engine() as manager:
        again = await add(manager, world.card)
        await settled(manager, again.upload)
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_a_file_that_is_being_written_is_checked_at_intervals(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes for a while is checked again after a pause, not hundreds of times a second."""
    photo = write_photo(world.card / "DJI_0001.JPG", 1000)
    stop = threading.Event()
    looks: list[str] = []

    def keep_writing() -> None:
        with photo.open("ab", buffering=0) as file:
            while not stop.wait(0.001):
                file.write(b"x")

    def noted(path: str, descriptor: int, real: str) -> Candidate:
        looks.append(path)
        return candidate_at(path, descriptor, real)

    monkeypatch.setattr(read, "candidate_at", noted)
    writing = threading.Thread(target=keep_writing)
    async with world.cloud_running(), world.engine() as manager:
        writing.start()
        try:
            await add(manager, world.card, auto_process=False)
            await until(lambda: looks)
            await asyncio.sleep(1.0)
        finally:
            stop.set()
            writing.join()
        assert len(looks) <= 3


async def test_a_large_file_does_not_hold_up_the_checks_of_another_project(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one reader is busy with a large file, files of other projects are checked and sent."""
    large = write_photo(world.card / "one" / "LARGE.JPG")
    write_flight(world.card / "two", 3)
    go = threading.Event()

    def long_read(path: str, descriptor: int, part_size: int | None, observe: Observer) -> Fingerprint:
        if path == str(large):
            assert go.wait(20)
        return fingerprint(path, descriptor, part_size, observe)

    monkeypatch.setattr(read, "fingerprint", long_read)
    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card / "one", new="One", auto_process=False)
        two = await add(manager, world.card / "two", new="Two", auto_process=False)
        try:
            await when(manager, two.upload, lambda status: status.counts.uploaded == 3, seconds=10)
        finally:
            go.set()


@pytest.mark.parametrize("how", ["pause", "cancel", "remove"])
async def test_the_reading_of_a_large_file_is_told_and_can_be_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A file of 100 GB is read for minutes: the rest is not read once it is not wanted any more."""
    world.card.mkdir()
    large = world.card / "LARGE.JPG"
    with large.open("wb") as file:
        file.write(jpeg())
        file.truncate(3 * 1024**3)
    far, go = 2 * 1024**3, threading.Event()
    ends: list[int] = []

    def observed(path: str, descriptor: int, part_size: int | None, observe: Observer) -> Fingerprint:
        def observe_both(done: int) -> None:
            ends[:] = [done]
            observe(done)

        observe_both(far)
        assert go.wait(20)
        return fingerprint(path, descriptor, part_size, observe_both)

    monkeypatch.setattr(read, "fingerprint", observed)
    async with world.cloud_running(), world.engine() as manager:
        added = await add(manager, world.card, auto_process=False)
        await until(lambda: ends)
        (item,) = (await files_by_name(manager, added.upload)).values()
        assert item.reason == "being checked: 67% read"
        if how == "remove":
            await manager.remove(added.upload, FileSelection(all=True))
        else:
            await getattr(manager, how)(added.upload)
        reading = next(iter(world.supervisor.checker.readings.values()))
        await until(lambda: reading.stopped)
        go.set()
        await until(lambda: not world.supervisor.checker.readings)
        assert ends[0] < 1024**3, "stopped soon after its beginning"
        assert world.files(added.upload, FileStage.FAILED) == 0

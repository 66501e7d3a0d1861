"""Memory cards that are pulled out and put back, and files that change, vanish, or cannot be read."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import ExistingProject, ProjectKind
from tui_uploader.model.states import FileStage, FileStatus
from tui_uploader.model.uploads import AddRequest, Counts

MIB = 1024**2


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


def all_failed(number: int) -> Counts:
    return Counts(failed=number)


@pytest.mark.parametrize("how", ["automatically", "on request", "after a restart"])
async def test_a_card_that_is_pulled_out_and_put_back(world: World, how: str) -> None:
    """While it is out, its mount point is empty: every file is reported missing, with advice."""
    photos = {photo.name: photo.read_bytes() for photo in write_flight(world.card / "DCIM", 6)}
    async with world.cloud_running():
        async with world.engine() as manager:
            upload = await add(manager, world.card, auto_process=False)
            await manager.pause(upload.upload)
            pulled = world.card.rename(world.folder / "pulled")
            world.card.mkdir()
            await manager.resume(upload.upload)
            await when(manager, upload.upload, lambda status: status.counts == all_failed(6))
            for item in (await files_by_name(manager, upload.upload)).values():
                assert item.status is FileStatus.FAILED and item.reason is not None and "put the card" in item.reason
            world.card.rmdir()
            if how != "after a restart":
                pulled.rename(world.card)
            if how == "on request":
                await manager.retry(upload.upload, FileSelection(all=True))
            if how != "after a restart":
                await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=6))
        if how == "after a restart":
            pulled.rename(world.card)
            async with world.engine() as manager:
                await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=6))
        assert world.objects() == photos


async def test_a_card_that_is_pulled_out_during_a_file(world: World) -> None:
    """The file that was under way cannot be finished, the others cannot be begun; all of them arrive later."""
    world.options = replace(world.options, faults=("stall:route=part,seconds=0.5,bytes=1000000,times=2",))
    photos = [write_photo(world.card / name, 20 * MIB) for name in ("A.JPG", "B.JPG")]
    contents = {photo.name: photo.read_bytes() for photo in photos}
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.bytes.sent > 0)
        pulled = world.card.rename(world.folder / "pulled")
        for photo in photos:
            os.truncate(pulled / photo.name, 0)  # what the open file of a pulled card gives
        await when(manager, upload.upload, lambda status: status.counts.failed == 2)
        for name, content in contents.items():
            (pulled / name).write_bytes(content)
        pulled.rename(world.card)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=2))
        assert sorted(world.objects().values()) == sorted(contents.values())


async def test_a_deleted_file_fails_and_no_other(world: World) -> None:
    first, second = write_flight(world.card, 2)
    async with world.cloud_running(), world.engine() as manager:
        await manager.create_project("Quarry", ProjectKind.IMAGES, None)
        await manager.sign_out("default")
        upload = await manager.add(AddRequest((str(world.card),), ExistingProject("Quarry"), auto_process=False))
        await until(lambda: world.files(upload.upload, FileStage.READY) == 2)
        first.unlink()
        await manager.sign_in(SignInRequest(world.login()))
        done = await settled(manager, upload.upload)
        assert done.counts == Counts(uploaded=1, failed=1)
        assert world.objects() == {second.name: second.read_bytes()}


async def test_a_file_that_was_replaced_before_sending_is_sent_as_it_is_then(world: World) -> None:
    world.options = replace(world.options, faults=("stall:route=put,seconds=0.3,bytes=1000000,times=1",))
    photo = write_photo(world.card / "A.JPG", 4 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.counts.uploading == 1)
        photo.write_bytes(jpeg(3 * MIB))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert photo.read_bytes() in world.objects().values()

"""Watched folders with a real engine, a real file system and a real cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.world import World, when
from tests.photos import write_flight, write_photo
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.watches import Watch, WatchRequest, WatchState


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def watch(manager: UploadManager, path: Path, **settings: object) -> Watch:
    given = {"quiet_seconds": 600.0, "name": "{card}"} | settings
    return await manager.watches.add(WatchRequest(str(path), **given))  # type: ignore[arg-type]


def only_watch(manager: UploadManager) -> Watch:
    (found,) = manager.watches.list()
    return found


async def upload_of(manager: UploadManager, files: int) -> UploadStatus:
    """The upload of the only watch, once so many files of it are uploaded."""
    await until(lambda: only_watch(manager).upload is not None)
    upload = only_watch(manager).upload
    assert upload is not None
    return await when(manager, upload, lambda status: status.counts.uploaded == files)


async def test_images_of_a_card_are_uploaded_and_complete_after_the_quiet_period(world: World) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        assert (await watch(manager, world.card)).state in (WatchState.ADDING, WatchState.WATCHING)
        status = await upload_of(manager, 3)
        assert (status.project_name, status.watch) == ("card", 1)
        await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        assert (await when(manager, status.upload, lambda status: True)).state is UploadState.ACTIVE
        write_photo(world.card / "DJI_0100.JPG")
        await upload_of(manager, 4)
        assert len(world.objects()) == 4
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE, leap=60)

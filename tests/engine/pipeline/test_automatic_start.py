"""The seconds before processing starts automatically, in which the user can stop it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from tests.engine.world import SETTINGS, World, add, files_by_name, when
from tests.photos import write_flight
from tests.until import until
from tui_uploader.cloud.contract import Cloud, RemoteProject
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import NotPossibleNow
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import Login
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import UploadStatus

DELAY = 10.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(
        tmp_path,
        LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.0),
        settings=changed(SETTINGS, processing_delay=DELAY),
    )


async def about_to_start(manager: UploadManager, upload: int) -> UploadStatus:
    return await when(manager, upload, lambda status: status.process_at is not None)


def project_of(status: UploadStatus) -> str:
    assert status.project is not None
    return status.project


def pass_time(world: World, seconds: float) -> None:
    world.time.passed += seconds
    world.wake_all()


async def test_processing_starts_when_the_delay_is_over_and_not_before(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        before = world.time.wall()
        status = await about_to_start(manager, upload)
        assert status.process_at is not None
        assert before < status.process_at <= world.time.wall() + DELAY
        assert manager.queries.busy
        looks = world.time.looks
        pass_time(world, DELAY - 4.0)
        await until(lambda: world.time.looks > looks)
        assert world.starts_of(project_of(status)) == 0
        pass_time(world, 4.0)
        await when(manager, upload, lambda status: status.processing.state is not ProcessingState.NOT_STARTED)
        assert world.starts_of(project_of(status)) == 1


async def test_the_user_stops_the_start(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        status = await about_to_start(manager, (await add(manager, world.card)).upload)
        stopped = await manager.stop_automatic_start(status.upload)
        assert (stopped.auto_process, stopped.process_at, manager.queries.busy) == (False, None, False)
        await manager.start_processing(project_of(status))
        with pytest.raises(NotPossibleNow, match="already requested"):
            await manager.stop_automatic_start(status.upload)
        assert world.starts_of(project_of(status)) == 1


class _SlowToAnswer(Pix4dCloud):
    """Answers about a project only when it is let."""

    def __init__(self, login: Login) -> None:
        super().__init__(login, SETTINGS)
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def project(self, project_id: str) -> RemoteProject:
        self.asked.set()
        await self.let.wait()
        return await super().project(project_id)


async def test_a_start_that_is_stopped_while_the_service_is_asked_does_not_happen(world: World) -> None:
    clouds: list[_SlowToAnswer] = []

    def slow(login: Login) -> Cloud:
        clouds.append(_SlowToAnswer(login))
        return clouds[-1]

    world.make_cloud = slow
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        status = await about_to_start(manager, (await add(manager, world.card)).upload)
        pass_time(world, DELAY)
        await clouds[-1].asked.wait()
        await manager.stop_automatic_start(status.upload)
        clouds[-1].let.set()
        await manager.start_processing(project_of(status))
        assert world.starts_of(project_of(status)) == 1


async def test_a_new_file_begins_the_delay_again(world: World) -> None:
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        first = await about_to_start(manager, (await add(manager, world.card / "one")).upload)
        pass_time(world, DELAY - 1.0)
        added = await add(manager, world.card / "two")
        assert added.process_at is None
        second = await about_to_start(manager, added.upload)
        assert first.process_at is not None
        assert second.process_at is not None
        assert second.process_at >= first.process_at + DELAY - 1.0
        assert world.starts_of(project_of(first)) == 0


async def test_an_undone_removal_cancels_the_start(world: World) -> None:
    """Removing the last failed file makes the start due; restoring the file takes that back."""
    write_flight(world.card, 6)
    (world.card / "empty.jpg").write_bytes(b"")
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        status = await when(manager, upload, lambda status: status.settled and status.counts.failed == 1)
        failed = FileSelection(statuses=(FileStatus.FAILED,))
        ids = tuple(
            item.id for item in (await files_by_name(manager, upload)).values() if item.status is FileStatus.FAILED
        )
        assert await manager.remove(upload, failed) == 1
        await about_to_start(manager, upload)
        assert await manager.restore(upload, FileSelection(ids=ids)) == 1
        status = await when(manager, upload, lambda status: status.counts.failed == 1)
        assert status.process_at is None
        await world.in_the_long_run(lambda: world.time.passed > 3 * DELAY)
        assert world.starts_of(project_of(status)) == 0


async def test_a_restart_begins_the_delay_again(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running():
        async with world.engine() as manager:
            status = await about_to_start(manager, (await add(manager, world.card)).upload)
        world.time.passed += DELAY
        async with world.engine() as manager:
            again = await about_to_start(manager, status.upload)
            assert again.process_at is not None
            assert status.process_at is not None
            assert again.process_at >= status.process_at + DELAY
            assert world.starts_of(project_of(status)) == 0
            pass_time(world, DELAY)
            await until(lambda: world.starts_of(project_of(status)) == 1)

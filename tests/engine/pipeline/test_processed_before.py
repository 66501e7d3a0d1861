"""A project that was processed is processed again only if the user asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.world import SETTINGS, World, add, files_by_name, when
from tests.intake.results.files import obj, write
from tests.photos import write_flight
from tests.until import until
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import AlreadyProcessed, NotPossibleNow
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import ExistingProject, NewProject, ProcessingState, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import AddRequest, UploadStatus


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.0))


async def processed(world: World, manager: UploadManager, upload: int) -> UploadStatus:
    def done() -> object:
        return manager.queries.upload_status(upload).processing.state is ProcessingState.DONE

    await world.in_the_long_run(done)
    return manager.queries.upload_status(upload)


async def add_more(manager: UploadManager, folder: Path, auto_process: bool | None = None) -> UploadStatus:
    request = AddRequest((str(folder),), NewProject("Quarry"), auto_process=auto_process)
    return await when(manager, (await manager.add(request)).upload, lambda status: status.state is UploadState.COMPLETE)


def project_of(status: UploadStatus) -> str:
    assert status.project is not None
    return status.project


async def test_images_that_are_added_do_not_start_it_again(world: World) -> None:
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        before = world.time.wall()
        first = await processed(world, manager, (await add(manager, world.card / "one")).upload)
        assert first.processing.images == 6
        assert first.processing.ended_at is not None
        assert before < first.processing.ended_at <= world.time.wall()
        assert not first.auto_process
        more = await add_more(manager, world.card / "two")
        assert not more.auto_process
        assert (world.starts_of(project_of(first)), manager.queries.busy) == (1, False)


async def test_they_do_at_the_users_request(world: World) -> None:
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        first = await processed(world, manager, (await add(manager, world.card / "one")).upload)
        await add_more(manager, world.card / "two", auto_process=True)
        await until(lambda: world.starts_of(project_of(first)) == 2)
        await world.in_the_long_run(lambda: not manager.queries.busy)
        assert (await manager.queries.project("Quarry")).processing.images == 7


async def test_nothing_is_promised_where_all_images_were_processed(world: World) -> None:
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        first = await processed(world, manager, (await add(manager, world.card / "one")).upload)
        with pytest.raises(NotPossibleNow, match="All images of Quarry were processed"):
            await manager.set_auto_process(first.upload, True)
        more = await add_more(manager, world.card / "two")
        await manager.set_auto_process(more.upload, True)
        await until(lambda: world.starts_of(project_of(first)) == 2)


async def test_an_upload_that_is_open_keeps_its_choice(world: World) -> None:
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card / "one", auto_process=False)).upload
        await manager.cancel(upload)
        more = await add_more(manager, world.card / "two")
        assert (more.upload, more.auto_process) == (upload, False)


async def test_a_failed_file_that_is_uploaded_later_does_not_start_it_again(world: World) -> None:
    write_flight(world.card, 6)
    late = world.card / "late.jpg"
    late.write_bytes(b"")
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        status = await when(manager, upload, lambda status: status.settled and status.counts.failed == 1)
        await manager.start_processing(project_of(status), partial=True)
        await processed(world, manager, upload)
        write_flight(world.folder / "other", 1)
        late.write_bytes(next((world.folder / "other").rglob("*.JPG")).read_bytes())
        failed = (await files_by_name(manager, upload))["late.jpg"]
        assert failed.status is FileStatus.FAILED
        await manager.retry(upload, FileSelection(ids=(failed.id,)))
        await when(manager, upload, lambda status: status.state is UploadState.COMPLETE)
        assert (world.starts_of(project_of(status)), manager.queries.busy) == (1, False)


async def test_the_user_agrees_to_process_again(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        status = await processed(world, manager, (await add(manager, world.card)).upload)
        project = project_of(status)
        with pytest.raises(AlreadyProcessed, match="may use credits"):
            await manager.start_processing(project)
        with pytest.raises(AlreadyProcessed):
            await manager.start_processing(project, partial=True)
        assert world.starts_of(project) == 1
        await manager.start_processing(project, again=True)
        assert world.starts_of(project) == 2


async def test_a_project_that_another_client_processed_counts_as_processed(world: World) -> None:
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        first = await processed(world, manager, (await add(manager, world.card / "one")).upload)
        project = project_of(first)
    other = World(world.folder / "other machine", world.options, world.cloud)
    async with world.cloud_running(), other.engine() as manager:
        request = AddRequest((str(world.card / "two"),), ExistingProject(project))
        status = await manager.add(request)
        assert (status.auto_process, status.processing.state) == (False, ProcessingState.DONE)
        assert status.processing.images is None


async def test_a_project_that_another_client_processes_meanwhile_is_not_started(world: World) -> None:
    write_flight(world.card / "one", 5)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card / "one")).upload
        status = await when(manager, upload, lambda status: status.state is UploadState.COMPLETE)
        cloud = Pix4dCloud(world.login(), SETTINGS)
        await cloud.start_processing(project_of(status))
        await cloud.close()
        await add(manager, world.card / "two")
        await world.in_the_long_run(lambda: world.project_row(project_of(status)).was_processed)
        assert world.starts_of(project_of(status)) == 1
        with pytest.raises(AlreadyProcessed):
            await manager.start_processing(project_of(status))
        assert world.starts_of(project_of(status)) == 1


async def test_the_list_of_projects_tells_what_other_clients_did(world: World) -> None:
    """Of projects that this machine knows: their images in the cloud, and that they were processed."""
    write_flight(world.card / "one", 3)
    write_flight(world.card / "two", 4)
    async with world.cloud_running(), world.engine() as manager:
        status = await add_more(manager, world.card / "one")
        project = project_of(status)
        (listed,) = await manager.queries.projects()
        assert (listed.images, listed.images_in_cloud, listed.processing.state) == (3, 3, ProcessingState.NOT_STARTED)
        other = World(world.folder / "other machine", world.options, world.cloud)
        async with other.engine() as another:
            request = AddRequest((str(world.card / "two"),), ExistingProject(project), auto_process=False)
            await when(
                another, (await another.add(request)).upload, lambda upload: upload.state is UploadState.COMPLETE
            )
        cloud = Pix4dCloud(world.login(), SETTINGS)
        await cloud.start_processing(project)
        await cloud.close()
        await world.in_the_long_run(lambda: world.starts_of(project) == 1)
        (listed,) = await manager.queries.projects()
        assert (listed.images, listed.images_in_cloud, listed.processing.state) == (3, 7, ProcessingState.DONE)
        assert not manager.queries.upload_status(status.upload).auto_process


async def test_results_are_never_processed(world: World) -> None:
    write(world.card, {"site.obj": obj([])})
    async with world.cloud_running(), world.engine() as manager:
        request = AddRequest((str(world.card),), NewProject("Mesh"), ProjectKind.RESULTS, auto_process=True)
        assert not (await manager.add(request)).auto_process

"""Commands that arrive at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.engine.world import World
from tests.photos import write_flight
from tui_uploader.errors import NothingToUpload
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.projects import ExistingProject, NewProject, ProjectKind
from tui_uploader.model.uploads import AddRequest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def test_two_uploads_to_a_project_that_only_the_service_knows_are_one_project_here(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running():
        async with world.engine() as manager:
            made = await manager.create_project("Quarry", ProjectKind.IMAGES, None)
            assert made.id is not None
        world.directories.journal.unlink()  # another machine, that knows nothing of it
        async with world.engine() as manager:
            request = AddRequest((str(world.card),), ExistingProject(made.id), auto_process=False)
            uploads = await asyncio.gather(*(manager.add(request) for _ in range(4)))
            assert {upload.upload for upload in uploads} == {1}
            assert [project.id for project in await manager.queries.projects()] == [made.id]


async def test_requests_without_files_do_not_affect_others_to_the_same_new_project(world: World) -> None:
    empty = world.folder / "empty"
    empty.mkdir()
    write_flight(world.card, 1)
    nothing = AddRequest((str(empty),), NewProject("Quarry"), auto_process=False)
    something = AddRequest((str(world.card),), NewProject("Quarry"), auto_process=False)
    async with world.cloud_running(), world.engine() as manager:
        outcomes = await asyncio.gather(
            *(manager.add(request) for request in (nothing, something, nothing, something)), return_exceptions=True
        )
        assert [type(outcome).__name__ for outcome in outcomes] == [
            NothingToUpload.__name__,
            "UploadStatus",
            NothingToUpload.__name__,
            "UploadStatus",
        ]
        assert len({outcome.upload for outcome in outcomes if not isinstance(outcome, BaseException)}) == 1

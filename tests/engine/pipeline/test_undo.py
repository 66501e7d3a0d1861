"""Additions and dismissals can be undone: nothing that was uploaded is touched, and nothing is sent afterwards."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.photos import write_flight
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import LinkError, NoSuchProject, NotPossibleNow
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileSelection
from tui_uploader.model.states import FileStage, FileStatus, UploadState
from tui_uploader.model.uploads import UploadStatus

NEVER_STORED = "stall:route=put,seconds=60,probability=1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.0))


def addition_of(status: UploadStatus) -> int:
    assert status.addition is not None
    return status.addition


def listed(manager: UploadManager) -> list[int]:
    return [upload.upload for upload in manager.queries.status().uploads]


async def test_an_addition_is_taken_out_with_what_is_being_sent(world: World) -> None:
    """Its upload, which is empty then, leaves the list, and nothing of it arrives."""
    world.options = replace(world.options, faults=(NEVER_STORED,))
    write_flight(world.card, 8)
    async with world.cloud_running(), world.engine() as manager:
        added = await add(manager, world.card)
        await until(lambda: world.files(added.upload, FileStage.SENDING))
        undone = await manager.undo_addition(addition_of(added))
        assert (undone.upload, undone.removed, undone.kept) == (added.upload, 8, 0)
        assert (listed(manager), manager.queries.busy) == ([], False)
        assert world.files(added.upload, FileStage.REMOVED) == 8
        assert (await manager.undo_addition(addition_of(added))).removed == 0


async def test_what_is_uploaded_stays_and_is_not_processed(world: World) -> None:
    write_flight(world.card, 8)
    world.options = replace(world.options, faults=(f"{NEVER_STORED},after=6",))
    async with world.cloud_running(), world.engine() as manager:
        added = await add(manager, world.card)
        await when(manager, added.upload, lambda status: status.counts.uploaded == 6)
        undone = await manager.undo_addition(addition_of(added))
        assert (undone.removed, undone.kept) == (2, 6)
        status = await when(manager, added.upload, lambda status: status.state is UploadState.COMPLETE)
        assert (status.counts.total, status.counts.uploaded, status.auto_process) == (6, 6, False)
        assert status.project is not None
        assert (world.starts_of(status.project), manager.queries.busy) == (0, False)


async def test_only_the_files_of_that_addition_are_taken_out(world: World) -> None:
    world.options = replace(world.options, faults=(NEVER_STORED,))
    write_flight(world.card / "one", 3)
    write_flight(world.card / "two", 5)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card / "one")
        second = await add(manager, world.card / "two", world.card / "one")
        assert second.upload == first.upload
        assert (await manager.undo_addition(addition_of(second))).removed == 5
        status = manager.queries.upload_status(first.upload)
        assert (status.counts.total, status.auto_process) == (3, True)
        assert {Path(item.path).parent.name for item in (await files_by_name(manager, first.upload)).values()} == {
            "one"
        }
        assert (await manager.undo_addition(addition_of(first))).removed == 3
        assert listed(manager) == []


async def test_a_walk_that_is_under_way_ends_with_its_addition(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card with many files: none that is found later comes into the queue."""
    write_flight(world.card, 40)
    async with world.cloud_running(), world.engine() as manager:
        held = asyncio.Event()
        walk_to_end = world.supervisor.walker._walk_to_end

        async def slowly(*arguments: Any) -> None:
            await held.wait()
            await walk_to_end(*arguments)

        monkeypatch.setattr(world.supervisor.walker, "_walk_to_end", slowly)
        added = await add(manager, world.card)
        assert added.state is UploadState.PREPARING
        undone = await manager.undo_addition(addition_of(added))
        held.set()
        assert undone.removed > 0
        assert (listed(manager), manager.queries.busy) == ([], False)
        assert world.files(added.upload, *(stage for stage in FileStage if stage is not FileStage.REMOVED)) == 0


async def test_a_cancelled_upload_is_cancelled_again(world: World) -> None:
    world.options = replace(world.options, faults=(NEVER_STORED,))
    write_flight(world.card / "one", 3)
    write_flight(world.card / "two", 5)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card / "one")
        await manager.cancel(first.upload)
        second = await add(manager, world.card / "two")
        assert (second.upload, second.state is UploadState.CANCELLED) == (first.upload, False)
        await manager.undo_addition(addition_of(second))
        status = manager.queries.upload_status(first.upload)
        assert (status.state, status.counts.total) == (UploadState.CANCELLED, 3)


async def test_a_crash_in_the_middle_takes_nothing_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal of an engine that was killed between the two steps of undoing: files were being sent."""
    world.options = replace(world.options, faults=(NEVER_STORED,))
    write_flight(world.card, 8)
    async with world.cloud_running():
        async with AsyncExitStack() as stack:
            manager = await stack.enter_async_context(world.engine())
            added = await add(manager, world.card)
            await until(lambda: world.files(added.upload, FileStage.SENDING))

            async def killed(*_: object) -> None:
                raise SystemError("killed")

            monkeypatch.setattr(world.supervisor.sender, "stop", killed)
            with pytest.raises(SystemError):
                await manager.undo_addition(addition_of(added))
            assert world.files(added.upload, FileStage.SENDING)
            monkeypatch.undo()
        async with world.engine() as manager:
            assert (listed(manager), manager.queries.busy) == ([], False)
            assert world.files(added.upload, FileStage.REMOVED) == 8
            assert world.objects() == {}


async def test_files_of_an_undone_addition_can_be_added_again(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        added = await add(manager, world.card)
        await manager.undo_addition(addition_of(added))
        again = await add(manager, world.card)
        status = await settled(manager, again.upload)
        assert (status.state, status.counts.uploaded + status.counts.duplicate) == (UploadState.COMPLETE, 6)


async def test_an_unknown_addition_is_refused(world: World) -> None:
    async with world.cloud_running(), world.engine() as manager:
        with pytest.raises(NotPossibleNow, match="no addition 7"):
            await manager.undo_addition(7)


# ------------------------------------------------------------------------------------------------ dismissals


async def test_a_dismissed_upload_comes_back_with_its_files(world: World) -> None:
    """Waiting, failed and duplicate files are as they were; a file that the user removed stays removed."""
    world.options = replace(world.options, faults=(f"{NEVER_STORED},after=3",))
    write_flight(world.card, 6)
    photos = sorted(world.card.rglob("*.JPG"))
    (world.card / "copy.jpg").write_bytes(photos[0].read_bytes())
    (world.card / "empty.jpg").write_bytes(b"")
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        await when(
            manager,
            upload,
            lambda status: (status.counts.uploaded, status.counts.duplicate, status.counts.failed) == (3, 1, 1),
        )
        await manager.cancel(upload)
        waiting = [
            item for item in (await files_by_name(manager, upload)).values() if item.status is FileStatus.WAITING
        ]
        await manager.remove(upload, FileSelection(ids=(waiting[0].id,)))
        before = await files_by_name(manager, upload)
        await manager.dismiss(upload)
        assert listed(manager) == []
        status = await manager.undismiss(upload)
        assert (status.state, status.dismissed) == (UploadState.CANCELLED, False)
        assert listed(manager) == [upload]
        after = await files_by_name(manager, upload)
        assert {name: (item.status, item.duplicate_of) for name, item in after.items()} == {
            name: (item.status, item.duplicate_of) for name, item in before.items()
        }
        assert after["empty.jpg"].damaged == before["empty.jpg"].damaged
        await manager.dismiss(upload)
        assert (await manager.undismiss(upload)).counts == status.counts


async def test_a_complete_upload_comes_back_complete(world: World) -> None:
    """Also with the card taken out: nothing is read again."""
    write_flight(world.card, 6)
    photos = sorted(world.card.rglob("*.JPG"))
    (world.card / "copy.jpg").write_bytes(photos[0].read_bytes())
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        done = await settled(manager, upload)
        await manager.dismiss(upload)
        for photo in world.card.rglob("*"):
            if photo.is_file():
                photo.unlink()
        status = await manager.undismiss(upload)
        assert (status.state, status.counts) == (UploadState.COMPLETE, done.counts)
        assert (await manager.undismiss(upload)).counts == done.counts


# ------------------------------------------------------------------------------------------------ projects


async def test_a_project_that_was_never_created_leaves_with_its_only_upload(world: World) -> None:
    """It is listed as long as its upload is, and comes back with it; its name is free for another one."""
    write_flight(world.card, 3)
    async with AsyncExitStack() as stack:
        async with world.cloud_running():
            manager = await stack.enter_async_context(world.engine())
        upload = (await add(manager, world.card, new="Ortho results")).upload
        assert [project.name for project in await manager.queries.projects()] == ["Ortho results"]
        await manager.cancel(upload)
        await manager.dismiss(upload)
        assert await manager.queries.projects() == ()
        with pytest.raises((NoSuchProject, LinkError)):
            await manager.queries.project("Ortho results")
        await manager.undismiss(upload)
        assert [project.name for project in await manager.queries.projects()] == ["Ortho results"]


async def test_a_project_that_exists_at_the_service_stays(world: World) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        await settled(manager, upload)
        await manager.dismiss(upload)
        assert [project.name for project in await manager.queries.projects()] == ["Quarry"]

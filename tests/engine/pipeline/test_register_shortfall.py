"""A service that counts fewer images than it was given: only confirmed images count as uploaded."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence, Set
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import SETTINGS, World, add, files_by_name, settled, when
from tests.local_cloud.root_reader import registered_images
from tests.photos import write_flight
from tui_uploader.cli.waiting import Ending, blocked_ending
from tui_uploader.cloud.contract import Registration, Shortfall, ShortfallResolution
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import CloudFault
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.local_cloud.storage.database import FILE_NAME
from tui_uploader.model.accounts import Login
from tui_uploader.model.projects import ExistingProject
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import AddRequest, Counts, UploadStatus


class Counting(Pix4dCloud):
    """Reports the count that a test wants, and registers images or not."""

    says: int | None = 0
    registers = True
    calls = 0
    before: Callable[[], None] = staticmethod(lambda: None)

    async def register_images(
        self, project_id: str, keys: Sequence[str], asked_before: Set[str] = frozenset()
    ) -> Registration:
        type(self).calls += 1
        self.before()
        if self.says is None:
            return await super().register_images(project_id, keys, asked_before)
        if self.registers:
            await super().register_images(project_id, keys)
        return Registration((), shortfalls=(Shortfall(tuple(keys), self.says),))


@pytest.fixture
def counting() -> type[Counting]:
    return type("ThisCounting", (Counting,), {})


def world_of(folder: Path, profile: Profile, counting: type[Counting]) -> World:
    def make(login: Login) -> Pix4dCloud:
        return counting(login, SETTINGS)

    world = World(folder, LocalCloudOptions(root=folder / "cloud", profile=profile), make_cloud=make)
    write_flight(world.card, 3)
    return world


def needs_person(status: UploadStatus) -> bool:
    return status.notice is not None and status.notice.needs_person


@pytest.mark.parametrize("profile", [Profile.DEFAULT, Profile.STRICT])
async def test_images_that_were_not_registered_are_not_called_uploaded(
    tmp_path: Path, profile: Profile, counting: type[Counting]
) -> None:
    counting.registers = False
    world = world_of(tmp_path, profile, counting)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        noticed = await when(manager, upload.upload, lambda status: status.notice is not None)
        assert noticed.notice is not None and "registered 0 of 3 images in Quarry" in noticed.notice.message
        assert not noticed.notice.needs_person, "it may pass"
        await world.in_the_long_run(lambda: needs_person(manager.queries.status().uploads[0]))
        stuck = await when(manager, upload.upload, needs_person)
        assert stuck.counts == Counts(uploading=3) and blocked_ending(stuck) == Ending(5)
        reason = (await files_by_name(manager, upload.upload))["DJI_0001.JPG"].reason
        assert reason is not None and "not confirmed" in reason and "DJI_0001.JPG" in reason
        before, started = counting.calls, world.time.passed
        await world.in_the_long_run(lambda: world.time.passed >= started + 3600)
        assert counting.calls - before <= 300, "a call in every twelve seconds at most, on average"
    counting.says = None
    async with world.cloud_running(), world.engine() as manager:
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)


async def test_images_that_the_service_lists_are_uploaded_despite_the_count(
    tmp_path: Path, counting: type[Counting]
) -> None:
    world = world_of(tmp_path, Profile.DEFAULT, counting)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice, counting.calls) == (Counts(uploaded=3), None, 1)


async def test_without_a_list_a_count_of_new_images_leaves_them_unconfirmed(
    tmp_path: Path, counting: type[Counting]
) -> None:
    counting.says = 2
    world = world_of(tmp_path, Profile.STRICT, counting)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        noticed = await when(manager, upload.upload, lambda status: status.notice is not None)
        assert noticed.counts == Counts(uploading=3)


async def test_an_image_that_the_storage_lost_is_sent_again(tmp_path: Path, counting: type[Counting]) -> None:
    """The service counts two of three, because the third is missing from the storage."""
    world = world_of(tmp_path, Profile.DEFAULT, counting)

    def lose() -> None:
        if counting.calls == 1:
            with closing(sqlite3.connect(world.options.root / FILE_NAME)) as sql, sql:
                assert sql.execute("DELETE FROM objects WHERE key LIKE '%DJI_0002.JPG'").rowcount == 1

    counting.says, counting.before = None, staticmethod(lose)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)
        assert counting.calls == 2
        assert done.project is not None and len(registered_images(world.options.root, int(done.project))) == 3


async def test_after_the_journal_is_lost_the_same_project_takes_the_images_again(
    tmp_path: Path, counting: type[Counting]
) -> None:
    """All images are registered already, so the service rightly counts no new one."""
    counting.says = None
    world = world_of(tmp_path, Profile.STRICT, counting)
    async with world.cloud_running():
        async with world.engine() as manager:
            first = await settled(manager, (await add(manager, world.card, auto_process=False)).upload)
        shutil.rmtree(world.directories.data)
        async with world.engine() as manager:
            assert first.project is not None
            request = AddRequest((str(world.card),), ExistingProject(first.project), auto_process=False)
            again = await settled(manager, (await manager.add(request)).upload)
            assert (again.counts, again.notice) == (Counts(uploaded=3), None)


async def test_a_repeated_registration_after_a_lost_answer_may_count_none(
    tmp_path: Path, counting: type[Counting]
) -> None:
    counting.says = None
    world = world_of(tmp_path, Profile.STRICT, counting)
    world.options = replace(world.options, faults=("lost_reply:route=register,times=1",))
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)
        items = (await files_by_name(manager, upload.upload)).values()
        assert {item.status for item in items} == {FileStatus.UPLOADED}


async def test_after_an_interrupted_inquiry_images_count_as_never_asked_for(tmp_path: Path) -> None:
    """Otherwise the next registration would take a count of none for a repetition, and call them uploaded."""
    asked_before: list[Set[str]] = []

    class Interrupted(Pix4dCloud):
        async def register_images(
            self, project_id: str, keys: Sequence[str], asked: Set[str] = frozenset()
        ) -> Registration:
            asked_before.append(asked)
            if len(asked_before) == 1:
                return Registration((), shortfalls=(Shortfall(tuple(keys), 0),))
            return await super().register_images(project_id, keys, asked)

        async def resolve_shortfall(self, project_id: str, shortfall: Shortfall) -> ShortfallResolution:
            raise CloudFault("The service broke.")

    world = World(
        tmp_path, LocalCloudOptions(root=tmp_path / "cloud"), make_cloud=lambda one: Interrupted(one, SETTINGS)
    )
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card, auto_process=False)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=3))
    assert asked_before == [frozenset(), frozenset()]

"""Stored files that the service does not register."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

from tests.engine.world import SETTINGS, World, add, files_by_name, settled, when
from tests.local_cloud.root_reader import traffic_counts
from tests.photos import write_flight
from tui_uploader.cli.waiting import Ending, blocked_ending
from tui_uploader.cloud.contract import Registration
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import CloudFault
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.accounts import Login
from tui_uploader.model.uploads import Counts, UploadStatus


def needs_person(status: UploadStatus) -> bool:
    return status.notice is not None and status.notice.needs_person


async def test_images_that_one_call_registered_survive_the_failure_of_the_next(tmp_path: Path) -> None:
    """The service takes two images at once, then fails: the two files are uploaded."""
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, 3)
    asked: list[int] = []

    class Choosy(Pix4dCloud):
        async def register_images(
            self, project_id: str, keys: Sequence[str], asked_before: Set[str] = frozenset()
        ) -> Registration:
            asked.append(len(keys))
            if len(asked) == 2:
                raise CloudFault("The service broke.")
            return await super().register_images(project_id, keys, asked_before)

    def choosy(login: Login) -> Pix4dCloud:
        cloud = Choosy(login, SETTINGS)
        cloud.registration_batch = 2
        return cloud

    world.make_cloud = choosy
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.counts == Counts(uploaded=2, uploading=1))
        manager.try_now()
        await settled(manager, upload.upload)
    assert asked == [2, 1, 1]


async def test_a_vanished_project_asks_for_action_until_it_is_back(tmp_path: Path) -> None:
    """The project vanishes after the files were stored: no file fails, the user is told, registering is retried."""
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, 3)
    gone = True

    class Forgetful(Pix4dCloud):
        async def register_images(
            self, project_id: str, keys: Sequence[str], asked_before: Set[str] = frozenset()
        ) -> Registration:
            return await super().register_images("999999" if gone else project_id, keys, asked_before)

    world.make_cloud = lambda login: Forgetful(login, SETTINGS)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        stuck = await when(manager, upload.upload, needs_person)
        assert stuck.notice is not None and stuck.notice.kind == "NoSuchProject"
        assert "cancel this upload" in stuck.notice.message and "Quarry" in stuck.notice.message
        assert stuck.counts == Counts(uploading=3)
        gone = False
        manager.try_now()
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)


async def test_a_refusal_of_the_account_is_reported_and_fails_no_file(tmp_path: Path) -> None:
    """The account may not register for a while: each attempt is one call, and all files are uploaded in the end."""
    forbidden = "forbidden403:route=register,times=3"
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", faults=(forbidden,)))
    write_flight(world.card, 40)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        stuck = await when(manager, upload.upload, needs_person)
        assert stuck.notice is not None and stuck.notice.kind == "CloudRefused"
        assert "permission" in stuck.notice.message and "HTTP 403" in stuck.notice.message
        assert blocked_ending(stuck) == Ending(5)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=40), None)
    assert traffic_counts(tmp_path / "cloud").faults == 3


async def test_a_file_that_the_service_refuses_fails_with_the_reason_and_delays_no_other(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", profile=Profile.STRICT))
    write_flight(world.card, 12)
    missing = "-gone"

    class Losing(Pix4dCloud):
        """The cloud has lost one object."""

        async def register_images(
            self, project_id: str, keys: Sequence[str], asked_before: Set[str] = frozenset()
        ) -> Registration:
            asked = [key + missing if key.endswith("DJI_0005.JPG") else key for key in keys]
            found = await super().register_images(project_id, asked, asked_before)
            refused = {key.removesuffix(missing): reason for key, reason in found.refused.items()}
            return Registration(found.registered, refused, found.shortfalls)

    world.make_cloud = lambda login: Losing(login, SETTINGS)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert done.counts == Counts(uploaded=11, failed=1)
        failed = (await files_by_name(manager, upload.upload))["DJI_0005.JPG"]
        assert failed.reason is not None and "Some keys do not exist" in failed.reason


async def test_a_lasting_failure_of_the_service_is_reported(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", faults=("error500:route=register,times=6",)))
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        seen: list[UploadStatus] = []

        def noticed() -> bool:
            seen[:] = [status for status in manager.queries.status().uploads if status.notice is not None]
            return bool(seen)

        await world.in_the_long_run(noticed)
        assert seen[0].notice is not None and "HTTP 500" in seen[0].notice.message
        assert not needs_person(seen[0]) and seen[0].counts == Counts(uploading=3)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].settled)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)

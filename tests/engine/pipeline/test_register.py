"""Stored files whose project does not take them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.engine.world import SETTINGS, World, add, files_by_name, settled, when
from tests.photos import write_flight
from tui_uploader.cli.waiting import Ending, standstill
from tui_uploader.cloud.contract import Registration
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import CloudFault
from tui_uploader.local_cloud.faults.meter import counts
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model import Counts, Login, UploadStatus


def needs_somebody(status: UploadStatus) -> bool:
    return status.notice is not None and status.notice.needs_person


async def test_what_one_call_registered_is_not_lost_with_the_next_one(tmp_path: Path) -> None:
    """The service takes two at once, and then does not answer: two files are uploaded all the same."""
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, 3)
    asked: list[int] = []

    class Choosy(Pix4dCloud):
        async def register_images(self, project_id: str, keys: Sequence[str]) -> Registration:
            asked.append(len(keys))
            if len(asked) == 2:
                raise CloudFault("The service broke.")
            return await super().register_images(project_id, keys)

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


async def test_a_project_that_vanished_is_told_to_a_person_and_forgotten_once_it_is_back(tmp_path: Path) -> None:
    """Files are stored, and then the project is gone: nothing fails, somebody is told, and it is tried again."""
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, 3)
    gone = True

    class Forgetful(Pix4dCloud):
        async def register_images(self, project_id: str, keys: Sequence[str]) -> Registration:
            return await super().register_images("999999" if gone else project_id, keys)

    world.make_cloud = lambda login: Forgetful(login, SETTINGS)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        stuck = await when(manager, upload.upload, needs_somebody)
        assert stuck.notice is not None and stuck.notice.kind == "NoSuchProject"
        assert "cancel this upload" in stuck.notice.message and "Quarry" in stuck.notice.message
        assert stuck.counts == Counts(uploading=3)
        gone = False
        manager.try_now()
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)


async def test_a_refusal_of_the_account_is_told_once_and_fails_no_file(tmp_path: Path) -> None:
    """The account may not register for a while: each attempt is one call, and all files are uploaded in the end."""
    forbidden = "forbidden403:route=register,times=3"
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", faults=(forbidden,)))
    write_flight(world.card, 40)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        stuck = await when(manager, upload.upload, needs_somebody)
        assert stuck.notice is not None and stuck.notice.kind == "CloudRefused"
        assert "permission" in stuck.notice.message and "HTTP 403" in stuck.notice.message
        assert standstill(stuck) == Ending(5)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=40), None)
    assert counts(tmp_path / "cloud").faults == 3


async def test_a_file_that_the_service_refuses_fails_with_the_reason_and_holds_up_no_other(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", profile=Profile.STRICT))
    write_flight(world.card, 12)
    missing = "-gone"

    class Losing(Pix4dCloud):
        """The cloud has lost one object."""

        async def register_images(self, project_id: str, keys: Sequence[str]) -> Registration:
            asked = [key + missing if key.endswith("DJI_0005.JPG") else key for key in keys]
            found = await super().register_images(project_id, asked)
            refused = {key.removesuffix(missing): reason for key, reason in found.refused.items()}
            return Registration(found.registered, refused, found.counted)

    world.make_cloud = lambda login: Losing(login, SETTINGS)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert done.counts == Counts(uploaded=11, failed=1)
        failed = (await files_by_name(manager, upload.upload))["DJI_0005.JPG"]
        assert failed.reason is not None and "Some keys do not exist" in failed.reason


async def test_a_service_that_fails_for_long_is_told_though_it_may_pass(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", faults=("error500:route=register,times=6",)))
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        seen: list[UploadStatus] = []

        def told() -> bool:
            seen[:] = [status for status in manager.queries.status().uploads if status.notice is not None]
            return bool(seen)

        await world.in_the_long_run(told)
        assert seen[0].notice is not None and "HTTP 500" in seen[0].notice.message
        assert not needs_somebody(seen[0]) and seen[0].counts == Counts(uploading=3)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].settled)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=3), None)

"""Stored files whose project does not take them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.engine.world import SETTINGS, World, add, settled, when
from tests.photos import write_flight
from tui_uploader.cloud.pix4d import Pix4dCloud
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model import Counts, UploadStatus


def needs_somebody(status: UploadStatus) -> bool:
    return status.notice is not None and status.notice.needs_person


async def test_a_project_that_vanished_is_told_to_a_person_and_forgotten_once_it_is_back(tmp_path: Path) -> None:
    """Files are stored, and then the project is gone: nothing fails, somebody is told, and it is tried again."""
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, 3)
    gone = True

    class Forgetful(Pix4dCloud):
        async def register_images(self, project_id: str, keys: Sequence[str]) -> int | None:
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

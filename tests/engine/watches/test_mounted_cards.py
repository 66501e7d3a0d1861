"""Watched mount points: real cards that are put in, taken out and changed for others, where this machine can mount."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.engine.pipeline.test_cards import flight_from_the_year_2000
from tests.engine.watches.test_watched_folder import only_watch, stored, upload_of, watch
from tests.engine.world import World
from tests.photos import write_photo
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.intake.disks import label_of, tells_its_changes, uuid_of
from tui_uploader.intake.volumes import Volumes
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.watches import WatchState

_TOOLS = ("losetup", "mkfs.ext4", "mount", "umount")
_MISSING = [tool for tool in _TOOLS if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
    pytest.mark.skipif(bool(_MISSING), reason=f"there is no {', '.join(_MISSING)}"),
]


@contextmanager
def mounted(image: Path, point: Path, *, pulled: bool = False) -> Iterator[None]:
    """The card in the reader; `pulled` out at the end, even if it is in use. Skips the test if it cannot be mounted."""
    done = subprocess.run(["mount", "-o", "loop", image, point], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        in_time = pulled or _unmounted(point)
        subprocess.run(["umount", "--lazy", point], check=not in_time or pulled, capture_output=True)
        assert in_time, "something holds the card"


def _unmounted(point: Path) -> bool:
    """The engine may read the card for a moment."""
    deadline = time.monotonic() + 10
    while subprocess.run(["umount", point], check=False, capture_output=True).returncode:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def new_card(image: Path, point: Path, photos: int) -> None:
    """Photos from the first seconds of the year 2000: names, sizes and times are those of any other such card."""
    image.touch()
    os.truncate(image, 8 * 1024**2)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    with mounted(image, point):
        flight_from_the_year_2000(point / "DCIM", photos)


@asynccontextmanager
async def watching(world: World) -> AsyncIterator[UploadManager]:
    world.card.mkdir()
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, auto_process=False)
        yield manager


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def test_cards_are_told_apart_and_continue_and_can_be_taken_out(world: World) -> None:
    images = [world.folder / "first.img", world.folder / "second.img"]
    async with watching(world) as manager:
        for image, photos in zip(images, (4, 4), strict=True):
            new_card(image, world.card, photos)
        await until(lambda: only_watch(manager).upload is None)
        for image, upload, files in ((images[0], 1, 4), (images[1], 2, 4), (images[0], 1, 5)):
            with mounted(image, world.card):
                if files == 5:
                    write_photo(world.card / "DCIM" / "DJI_0100.JPG")
                await world.in_the_long_run(lambda upload=upload: only_watch(manager).upload == upload, leap=1)  # type: ignore[misc]
                status = await upload_of(manager, files)
                assert status.upload == upload
                assert not only_watch(manager).polled
                await until(lambda: only_watch(manager).state is WatchState.WATCHING)
            # The card could be unmounted although its folder is watched.
            await world.in_the_long_run(lambda: only_watch(manager).upload is None, leap=1)
        names = [upload.project_name for upload in manager.queries.status().uploads]
        assert names == ["card", "card (2)"]
        assert only_watch(manager).cards == 2
        assert stored(world) == 9


async def test_a_card_that_is_pulled_out_while_it_is_uploaded_continues(world: World) -> None:
    image = world.folder / "first.img"
    async with watching(world) as manager:
        new_card(image, world.card, 30)
        world.context.governor.throttle.rate = 20_000
        with mounted(image, world.card, pulled=True):
            await until(lambda: stored(world))
        await world.in_the_long_run(lambda: only_watch(manager).upload is None, leap=1)
        assert manager.queries.upload_status(1).counts.uploaded < 30
        world.context.governor.throttle.rate = None
        with mounted(image, world.card):
            await world.in_the_long_run(lambda: only_watch(manager).upload == 1, leap=1)
            await world.in_the_long_run(lambda: manager.queries.upload_status(1).counts.uploaded == 30)
        assert len(manager.queries.status().uploads) == 1


def test_the_system_knows_a_disk_by_its_name(tmp_path: Path) -> None:
    """As udev names it: the links are made by the test, the device is real."""
    image, point = tmp_path / "image", tmp_path / "card"
    point.mkdir()
    new_card(image, point, 1)
    with mounted(image, point):
        volume = Volumes().of(str(point / "DCIM"))
        assert (volume.kind, tells_its_changes(volume)) == ("ext4", True)
        assert (uuid_of(volume, tmp_path), label_of(volume, tmp_path)) == ("", "")
        for folder, name in (("by-uuid", "1A2B-3C4D"), ("by-label", "NO\\x20NAME")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "other").symlink_to("/dev/null")
            (tmp_path / folder / name).symlink_to(volume.device)
        assert (uuid_of(volume, tmp_path), label_of(volume, tmp_path)) == ("1A2B-3C4D", "NO NAME")

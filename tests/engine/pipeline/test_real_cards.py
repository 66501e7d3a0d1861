"""Two real memory cards, if this machine has exFAT and loop devices: mounted one after the other at the same path."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.pipeline.test_cards import flight_from_the_year_2000
from tests.engine.world import World, add, settled
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.uploads import Counts

_TOOLS = ("losetup", "mkfs.exfat", "mount.exfat-fuse", "umount")
_MISSING = [tool for tool in _TOOLS if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
    pytest.mark.skipif(bool(_MISSING), reason=f"there is no {', '.join(_MISSING)}"),
]


@contextmanager
def mounted(image: Path, point: Path) -> Iterator[None]:
    """The card in the reader. Skips the test if this machine cannot mount it."""
    attached = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if attached.returncode:
        pytest.skip(f"no loop device: {attached.stderr.strip()}")
    device = attached.stdout.strip()
    driver = subprocess.Popen(
        ["mount.exfat-fuse", "-d", device, point], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 10
        while not point.is_mount():
            if driver.poll() is not None or time.monotonic() > deadline:
                pytest.skip("the file system cannot be mounted here")
            time.sleep(0.02)
        try:
            yield
        finally:
            subprocess.run(["umount", point], check=True)
    finally:
        driver.terminate()
        driver.wait(10)
        subprocess.run(["losetup", "--detach", device], check=True)


def new_card(image: Path, point: Path) -> list[bytes]:
    """A card with six photos from the first seconds of the year 2000; their contents."""
    image.touch()
    os.truncate(image, 16 * 1024**2)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    with mounted(image, point):
        return [photo.read_bytes() for photo in flight_from_the_year_2000(point / "DCIM", 6)]


async def test_of_two_cards_that_look_alike_both_are_uploaded_and_recognised(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    world.card.mkdir()
    images = [tmp_path / "first.img", tmp_path / "second.img"]
    contents = [new_card(image, world.card) for image in images]
    async with world.cloud_running(), world.engine() as manager:
        for image, expected in (
            (images[0], Counts(uploaded=6)),
            (images[1], Counts(uploaded=6)),
            (images[0], Counts(duplicate=6)),
            (images[1], Counts(duplicate=6)),
        ):
            with mounted(image, world.card):
                upload = await add(manager, world.card, auto_process=False)
                assert (await settled(manager, upload.upload)).counts == expected
        assert sorted(world.objects().values()) == sorted([*contents[0], *contents[1]])

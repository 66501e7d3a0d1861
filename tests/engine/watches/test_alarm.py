"""How a watched folder learns of changes: from the system, or by looking every few seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.watches.test_watched_folder import only_watch, upload_of, watch
from tests.engine.world import World
from tests.photos import write_flight, write_photo
from tests.until import until
from tui_uploader.engine.watches import alarm, folder
from tui_uploader.engine.watches.alarm import FolderAlarm
from tui_uploader.engine.watches.listing import folders_below
from tui_uploader.intake.disks import tells_its_changes
from tui_uploader.intake.volumes import volumes_in
from tui_uploader.local_cloud.options import LocalCloudOptions


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


@pytest.mark.parametrize(
    ("line", "tells"),
    [
        (rb"42 27 8:17 / /media/NO\040NAME rw,relatime shared:5 - vfat /dev/sdb1 rw,uid=1000", True),
        (b"42 27 8:17 / /media/card rw master:1 shared:5 - exfat /dev/sdb1 rw", True),
        (b"42 27 0:52 / /mnt/nas rw,relatime - nfs4 nas:/flights rw,vers=4.2", False),
        (b"42 27 0:52 / /mnt/nas rw,relatime - cifs //nas/flights rw", False),
        (b"42 27 0:52 / /run/user/1000/gvfs rw,nosuid - fuse.gvfsd-fuse gvfsd-fuse rw", False),
        (b"42 27 0:52 / /home/u/remote rw,nosuid - fuse.sshfs host:/flights rw", False),
        (b"42 27 0:52 / /mnt/c rw,noatime - 9p C:\\134 rw", False),
        (b"42 27 0:52 / /mnt/x rw,noatime", False),
    ],
)
def test_which_file_systems_report_their_changes(line: bytes, tells: bool) -> None:
    (volume,) = volumes_in(line)
    assert tells_its_changes(volume) is tells


def test_folders_behind_links_are_not_listed(tmp_path: Path) -> None:
    """A card must not have the engine walk through this machine."""
    for name in ("DCIM/100MEDIA", ".Trashes/1", "LOST.DIR"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "out").symlink_to("/")
    (tmp_path / "DCIM" / "loop").symlink_to(tmp_path)
    found = folders_below(str(tmp_path), 100)
    assert found is not None
    assert sorted(found) == [str(tmp_path), str(tmp_path / "DCIM"), str(tmp_path / "DCIM" / "100MEDIA")]
    assert folders_below(str(tmp_path), 2) is None
    assert folders_below(str(tmp_path / "missing"), 2) is None


async def test_changes_are_told_also_in_a_folder_that_came_later(tmp_path: Path) -> None:
    told: list[int] = []
    alarm = FolderAlarm([str(tmp_path)], lambda: told.append(1))
    try:
        await until(lambda: alarm.is_set)
        before = len(told)
        (tmp_path / "DCIM").mkdir()
        await until(lambda: len(told) > before)
        assert alarm.failure is None
    finally:
        alarm.stop()


async def test_an_alarm_that_cannot_be_set_says_why(tmp_path: Path) -> None:
    told: list[int] = []
    alarm = FolderAlarm([str(tmp_path / "missing")], lambda: told.append(1))
    await until(lambda: told)
    assert alarm.failure is not None


async def test_a_folder_is_looked_at_where_no_alarm_can_be_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the user's number of inotify watches is used up."""

    def fail(self: FolderAlarm) -> None:
        self.failure = "OS file watch limit reached"
        self._tell()

    monkeypatch.setattr(alarm.FolderAlarm, "_watch", fail)
    await images_come_by_looking(world)


async def test_a_folder_of_a_network_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "tells_its_changes", lambda volume: False)
    await images_come_by_looking(world)


async def images_come_by_looking(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        await upload_of(manager, 1)
        await until(lambda: only_watch(manager).polled)
        write_photo(world.card / "later" / "DJI_0100.JPG")
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).counts.total == 2, leap=1)
        await upload_of(manager, 2)


async def test_images_in_a_new_folder_are_found(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        await upload_of(manager, 1)
        write_photo(world.card / "DCIM" / "101MEDIA" / "DJI_0100.JPG")
        await upload_of(manager, 2)
        write_photo(world.card / "DCIM" / "101MEDIA" / "DJI_0101.JPG")
        await upload_of(manager, 3)
        assert not only_watch(manager).polled


async def test_a_folder_that_is_deleted_is_absent_and_continues_when_it_returns(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        await upload_of(manager, 1)
        away = world.card.rename(world.card.with_name("away"))
        await world.in_the_long_run(lambda: only_watch(manager).state == "absent", leap=1)
        write_photo(away / "DJI_0100.JPG")
        away.rename(world.card)
        await world.in_the_long_run(lambda: only_watch(manager).upload == 1, leap=1)
        await upload_of(manager, 2)

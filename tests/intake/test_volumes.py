"""The mounted file system of a path, from the list of mounts alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_uploader.intake.volumes import Volume, Volumes, volume_of, volumes_in

MOUNTINFO = rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw - proc proc rw
40 22 8:17 / /media/u/DJI\040CARD rw - exfat /dev/sdb1 rw
41 22 8:33 / /media/u/DJI rw - vfat /dev/sdc1 rw
42 41 8:49 / /media/u/DJI rw - vfat /dev/sdd1 rw
43 22 0:50 / /home/\377 rw - nfs4 server:/x rw
broken
"""
ROOT = Volume("/", "22 8:1")


@pytest.mark.parametrize(
    ("path", "volume"),
    [
        ("/home/u/a.jpg", ROOT),
        ("/media/u/DJI CARD/DCIM/a.jpg", Volume("/media/u/DJI CARD", "40 8:17")),
        ("/media/u/DJI/a.jpg", Volume("/media/u/DJI", "42 8:49")),  # mounted over another
        ("/media/u/DJI", Volume("/media/u/DJI", "42 8:49")),
        ("/media/u/DJI2/a.jpg", ROOT),
        ("/home/\udcff/a.jpg", Volume("/home/\udcff", "43 0:50")),
    ],
)
def test_a_path_is_on_its_deepest_mount(path: str, volume: Volume) -> None:
    assert volume_of(path, volumes_in(MOUNTINFO)) == volume


@pytest.mark.parametrize(
    ("path", "point"), [("/Volumes/CARD/DCIM/a.jpg", "/Volumes/CARD"), ("/Users/u/a.jpg", "/Users/u"), ("/a", "/a")]
)
def test_without_a_list_of_mounts_the_first_folders_decide(path: str, point: str) -> None:
    assert volume_of(path, []) == Volume(point)


def test_links_to_a_card_lead_to_it_and_nothing_on_it_is_touched(tmp_path: Path) -> None:
    card, home = tmp_path / "card", tmp_path / "home"
    card.mkdir()
    home.mkdir()
    (home / "flights").symlink_to("../card/DCIM")  # is not there: only a look at the card could tell
    (home / "again").symlink_to(home / "flights")
    (home / "round").symlink_to("round")
    mounts = tmp_path / "mountinfo"
    mounts.write_bytes(b"1 0 8:1 / / rw\n2 1 8:2 / %b rw\n" % bytes(card))
    volumes = Volumes(mounts)
    on_card = Volume(str(card), "2 8:2")
    for folder in (card, home / "flights", home / "again" / "100MEDIA", home / ".." / "card"):
        assert volumes.of(str(folder / "a.jpg")) == on_card
    for folder in (home, home / "round", home / "not there"):
        assert volumes.of(str(folder / "a.jpg")).is_root


def test_a_system_without_that_list(tmp_path: Path) -> None:
    assert Volumes(tmp_path / "none").of("/Volumes/CARD/DCIM/a.jpg") == Volume("/Volumes/CARD")

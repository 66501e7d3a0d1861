"""Short names of folders."""

from __future__ import annotations

import pytest

from tui_uploader.tui.files.columns import clipped_folder
from tui_uploader.tui.files.folders import FolderNames, folder_names


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/media/card/DCIM/100MEDIA"], ["100MEDIA"]),
        (["/media/card/DCIM/100MEDIA", "/media/card/DCIM/101MEDIA"], ["100MEDIA", "101MEDIA"]),
        (["/media/card/DCIM/100MEDIA", "/media/card2/DCIM/100MEDIA"], ["card/100MEDIA", "card2/100MEDIA"]),
        (["/a/1/x/100", "/a/2/y/100", "/a/3/x/100"], ["1/100", "2/100", "3/100"]),
        (["/1/x/100", "/1/y/100", "/2/x/100"], ["1/x/100", "1/y/100", "2/x/100"]),
        (["/100", "/a/100"], ["100", "a/100"]),
        (["/"], ["/"]),
        (["/a/\x1b[2J"], ["\\x1b[2J"]),
        (["/a/\udcff", "/b/\udcff"], ["a/\\xff", "b/\\xff"]),
    ],
)
def test_names_tell_folders_apart(folders: list[str], names: list[str]) -> None:
    found = folder_names(folders)
    assert [found[folder] for folder in folders] == names


def test_a_name_grows_when_its_like_is_seen() -> None:
    names = FolderNames()
    assert names.see(["/m/card/100MEDIA"])
    assert names.of("/m/card/100MEDIA/a.JPG") == "100MEDIA"
    assert not names.see(["/m/card/100MEDIA"])
    assert names.see(["/m/card2/100MEDIA"])
    assert names.located("/m/card/100MEDIA/a.JPG") == "card/100MEDIA/a.JPG"
    assert names.located("/never/seen/a.JPG") == "seen/a.JPG"


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("card2/100MEDIA", 14, "card2/100MEDIA"),
        ("card2/100MEDIA", 11, "card2/10⋯IA"),
        ("DJI_CARD_OF_ANNA_2/100MEDIA", 11, "⋯NA_2/10⋯IA"),
        ("100MEDIA_OF_ANNA", 9, "100M⋯ANNA"),
    ],
)
def test_a_cut_name_keeps_what_tells_it_apart(name: str, width: int, shown: str) -> None:
    assert clipped_folder(name, width, "⋯") == shown

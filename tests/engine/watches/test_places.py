"""Folders that cannot be watched."""

from __future__ import annotations

import pytest

from tui_uploader.engine.watches.places import refusal

OWN = ("/home/anna/.local/share/tui-uploader", "/home/anna/.config/tui-uploader")


def judged(path: str, resolved: str = "", watched: dict[str, int] | None = None) -> str | None:
    return refusal(path, resolved or path, home="/home/anna", own=OWN, watched=watched or {})


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/home",
        "/home/anna",
        "/media",
        "/media/anna",
        "/run/media/anna",
        "/tmp",
        "/var",
        "/etc",
        "/usr/share/x",
        "/proc/self",
        "/dev/shm",
        "/Volumes",
        "/home/anna/.local",
        "/home/anna/.config/tui-uploader/x",
    ],
)
def test_folders_of_the_system_of_all_users_and_of_the_program_are_refused(path: str) -> None:
    assert judged(path) is not None
    assert judged("/home/anna/link", path) is not None, "a link to it, too"


@pytest.mark.parametrize(
    "path",
    [
        "/media/card",
        "/media/anna/CARD",
        "/run/media/anna/CARD/DCIM",
        "/mnt",
        "/home/anna/flights",
        "/home/annas/x",
        "/srv/flights",
        "/tmp/x",
        "/var/lib/ftp",
        "/Volumes/CARD",
        "/etcetera",
        "/home/anna/.local/share/other",
    ],
)
def test_cards_and_folders_of_images_are_not(path: str) -> None:
    assert judged(path) is None


def test_a_folder_is_watched_once() -> None:
    watched = {"/media/card": 3}
    assert "watch 3" in (judged("/media/card/DCIM", watched=watched) or "")
    assert "watch 3" in (judged("/home/anna/link", "/media/card/DCIM", watched) or "")
    assert judged("/media/cards", watched=watched) is None
    contains = judged("/srv/x", watched={"/srv/x/y": 4})
    assert contains is not None and "tui-uploader watch remove 4" in contains

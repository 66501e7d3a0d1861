"""What names tell of files and folders."""

from __future__ import annotations

import pytest

from tui_uploader.file_kinds import system_content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("$RECYCLE.BIN", "deleted files (Windows"),
        ("$Recycle.Bin", "deleted files (Windows"),
        ("RECYCLER", "deleted files (Windows"),
        ("Recycled", "deleted files (Windows"),
        ("System Volume Information", "system data (Windows"),
        ("FOUND.000", "recovered pieces"),
        (".Trashes", "deleted files (macOS"),
        (".Trash", "deleted files (macOS"),
        (".Spotlight-V100", "system data (macOS"),
        (".fseventsd", "system data (macOS"),
        (".TemporaryItems", "system data (macOS"),
        (".DocumentRevisions-V100", "earlier versions"),
        ("__MACOSX", "system data (macOS"),
        (".Trash-1000", "deleted files (Linux"),
        ("lost+found", "recovered pieces"),
        (".thumbnails", "thumbnails"),
        (".snapshot", "snapshots"),
        (".snapshots", "snapshots"),
        (".zfs", "snapshots"),
        ("@eaDir", "thumbnails"),
        ("#recycle", "deleted files (network"),
        ("#snapshot", "snapshots"),
        ("@tmp", "system data (network"),
        ("@Recycle", "deleted files (network"),
        (".@__thumb", "thumbnails"),
        ("Network Trash Folder", "deleted files (network"),
        ("Network Recycle Bin 1", "deleted files (network"),
        ("Recycle.Bin", "deleted files (network"),
        ("Recently Deleted", "deleted files (Recently"),
        ("LOST.DIR", "recovered pieces"),
        ("/card/$recycle.bin/S-1-5-21", "deleted files (Windows"),
    ],
)
def test_folders_that_systems_keep_for_themselves_are_known_in_any_case(name: str, content: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        assert (system_content(spelling) or "").startswith(content)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "DCIM",
        "100MEDIA",
        "MISC",
        "THM",
        "trash",
        "snapshots",
        "found.1",
        "FOUND.0001",
        ".Trash-",
        "recycling",
        "tmp",
    ],
)
def test_folders_of_cameras_and_people_are_not(name: str) -> None:
    assert system_content(name) is None


def test_what_was_entered_on_purpose_does_not_count() -> None:
    assert system_content("/nas/#snapshot/monday/DCIM", within="/nas/#snapshot/sunday") is None
    assert system_content("/nas/#recycle/DCIM", within="/nas/#snapshot/sunday") is not None

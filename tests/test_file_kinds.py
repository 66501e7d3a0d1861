"""Which files and folders an upload takes, by name."""

from __future__ import annotations

import pytest

from tui_uploader.file_kinds import extension_of, is_own_record, is_within, system_content, upload_extensions
from tui_uploader.model.projects import ProjectKind


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
def test_system_folders_are_known_in_any_case(name: str, content: str) -> None:
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
def test_folders_of_cameras_and_people_are_no_system_folders(name: str) -> None:
    assert system_content(name) is None


def test_folders_that_the_user_chose_do_not_count() -> None:
    assert system_content("/nas/#snapshot/monday/DCIM", within="/nas/#snapshot/sunday") is None
    assert system_content("/nas/#recycle/DCIM", within="/nas/#snapshot/sunday") is not None


@pytest.mark.parametrize(
    ("path", "folders", "inside"),
    [
        ("/card/a.jpg", ["/card"], True),
        ("/card", ["/card"], True),
        ("/card/a.jpg", ["/home", "/card"], True),
        ("/card 2/a.jpg", ["/card"], False),
        ("/cards", ["/card"], False),
        ("/", ["/card"], False),
        ("/card", ["/card/inner"], False),
        ("/anything", ["/"], True),
        ("/card/a.jpg", [], False),
    ],
)
def test_paths_within_folders(path: str, folders: list[str], inside: bool) -> None:
    assert is_within(path, folders) is inside


@pytest.mark.parametrize(
    ("kind", "with_mesh", "taken"),
    [
        (ProjectKind.IMAGES, False, {"a.JPG", "a.tif"}),
        (ProjectKind.IMAGES, True, {"a.JPG", "a.tif"}),
        (ProjectKind.RESULTS, False, {"a.tif", "a.laz", "a.obj"}),
        (ProjectKind.RESULTS, True, {"a.JPG", "a.tif", "a.laz", "a.obj", "a.png"}),
    ],
)
def test_files_that_a_project_takes(kind: ProjectKind, with_mesh: bool, taken: set[str]) -> None:
    names = ["a.JPG", "a.tif", "a.laz", "a.obj", "a.png", "a.mov", "jpg", ".jpg"]
    extensions = upload_extensions(kind, with_mesh=with_mesh)
    assert {name for name in names if extension_of(name) in extensions} == taken


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/card/ascmhl/0001_card_2026-05-11_101500Z.mhl", True),
        ("/card/ascmhl/ascmhl_chain.xml", True),
        ("/card/DCIM/tui-uploader-receipt-2026-05-11-Quarry-3.json", True),
        ("/card/ascmhl/DJI_0001.JPG", False),
        ("/card/ascmhl/DCIM/DJI_0001.mhl", False),
        ("/card/DCIM/0001_card.mhl", False),
        ("/card/ascmhl", False),
        ("/card/tui-uploader-receipt-3.jpg", False),
        ("/card/ascmhl/tui-uploader-receipt-3.JPG", False),
    ],
)
def test_records_that_this_program_leaves_on_a_card(path: str, own: bool) -> None:
    assert is_own_record(path) is own

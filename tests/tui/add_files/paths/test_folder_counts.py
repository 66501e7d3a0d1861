from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui_uploader.intake.scan import scan
from tui_uploader.model.projects import ProjectKind
from tui_uploader.tui.add_files.paths.folder_counts import (
    FolderCount,
    FolderListing,
    count_files,
    list_folder,
    uploadable,
)

IMAGES, RESULTS = ProjectKind.IMAGES, ProjectKind.RESULTS


def card(folder: Path) -> Path:
    """A messy card: other files, hidden ones, a loop, a second way to the same files, results beside a mesh."""
    for name in ("DJI_1.JPG", "DJI_2.jpeg", "scan.TIF", "notes.txt", "._DJI_1.JPG", "cloud.laz", "texture.png"):
        (folder / "DCIM" / "100MEDIA").mkdir(parents=True, exist_ok=True)
        (folder / "DCIM" / "100MEDIA" / name).touch()
    for name in ("model.obj", "model.mtl", "skin.png", "skin.jpg"):
        (folder / "mesh").mkdir(exist_ok=True)
        (folder / "mesh" / name).touch()
    for name in (".Trashes", "@eaDir", "$Recycle.Bin", "#recycle"):
        (folder / name).mkdir()
        (folder / name / "DJI_1.JPG").touch()
    (folder / "older").symlink_to("#recycle")
    (folder / "again").symlink_to("DCIM")
    (folder / "DCIM" / "loop").symlink_to("..")
    (folder / "DCIM" / "copy.jpg").symlink_to("100MEDIA/DJI_1.JPG")
    (folder / "DCIM" / "renamed.jpg").symlink_to("100MEDIA/notes.txt")
    elsewhere = folder.with_name(f"{folder.name} elsewhere")
    elsewhere.mkdir()
    (elsewhere / "private.jpg").touch()
    (elsewhere / "private.laz").touch()
    (folder / "out").symlink_to(elsewhere)
    (folder / "DCIM" / "out.jpg").symlink_to(elsewhere / "private.jpg")
    (folder / "DCIM" / "out.laz").symlink_to(elsewhere / "private.laz")
    return folder


@pytest.mark.parametrize("kind", ProjectKind)
def test_a_count_equals_what_the_engine_finds(tmp_path: Path, kind: ProjectKind) -> None:
    folder = str(card(tmp_path))
    found = sum(len(batch.candidates) for batch in scan([folder], kind))
    assert found > 2
    assert count_files(folder, kind, lambda: False) == FolderCount(found)


def test_a_count_ends_at_its_limit_or_when_stopped(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.jpg").touch()
    assert count_files(str(tmp_path), IMAGES, lambda: False, limit=4) == FolderCount(4, complete=False)
    assert count_files(str(tmp_path), IMAGES, lambda: False, limit=10) == FolderCount(10)
    assert count_files(str(tmp_path), IMAGES, lambda: True) == FolderCount(0, complete=False)


@pytest.mark.parametrize("folder", ["/does/not/exist", "/nul\0byte", __file__])
def test_an_unreadable_folder_is_reported(folder: str) -> None:
    assert count_files(folder, IMAGES, lambda: False) == FolderCount(0, complete=False)
    assert (list_folder(folder, IMAGES, hidden=False, files=False).problem or "").startswith("cannot be read: ")


@pytest.mark.parametrize(("count", "text"), [(FolderCount(1711), "1,711"), (FolderCount(9, complete=False), "9+")])
def test_an_incomplete_count_has_a_plus(count: FolderCount, text: str) -> None:
    assert str(count) == text


def names_in(listing: FolderListing) -> list[str]:
    return [entry.name for entry in listing.entries]


def test_a_folder_is_listed_in_natural_order(tmp_path: Path) -> None:
    for name in ("1000MEDIA", "101MEDIA", "99media", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("ortho.tif", "photo.jpg", "notes.txt"):
        (tmp_path / name).touch()
    folder = str(tmp_path)
    assert names_in(list_folder(folder, IMAGES, hidden=False, files=False)) == ["99media", "101MEDIA", "1000MEDIA"]
    assert names_in(list_folder(folder, IMAGES, hidden=True, files=False))[0] == ".hidden"
    assert names_in(list_folder(folder, RESULTS, hidden=False, files=True))[3:] == ["ortho.tif"]
    cut = list_folder(folder, IMAGES, hidden=False, files=False, most=2)
    assert (names_in(cut), cut.problem) == (["99media", "101MEDIA"], "only the first 2 entries shown")


def test_a_name_that_is_not_utf8_is_listed(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")  # noqa: PTH102 - pathlib takes no bytes
    (entry,) = list_folder(str(tmp_path), IMAGES, hidden=False, files=False).entries
    assert Path(entry.path).is_dir()


@pytest.mark.parametrize(
    ("names", "kind", "kept"),
    [
        (["a.JPG", "b.tiff", "c.png", "d"], IMAGES, ["a.JPG", "b.tiff"]),
        (["a.jpg", "b.tif", "c.las"], RESULTS, ["b.tif", "c.las"]),
        (["a.jpg", "m.OBJ"], RESULTS, ["a.jpg", "m.OBJ"]),
    ],
)
def test_uploadable_names_by_kind(names: list[str], kind: ProjectKind, kept: list[str]) -> None:
    assert uploadable(names, kind) == kept

from __future__ import annotations

import pytest

from tui_uploader.tui.add_files.paths.folder_counts import FolderListing, LocalPath
from tui_uploader.tui.add_files.paths.folder_rows import FolderRows


def entries(*paths: str) -> FolderListing:
    return FolderListing(tuple(LocalPath(path, True) for path in paths))


def shown(rows: FolderRows) -> list[str]:
    return [f"{'-' * rows[index].depth}{rows[index].name}" for index in range(len(rows))]


def test_folders_open_and_close() -> None:
    rows = FolderRows("/m")
    rows.open("/m", entries("/m/a", "/m/b"))
    rows.open("/m/a", entries("/m/a/1", "/m/a/2"))
    assert shown(rows) == ["/m", "-a", "--1", "--2", "-b"]
    assert rows.open_folders() == ["/m", "/m/a"]
    assert [rows.parent_of(index) for index in range(5)] == [0, 0, 1, 1, 0]
    rows.open("/m/a", entries("/m/a/3"))
    rows.open("/gone", entries("/gone/1"))
    assert shown(rows) == ["/m", "-a", "--3", "-b"]
    rows.close(1)
    assert shown(rows) == ["/m", "-a", "-b"]
    rows.open("/m", FolderListing(problem="cannot be read"))
    assert (shown(rows), rows[0].problem) == (["/m"], "cannot be read")


@pytest.mark.parametrize(("root", "parent"), [("/a/b", "/a"), ("/a", "/"), ("/", "/")])
def test_the_folder_above_the_root(root: str, parent: str) -> None:
    assert FolderRows(root).above_root == parent

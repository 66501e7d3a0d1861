from __future__ import annotations

import pytest

from tui_uploader.tui.add_files.paths.chosen_paths import clip_start, topmost
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath


def test_a_file_counts_once() -> None:
    folder, inner = LocalPath("/m/a", True), LocalPath("/m/a/b", True)
    photo, like_named = LocalPath("/m/a/1.jpg", False), LocalPath("/m/ab", True)
    assert topmost([inner, folder, photo, like_named]) == [folder, like_named]
    assert topmost([inner, photo]) == [inner, photo]
    assert topmost([LocalPath("/", True), folder]) == [LocalPath("/", True)]


@pytest.mark.parametrize(
    ("path", "width", "shown_path"),
    [("/a/b", 4, "/a/b"), ("/aa/b", 4, "~a/b"), ("/a/日本", 5, "~日本"), ("/ab", 0, "")],
)
def test_a_clipped_path_keeps_its_end(path: str, width: int, shown_path: str) -> None:
    assert clip_start(path, width, "~") == shown_path

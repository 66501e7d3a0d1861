from __future__ import annotations

from pathlib import Path

import pytest

from tui_uploader.tui.add_files.paths.folder_counts import LocalPath
from tui_uploader.tui.add_files.paths.resolve_paths import (
    ResolvedPaths,
    is_drop,
    paste_warning,
    resolve_paste,
    resolve_typed,
    typed_warning,
)


def test_dropped_paths_are_sorted_into_found_and_missing(tmp_path: Path) -> None:
    photo = tmp_path / "a b.jpg"
    photo.touch()
    text = f"'{photo}' {tmp_path} {tmp_path} ~/{tmp_path.name} /Users/anna/1.jpg C:\\a.jpg {photo}/x file:///%00"
    sorted_out = resolve_paste(text.replace(f"{photo}/x", f"'{photo}/x'"), str(tmp_path.parent))
    assert sorted_out == ResolvedPaths(
        found=(LocalPath(str(photo), False), LocalPath(str(tmp_path), True), LocalPath(str(tmp_path), True)),
        missing=("/Users/anna/1.jpg", "C:\\a.jpg", f"{photo}/x", "/\0"),
    )
    assert paste_warning(sorted_out) == (
        "/Users/anna/1.jpg and 3 other paths: not on this machine. A file dropped into an SSH window stays on your own"
        " computer; copy it here first."
    )


def test_a_typed_path_is_taken_literally(tmp_path: Path) -> None:
    (tmp_path / "it's here").mkdir()
    assert resolve_typed("it's here", str(tmp_path), "/").found == (LocalPath(str(tmp_path / "it's here"), True),)
    assert typed_warning(resolve_typed("nope\x1b", str(tmp_path), "/")) == (
        "nope\\x1b does not exist on this machine. Check the spelling and whether the card is mounted."
    )


def test_a_path_that_cannot_be_examined_is_left_to_the_engine(tmp_path: Path) -> None:
    path = resolve_typed("x" * 300, str(tmp_path), "/")
    assert path.found == (LocalPath(f"{tmp_path}/{'x' * 300}", False),) and not path.missing
    assert typed_warning(path) == paste_warning(path) == f"…{'x' * 59} cannot be read: file name too long."


def test_a_cut_paste_is_reported(tmp_path: Path) -> None:
    sorted_out = resolve_paste(f"{tmp_path}\n" * 100_000, "/")
    assert sorted_out.found == (LocalPath(str(tmp_path), True),)
    assert "The paste was cut at 500,000 characters" in paste_warning(sorted_out)


@pytest.mark.parametrize(
    ("text", "drop"),
    [("/a /b", True), ("'/a b'", True), ("~/a", True), ("a/b", False), ("North field", False), ("", False)],
)
def test_a_drop_consists_of_absolute_paths(text: str, drop: bool) -> None:
    assert is_drop(text) is drop

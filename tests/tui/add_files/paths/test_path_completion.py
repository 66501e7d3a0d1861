from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.text import printable
from tui_uploader.tui.add_files.paths.path_completion import Completion, absolute_path, complete


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a/b", "/a/b"),
        ("/a//b/../c/", "/a/c"),
        ("c", "/here/c"),
        ("../c", "/c"),
        ("", "/here"),
        ("~", "/home/me"),
        ("~/c", "/home/me/c"),
        ("~anna/c", "/here/~anna/c"),
    ],
)
def test_a_typed_path_becomes_absolute(text: str, path: str) -> None:
    assert absolute_path(text, "/here", "/home/me") == path


@pytest.mark.parametrize(
    ("text", "names", "completion"),
    [
        ("/m/D", ["DCIM/", "MISC/"], Completion("/m/DCIM/")),
        ("/m/", ["100/", "101/"], Completion("/m/10", ("100/", "101/"))),
        ("/m/10", ["100/", "101/"], Completion("/m/10", ("100/", "101/"))),
        ("/m/DJI_1.JPG", ["DJI_1.JPG"], Completion("/m/DJI_1.JPG")),
        ("/m/a", ["a", "ab"], Completion("/m/a", ("a", "ab"))),
        ("/m/z", ["DCIM/"], Completion("/m/z")),
        ("/m/d", ["DCIM/"], Completion("/m/DCIM/")),
        ("/m/dc", ["DCIM/", "dcx/"], Completion("/m/dcx/")),
        ("/m/dc", ["DCIM/", "Dcx/"], Completion("/m/dc", ("DCIM/", "Dcx/"))),
        ("/m/", [".git/", "a/"], Completion("/m/a/")),
        ("/m/.", [".git/", "a/"], Completion("/m/.git/")),
        ("~", ["a/", "b/"], Completion("~/", ("a/", "b/"))),
        ("", ["a/", "ab/"], Completion("a", ("a/", "ab/"))),
        ("/m/e", ["ev\x1bil/"], Completion("/m/ev", ("ev\x1bil/",))),
        ("/m/e", ["ev\x1bil/", "eve/"], Completion("/m/ev", ("ev\x1bil/", "eve/"))),
    ],
)
def test_completion_extends_to_the_common_start(text: str, names: list[str], completion: Completion) -> None:
    assert complete(text, names) == completion


@given(st.text(max_size=5), st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_completion_never_writes_control_characters(text: str, names: list[str]) -> None:
    typed = printable(text)
    assert printable(complete(typed, names).text) == complete(typed, names).text

from __future__ import annotations

import os
import re
import shlex
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.tui.add_files.paths.pasted_paths import LONGEST_PASTE, cut_paste, is_absolute, parse_paths


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", []),
        (" \r\n\t ", []),
        ("/media/card/DCIM", ["/media/card/DCIM"]),
        ("/media/card/DCIM ", ["/media/card/DCIM"]),
        ("/a/1.JPG /a/2.JPG", ["/a/1.JPG", "/a/2.JPG"]),
        ("/a/1.JPG\n/a/2.JPG\r/a/3.JPG\r\n/a/4.JPG", ["/a/1.JPG", "/a/2.JPG", "/a/3.JPG", "/a/4.JPG"]),
        # quoted, as GNOME Terminal, Konsole and Windows Terminal do
        ("'/media/my card/1.JPG' '/b' ", ["/media/my card/1.JPG", "/b"]),
        ('"/media/my card/1.JPG"', ["/media/my card/1.JPG"]),
        (r"'/media/Anna'\''s card'", ["/media/Anna's card"]),
        ("""'/media/Anna'"'"'s card'""", ["/media/Anna's card"]),
        (r'"/a/\"b\" \$c \d"', [r'/a/"b" $c \d']),
        ("'/two\nlines' /b", ["/two\nlines", "/b"]),
        ("''", []),
        # escaped, as Terminal.app and iTerm2 do
        (r"/media/my\ card/1\ \(2\).JPG /b", ["/media/my card/1 (2).JPG", "/b"]),
        (r"/media/Anna\'s\ card", ["/media/Anna's card"]),
        (r"/ends\ with\ ", ["/ends with "]),
        # bare, as Alacritty and a file manager's Copy do
        ("/media/my card/1.JPG", ["/media/my card/1.JPG"]),
        ("/media/my card/1.JPG /media/my card/2.JPG", ["/media/my card/1.JPG", "/media/my card/2.JPG"]),
        ("/media/my  two blanks\n/b", ["/media/my  two blanks", "/b"]),
        ("/media/Anna's card/1.JPG /b", ["/media/Anna's card/1.JPG", "/b"]),
        ("/media/card ~1/a ~/b ~", ["/media/card ~1/a", "~/b", "~"]),
        # addresses
        ("file:///media/my%20card/1.JPG\r\nfile:///b", ["/media/my card/1.JPG", "/b"]),
        ("file://localhost/a%2Fb FILE:/c", ["/a/b", "/c"]),
        ("file://laptop/home/anna/1.JPG", ["/home/anna/1.JPG"]),
        ("'file:///my%20card'", ["/my card"]),
        ("file:///%ff", ["/\udcff"]),
        ("file:///100%", ["/100%"]),
        # the user's own computer may be another kind of machine
        (r"C:\Users\anna\My Photos\1.JPG D:\2.JPG", [r"C:\Users\anna\My Photos\1.JPG", r"D:\2.JPG"]),
        (r'"C:\Users\anna\new\1.JPG"', [r"C:\Users\anna\new\1.JPG"]),
        (r"\\server\share\1.JPG", [r"\\server\share\1.JPG"]),
        # damaged
        ("'/never closed\n/b", ["/never closed", "/b"]),
        ('"/never closed\\', ["/never closed\\"]),
        ("/ends in a backslash\\", ["/ends in a backslash\\"]),
        ("no path at all", ["no path at all"]),
    ],
)
def test_pastes_of_many_terminals_are_parsed(text: str, paths: list[str]) -> None:
    assert parse_paths(text) == paths


@pytest.mark.parametrize(
    ("path", "absolute"),
    [
        ("/a", True),
        ("~/a", True),
        ("~", True),
        (r"C:\a", True),
        (r"\\server\a", True),
        ("a/b", False),
        ("~anna", False),
        ("", False),
    ],
)
def test_absolute_paths_of_any_system(path: str, absolute: bool) -> None:
    assert is_absolute(path) is absolute


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("/'\"\\ \t\r\n~%:file"))))
def test_any_text_is_parsed(text: str) -> None:
    assert all(parse_paths(text))
    assert "".join(cut_paste(text, 5)[0]) == text[: len(cut_paste(text, 5)[0])]


names = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1)
absolute_paths = st.lists(names, min_size=1).map(lambda parts: "/" + "/".join(parts))
any_bytes = st.binary(min_size=1).filter(lambda name: b"\0" not in name).map(lambda name: os.fsdecode(b"/" + name))


@given(st.lists(absolute_paths), st.sampled_from([" ", "\n", "\r\n", "\r", " \n "]))
def test_shell_quoting_is_undone(paths: list[str], separator: str) -> None:
    assert parse_paths(separator.join(map(shlex.quote, paths))) == paths


@given(st.lists(absolute_paths.filter(lambda path: not re.search("[\r\n]", path))))
def test_backslash_escapes_are_undone(paths: list[str]) -> None:
    assert parse_paths(" ".join(re.sub(r"([^\w/.-])", r"\\\1", path) for path in paths)) == paths


@given(st.lists(any_bytes))
def test_uri_encoding_is_undone(paths: list[str]) -> None:
    assert parse_paths("\n".join(f"file://{quote(os.fsencode(path))}" for path in paths)) == paths


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("/a\n/b", 5, "/a\n/b"),
        ("/a\n/b\n/c", 7, "/a\n/b"),
        ("/a /b /cdef", 9, "/a /b"),
        ("/a b\n/c d e", 9, "/a b"),
        ("/abcdef", 4, ""),
    ],
)
def test_a_long_paste_is_cut_between_two_paths(text: str, limit: int, kept: str) -> None:
    assert cut_paste(text, limit) == (kept, kept != text)


@pytest.mark.parametrize(
    "piece", ["/media/card/DCIM/DJI_0001.JPG ", "'x\n'", '"\\"\n', "\\ ", " ", "'", '"', "\\", "~ "]
)
def test_the_longest_paste_is_parsed_in_linear_time(piece: str) -> None:
    """Quadratic time would be minutes, longer than a test may run."""
    text, cut = cut_paste(piece * (2 * LONGEST_PASTE // len(piece)))
    assert cut and len(text) <= LONGEST_PASTE
    assert len(parse_paths(text)) <= LONGEST_PASTE

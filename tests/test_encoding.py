"""Encodings of paths, of typed text, and of the user's terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from tui_uploader.encoding import (
    decode_argument,
    remove_coerced_locale,
    restart_command,
    session_encoding,
    shows_unicode,
)

PYTHON = "/usr/bin/python3"


@pytest.mark.parametrize(
    ("path_encoding", "executable", "original", "command"),
    [
        ("utf-8", PYTHON, ["python3", "-m", "tui_uploader"], None),
        ("UTF8", PYTHON, ["python3", "-m", "tui_uploader"], None),
        (
            "iso8859-1",
            PYTHON,
            ["python3", "-m", "x", "--new", "S\xfcd"],
            [PYTHON, "-X", "utf8", "-m", "x", "--new", "S\xfcd"],
        ),
        ("ascii", PYTHON, ["python3", "-P", "tui-uploader"], [PYTHON, "-X", "utf8", "-P", "tui-uploader"]),
        ("iso8859-1", "", ["python3", "-m", "x"], None),
    ],
)
def test_a_process_with_another_path_encoding_restarts(
    path_encoding: str, executable: str, original: Sequence[str], command: list[str] | None
) -> None:
    assert restart_command(path_encoding, executable, original) == command


@pytest.mark.parametrize(
    ("named", "environment", "encoding"),
    [
        ("ISO-8859-1", {}, "iso8859-1"),
        ("ISO-8859-15", {"PYTHONUTF8": "0"}, "iso8859-15"),
        ("UTF-8", {}, "utf-8"),
        ("ANSI_X3.4-1968", {}, "utf-8"),  # how Linux calls ASCII
        ("US-ASCII", {}, "utf-8"),
        ("ANSI_X3.4-1968", {"PYTHONUTF8": "0"}, "ascii"),
        ("ISO-8859-1", {"PYTHONUTF8": "1"}, "utf-8"),
        ("an encoding that Python does not know", {}, "utf-8"),
    ],
)
def test_the_encoding_of_a_session(named: str, environment: Mapping[str, str], encoding: str) -> None:
    assert session_encoding(named, environment) == encoding


@pytest.mark.parametrize(
    ("typed", "encoding", "text"),
    [
        (b"S\xfcd", "iso8859-1", "Süd"),
        (b"\xa4", "iso8859-15", "€"),
        ("Süd".encode(), "utf-8", "Süd"),
        ("Süd".encode(), "ascii", "Süd"),
        (b"S\xfcd", "utf-8", "S\udcfcd"),
        (b"North", "iso8859-1", "North"),
    ],
)
def test_typed_text_is_decoded_by_its_session(typed: bytes, encoding: str, text: str) -> None:
    assert decode_argument(os.fsdecode(typed), encoding) == text


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, False),
        ({"LANG": ""}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "en_US"}, False),
        ({"LANG": "de_CH.ISO-8859-1"}, False),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, False),
        ({"LANG": "UTF-8.fr_FR.latin1"}, False),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "en_US.UTF8"}, True),
        ({"LANG": "ca_ES.UTF-8@valencia"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),  # Terminal.app, for a language and country without a locale
        ({"LANG": "C", "LC_CTYPE": "de_CH.UTF-8"}, True),
        ({"LANG": "de_CH.UTF-8", "LC_CTYPE": "C"}, False),
        ({"LANG": "de_CH.UTF-8", "LC_CTYPE": ""}, True),
        ({"LANG": "de_CH.UTF-8", "LC_CTYPE": "de_CH.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C", "LC_ALL": "en_US.UTF-8"}, True),
        ({"LANG": "de_CH.UTF-8", "LC_ALL": ""}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # as Python children inherit it
        ({"LANG": "C.UTF-8", "LC_MESSAGES": "C"}, True),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, False),
        ({"LANG": "C.UTF-8", "TERM": "vt220"}, False),
        ({"LANG": "C.UTF-8", "TERM": "tmux-256color"}, True),
        ({"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}, False),
    ],
)
def test_the_users_locale_decides(environment: Mapping[str, str], shown: bool) -> None:
    assert shows_unicode(environment) is shown


@pytest.mark.parametrize(
    ("before", "coerced", "after"),
    [
        ({"LC_CTYPE": "C.UTF-8"}, True, {}),
        ({"LC_CTYPE": "UTF-8"}, True, {}),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "de_DE.ISO-8859-1"}, True, {"LANG": "de_DE.ISO-8859-1"}),
        ({"LC_CTYPE": "C.UTF-8"}, False, {"LC_CTYPE": "C.UTF-8"}),
        ({"LC_CTYPE": "de_DE.UTF-8"}, True, {"LC_CTYPE": "de_DE.UTF-8"}),
        ({}, True, {}),
    ],
)
def test_a_coerced_locale_is_removed(before: dict[str, str], coerced: bool, after: Mapping[str, str]) -> None:
    remove_coerced_locale(before, coerced=coerced)
    assert before == after


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"PYTHONUTF8": "1"}, False),
        ({"LANG": "xx_XX.ISO-8859-1"}, False),  # not installed: Python falls back to C, and to UTF-8
        ({"LANG": "xx_XX.UTF-8"}, True),
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8"}, True),
    ],
)
def test_a_coerced_interpreter_gives_the_same_answer(environment: dict[str, str], shown: bool) -> None:
    code = "import os; from tui_uploader import encoding as c; c.remove_coerced_locale(os.environ)"
    code += "; print(c.shows_unicode(os.environ))"
    kept = {name: value for name, value in os.environ.items() if name not in ("LANG", "TERM") and name[:3] != "LC_"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"{shown}\n"

"""Which characters a terminal is taken to show, by what the user's environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tui_uploader.charset import shows_unicode, take_back_coercion


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
        ({"LC_CTYPE": "UTF-8"}, True),  # Terminal.app, for a language and a country that go ill together
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
def test_what_python_wrote_is_taken_back(before: dict[str, str], coerced: bool, after: Mapping[str, str]) -> None:
    take_back_coercion(before, coerced=coerced)
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
def test_an_interpreter_that_helps_itself_to_utf8_fools_nobody(environment: dict[str, str], shown: bool) -> None:
    code = "import os; from tui_uploader import charset as c; c.take_back_coercion(os.environ)"
    code += "; print(c.shows_unicode(os.environ))"
    kept = {name: value for name, value in os.environ.items() if name not in ("LANG", "TERM") and name[:3] != "LC_"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"{shown}\n"

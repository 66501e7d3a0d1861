"""The description of a terminal from the environment, its escape codes, and whether it keeps up."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest

from tui_uploader.settings import NoticeSettings
from tui_uploader.tui.terminal.capabilities import (
    SlowMode,
    Terminal,
    alert,
    ascii_lookalike,
    clipboard_copy,
    desktop_notice,
    detect,
    next_slow_mode,
    prepare,
)

UTF8 = {"TERM": "xterm-256color", "LANG": "de_CH.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (UTF8, Terminal()),
        ({**UTF8, "LANG": "C", "LC_CTYPE": "de_CH.utf8"}, Terminal()),
        ({**UTF8, "LANG": "ca_ES.UTF-8@valencia"}, Terminal()),
        ({**UTF8, "LANG": "", "LC_CTYPE": "C.UTF-8"}, Terminal()),
        ({**UTF8, "LANG": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, Terminal()),
        ({**UTF8, "LANG": "C", "LC_CTYPE": "C.UTF-8"}, Terminal(ascii_only=True)),
        ({**UTF8, "LC_ALL": "C"}, Terminal(ascii_only=True)),
        ({**UTF8, "LC_ALL": "de_CH.ISO-8859-1"}, Terminal(ascii_only=True)),
        ({**UTF8, "LANG": ""}, Terminal(ascii_only=True)),
        ({**UTF8, "NO_COLOR": "1"}, Terminal(no_color=True, theme="ansi-dark")),
        ({**UTF8, "NO_COLOR": ""}, Terminal()),
        ({**UTF8, "TERM": "linux"}, Terminal(ascii_only=True, theme="ansi-dark", notices=False)),
        ({**UTF8, "TERM": "dumb"}, Terminal(ascii_only=True, no_color=True, theme="ansi-dark", notices=False)),
        ({"LANG": "C.UTF-8"}, Terminal(ascii_only=True, no_color=True, theme="ansi-dark", notices=False)),
        ({**UTF8, "TMUX": "/tmp/tmux,1,0"}, Terminal(multiplexer="tmux")),
        ({**UTF8, "TERM": "tmux-256color"}, Terminal(multiplexer="tmux")),
        ({**UTF8, "TERM": "screen", "STY": "1.pts"}, Terminal(multiplexer="screen")),
        ({**UTF8, "TERM": "screen-256color"}, Terminal()),
    ],
)
def test_the_environment_describes_the_terminal(environment: dict[str, str], expected: Terminal) -> None:
    assert detect(environment) == expected


def test_ascii_can_be_requested() -> None:
    assert detect(UTF8, ascii_wanted=True) == Terminal(ascii_only=True)


def test_prepare_keeps_the_users_settings() -> None:
    environment = {"TERM": "xterm", "ESCDELAY": "25", "NO_COLOR": ""}
    prepare(environment)
    expected = {"TERM": "xterm", "ESCDELAY": "25", "TEXTUAL_SMOOTH_SCROLL": "0", "TEXTUAL_ANIMATIONS": "none"}
    assert environment == expected


def test_a_dumb_terminal_gets_no_color() -> None:
    environment = {"TERM": "dumb"}
    prepare(environment)
    assert environment["NO_COLOR"] == "1"


def test_textual_is_not_loaded_before_prepare() -> None:
    program = (
        "import sys, tui_uploader.tui.terminal.capabilities; print('textual' in sys.modules or 'rich' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False\n"


def test_textual_obeys_the_prepared_settings() -> None:
    program = (
        "import os; from tui_uploader.tui.terminal import capabilities; capabilities.prepare(os.environ);"
        "from textual import constants; print(constants.SMOOTH_SCROLL, constants.TEXTUAL_ANIMATIONS)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False none\n"


@pytest.mark.parametrize(
    ("title", "body", "terminal", "code"),
    [
        ("Done", "12 files", Terminal(), b"\x1b]9;Done: 12 files\a\x1b]777;notify;Done;12 files\a"),
        ("a;b", "c;d", Terminal(), b"\x1b]9;a,b: c;d\a\x1b]777;notify;a,b;c;d\a"),
        ("4;1", "x", Terminal(), b"\x1b]9; 4,1: x\a\x1b]777;notify;4,1;x\a"),
        ("\x1b]0;evil\a", "a\nb\x9cc", Terminal(), b"\x1b]9; ]0,evil : a b c\a\x1b]777;notify; ]0,evil ;a b c\a"),
        ("Done", "x", Terminal(notices=False), b""),
        (
            "t",
            "b",
            Terminal(multiplexer="tmux"),
            b"\x1bPtmux;\x1b\x1b]9;t: b\a\x1b\\\x1bPtmux;\x1b\x1b]777;notify;t;b\a\x1b\\",
        ),
    ],
)
def test_desktop_notices_in_both_codes(title: str, body: str, terminal: Terminal, code: bytes) -> None:
    assert desktop_notice(title, body, terminal) == code


_COPIED = b"\x1b]52;c;YQ==\a"


@pytest.mark.parametrize(
    ("terminal", "code"),
    [
        (Terminal(), _COPIED),
        (Terminal(multiplexer="tmux"), _COPIED + b"\x1bPtmux;\x1b" + _COPIED + b"\x1b\\"),
        (Terminal(multiplexer="screen"), b"\x1bP" + _COPIED + b"\x1b\\"),
    ],
)
def test_copies_are_wrapped_for_multiplexers(terminal: Terminal, code: bytes) -> None:
    assert clipboard_copy("a", terminal) == code


def test_any_text_is_copied_unless_it_is_too_long_for_terminals() -> None:
    text = "\x1b]52;\a字\n" * 100
    payload = clipboard_copy(text, Terminal()).removeprefix(b"\x1b]52;c;").removesuffix(b"\a")
    assert base64.b64decode(payload).decode() == text
    assert clipboard_copy("x" * 60_000, Terminal()) == b""
    assert clipboard_copy("\udcff", Terminal()) == b"\x1b]52;c;Pw==\a"


@pytest.mark.parametrize(
    ("lags", "slow"),
    [
        ([0.0, 0.9, 0.0], False),
        ([1.0, 0.0, 1.0, 0.0], False),
        ([1.0, 1.0], True),
        ([2.5], True),
        ([3.0, 0.0], True),
        ([3.0] + [0.0] * 30, True),
        ([3.0] + [0.0] * 31, False),
        ([3.0] + [0.0] * 20 + [0.5] + [0.0] * 20, True),
        ([3.0] + [0.0] * 20 + [1.5] + [0.0] * 20, True),
        ([3.0] + [0.0] * 31 + [1.0], False),
    ],
)
def test_slow_mode_does_not_flip_back_and_forth(lags: list[float], slow: bool) -> None:
    mode = SlowMode()
    for second, lag in enumerate(lags):
        mode = next_slow_mode(mode, lag, float(second))
    assert mode.on == slow


@pytest.mark.parametrize(
    ("glyph", "width", "plain"),
    [
        ("a", 1, "a"),
        ("│", 1, "|"),
        ("▁", 1, "-"),
        ("é", 1, "e"),
        ("e\u0301", 1, "e"),
        ("ﬁ", 1, "?"),
        ("字", 2, "??"),
        ("✓", 1, "+"),
        ("⇡", 1, "^"),
        ("ß", 1, "?"),
    ],
)
def test_ascii_lookalikes_fill_the_same_cells(glyph: str, width: int, plain: str) -> None:
    assert ascii_lookalike(glyph, width) == plain


@pytest.mark.parametrize("bell", [True, False])
@pytest.mark.parametrize("desktop", [True, False])
def test_alerts_follow_the_settings(bell: bool, desktop: bool) -> None:
    sent = alert("tui-uploader", "North field is uploaded.", Terminal(), NoticeSettings(bell=bell, desktop=desktop))
    assert sent.startswith(b"\a") is bell and (b"North field" in sent) is desktop

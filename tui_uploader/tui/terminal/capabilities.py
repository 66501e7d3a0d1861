"""The terminal's abilities, the escape codes for alerts and the clipboard, and whether the terminal keeps up.

Values and pure functions. Nothing here imports Textual: `prepare` has to run before Textual is imported, because
Textual reads its switches from the environment once, at import.

    capabilities.prepare(os.environ)                  # before anything imports Textual
    terminal = capabilities.detect(os.environ, ascii_wanted=flag)
    App(driver_class=driver_class(terminal.ascii_only)), then app.theme = terminal.theme where it is not None
    terminal_driver(app).send(capabilities.clipboard_copy("https://…", terminal))
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec.structs import replace

from tui_uploader.encoding import ASCII_TERMS, shows_unicode
from tui_uploader.settings import NoticeSettings

Multiplexer = Literal["", "tmux", "screen"]

# Textual's switches (textual/constants.py): no pixel mouse, whose reports collapse after a resize; no animations.
# Textual's own wait for the rest of an escape sequence never applies, since the driver passes on whole ones only.
_TEXTUAL_SWITCHES = {"TEXTUAL_SMOOTH_SCROLL": "0", "TEXTUAL_ANIMATIONS": "none", "ESCDELAY": "100"}

_PLAIN_TERMS = ASCII_TERMS | {"dumb"}

# xterm refuses more; hterm and tmux take about as much (https://github.com/tmux/tmux/issues/2815).
_LONGEST_COPY = 74_994

_BEHIND, _FAR_BEHIND, _KEEPS_UP = 1.0, 2.5, 0.3
_CALM_FOR = 30.0


class Terminal(msgspec.Struct, frozen=True):
    """The facts about the terminal that are known before anything is written to it."""

    ascii_only: bool = False
    """Show ASCII only: the Linux console, a dumb terminal, a locale without UTF-8, or `--ascii`."""
    no_color: bool = False
    """https://no-color.org: NO_COLOR is set and not empty."""
    theme: str | None = None
    """The Textual theme to use instead of the user's; None: keep the user's."""
    multiplexer: Multiplexer = ""
    notices: bool = True
    """Whether the terminal understands desktop notices (OSC 9 and 777), or at least ignores them."""


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set the variables that Textual reads at import. What the user has set stays, except for the size.

    An exported `COLUMNS` or `LINES` is out of date after a resize, and `shutil.get_terminal_size`, which Textual calls,
    prefers it to the size of the terminal.
    """
    for name in ("COLUMNS", "LINES"):
        environment.pop(name, None)
    for name, value in _TEXTUAL_SWITCHES.items():
        environment.setdefault(name, value)
    if environment.get("NO_COLOR") == "":  # Textual obeys an empty one too
        del environment["NO_COLOR"]
    if environment.get("TERM", "dumb") == "dumb":
        environment.setdefault("NO_COLOR", "1")


def detect(environment: Mapping[str, str], *, ascii_wanted: bool = False) -> Terminal:
    """Describe the terminal from `environment` and the flag `--ascii`."""
    term = environment.get("TERM", "dumb")
    plain = term in _PLAIN_TERMS
    no_color = bool(environment.get("NO_COLOR")) or term == "dumb"
    return Terminal(
        ascii_only=ascii_wanted or plain or not shows_unicode(environment),
        no_color=no_color,
        # Other themes need a terminal with 24-bit colours; this one uses the terminal's own sixteen.
        theme="ansi-dark" if no_color or plain else None,
        multiplexer=_multiplexer(environment),
        notices=not plain,
    )


def _multiplexer(environment: Mapping[str, str]) -> Multiplexer:
    term = environment.get("TERM", "")
    if environment.get("TMUX") or term.startswith("tmux"):
        return "tmux"
    # A TERM of `screen` alone may be tmux or screen; then nothing is wrapped, which both tolerate.
    return "screen" if environment.get("STY") else ""


BELL = b"\a"


def alert(title: str, body: str, terminal: Terminal, chosen: NoticeSettings) -> bytes:
    """Bell and desktop notice for a user who looks elsewhere, each only if the settings ask for it."""
    bell = BELL if chosen.bell else b""
    return bell + (desktop_notice(title, body, terminal) if chosen.desktop else b"")


def desktop_notice(title: str, body: str, terminal: Terminal) -> bytes:
    """A desktop notice, in the codes of both families of terminals that show one; empty for a console.

    OSC 9 (iTerm2, Windows Terminal, kitty, WezTerm) has one text, OSC 777 (urxvt, foot, VTE) a title and a body.
    """
    if not terminal.notices:
        return b""
    plain_title, plain_body = _one_line(title).replace(";", ","), _one_line(body)
    # ConEmu and Windows Terminal read `9;4;…` as a progress bar: a text must not begin with a number.
    growl = (
        f"\x1b]9;{plain_title}: {plain_body}\a"
        if not plain_title[:1].isdigit()
        else f"\x1b]9; {plain_title}: {plain_body}\a"
    )
    notify = f"\x1b]777;notify;{plain_title};{plain_body}\a"
    return b"".join(_wrapped(each.encode(errors="replace"), terminal) for each in (growl, notify))


def window_title_codes(terminal: Terminal) -> tuple[bytes, bytes]:
    """Codes that keep the terminal's own title for later, and bring it back (xterm, 22 and 23)."""
    return (b"\x1b[22;2t", b"\x1b[23;2t") if terminal.notices else (b"", b"")


def window_title(text: str, terminal: Terminal) -> bytes:
    """OSC 2: the title of the window, of the tab, or of the pane of a multiplexer; empty for a console."""
    if not terminal.notices:
        return b""
    shown = _one_line(text).encode("ascii" if terminal.ascii_only else "utf-8", errors="replace")
    return b"\x1b]2;" + shown + b"\a"


def work_progress(state: int, percent: int, terminal: Terminal) -> bytes:
    """OSC 9;4: progress in the taskbar or tab. States: 0 none, 1 normal, 2 error, 4 paused; empty for a console."""
    return _wrapped(f"\x1b]9;4;{state};{percent}\a".encode(), terminal) if terminal.notices else b""


def clipboard_copy(text: str, terminal: Terminal) -> bytes:
    """OSC 52: `text` for the clipboard of the user's own machine. Empty if it is too long for terminals.

    Within tmux it is written twice: plain, which tmux obeys with `set-clipboard on`, and wrapped, which tmux passes on
    with `allow-passthrough on`.
    """
    payload = base64.b64encode(text.encode(errors="replace"))
    if len(payload) > _LONGEST_COPY:
        return b""
    code = b"\x1b]52;c;" + payload + b"\a"
    return code + _wrapped(code, terminal) if terminal.multiplexer == "tmux" else _wrapped(code, terminal)


def _wrapped(code: bytes, terminal: Terminal) -> bytes:
    """`code` in the envelope (a DCS string) that a multiplexer unwraps and passes on to the outer terminal."""
    match terminal.multiplexer:
        case "tmux":
            return b"\x1bPtmux;" + code.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
        case "screen":
            return b"\x1bP" + code + b"\x1b\\"
        case _:
            return code


def _one_line(text: str) -> str:
    """`text` without characters that could end the code that carries it."""
    return "".join(character if character.isprintable() else " " for character in text)


class SlowMode(msgspec.Struct, frozen=True):
    """Whether the app redraws less often because the terminal lags, and the measurements behind that decision."""

    on: bool = False
    late_checks: int = 0
    """Consecutive checks that found the terminal behind."""
    calm_since: float | None = None
    """When a slow terminal began to keep up again, on the caller's clock."""


def next_slow_mode(mode: SlowMode, lag: float, now: float) -> SlowMode:
    """The mode after a check that found the terminal `lag` seconds behind.

    Switches on after two checks in a row that are a second late, or one that is far behind; switches off after half a
    minute without delay, so that a borderline connection does not flip back and forth.
    """
    if lag >= _BEHIND:
        late = mode.late_checks + 1
        return SlowMode(on=mode.on or late >= 2 or lag >= _FAR_BEHIND, late_checks=late)
    if not mode.on:
        return SlowMode()
    if lag > _KEEPS_UP:
        return SlowMode(on=True)
    since = now if mode.calm_since is None else mode.calm_since
    return SlowMode() if now - since >= _CALM_FOR else replace(mode, late_checks=0, calm_since=since)


_ASCII_LOOKALIKES = {
    look: plain
    for plain, looks in {
        "|": "│┃║▏▎▍▌▋▊▉▐▕┆┇┊┋╎╏╽╿",
        "-": "⊘─━═╌╍┄┅┈┉▁▂▔╴╶╸╺‐‑‒–—−",
        "+": "┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋┡┩╇✓✔",
        "#": "█▓▒▄▀▆▇▅▃⣿■",
        ":": "░⠿",
        ".": "…∙·•⋅",
        "^": "⇡↑▲△▴",
        "v": "⇣↓▼▽▾",
        ">": "→▶►▸›»",
        "<": "←◀◄◂‹«",
        "x": "×✗✘✕⨯",
        "*": "●◉★☆⬤",
        "o": "○◌◯",
        '"': "“”„",
        "'": "‘’‚´",
    }.items()
    for look in looks
}


@lru_cache(maxsize=4096)
def ascii_lookalike(glyph: str, width: int) -> str:
    """ASCII for a glyph of `width` cells, as many characters: `|` for `│`, `e` for `é`, `??` for `字`."""
    if glyph.isascii():
        return glyph
    plain = _ASCII_LOOKALIKES.get(glyph[0]) or unicodedata.normalize("NFKD", glyph).encode("ascii", "ignore").decode()
    return plain if len(plain) == width and plain.isprintable() else "?" * width

"""Encodings: of paths, of text that users type and read, and of what the user's terminal can show.

Linux names files by bytes. Python decodes them by the locale of each process, so one file would have different names in
a session with ISO-8859-1 and in an engine with UTF-8. Therefore every process of this program decodes paths as UTF-8
with surrogate escapes, which loses no byte: the engine is started with `-X utf8`, and a command in a session with
another locale replaces itself by one with `-X utf8`.

Text that users type or read, such as names of projects, is in the encoding of their session. Whether their terminal
shows more than ASCII is a third question, which only the environment answers: in the locale "C" Python writes UTF-8 all
the same (PEP 538 and PEP 540), while tmux and others show each character beyond ASCII as `_`.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import locale
import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence

_PATHS = "utf-8"

ASCII_TERMS = frozenset({"linux", "vt100", "vt102", "vt220"})
"""Terminals that cannot show our glyphs: the fonts of the Linux console have at most 512 characters."""

# The values that PEP 538 writes into LC_CTYPE, in the order in which it tries them.
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
_DEFAULT_LOCALES = frozenset({"C", "POSIX"})


def require_utf8_paths() -> None:
    """Replace this process by one that decodes paths as UTF-8, unless it does so already.

    Call it before anything else: only the process id, the open files and the arguments survive.
    """
    command = restart_command(sys.getfilesystemencoding(), sys.executable, sys.orig_argv)
    if command is not None:
        os.execv(command[0], command)


def restart_command(path_encoding: str, executable: str, original: Sequence[str]) -> list[str] | None:
    """The command that runs this program with UTF-8 paths; None where paths are UTF-8 already or that is impossible."""
    if codecs.lookup(path_encoding).name == _PATHS or not executable or getattr(sys, "frozen", False):
        return None
    return [executable, "-X", "utf8", *original[1:]]


def session_encoding(named: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The encoding of the text that the user types and reads, by the locale.

    `named`: the encoding of the locale (default: that of this session). ASCII only means that no locale was chosen;
    then Python uses UTF-8 too (PEP 540), unless `PYTHONUTF8=0` forbids it.
    """
    utf8_mode = (os.environ if environment is None else environment).get("PYTHONUTF8")
    if utf8_mode == "1":
        return _PATHS
    try:
        found = codecs.lookup(named or locale.getencoding()).name
    except LookupError:
        return _PATHS
    return _PATHS if found == "ascii" and utf8_mode != "0" else found


def use_session_encoding() -> None:
    """Set the standard streams to the encoding of the session, also under `-X utf8`."""
    if os.environ.get("PYTHONIOENCODING"):
        return
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A stream that was read from before has an owner who knows its encoding.
            with contextlib.suppress(io.UnsupportedOperation):
                stream.reconfigure(encoding=session_encoding(), errors=stream.errors)


def decode_argument(argument: str, encoding: str | None = None) -> str:
    """Decode an argument that is text and not a path, such as the name of a project.

    `argument`: as Python decodes arguments. `encoding`: that of the session by default. An argument that is not valid
    in that encoding is returned unchanged.
    """
    try:
        return os.fsencode(argument).decode(encoding or session_encoding())
    except UnicodeError:
        return argument


def shows_unicode(environment: Mapping[str, str]) -> bool:
    """Whether a terminal with this environment shows more than ASCII. A locale without a codeset does not.

    Follows POSIX (Base Definitions, 8.2): LC_ALL before LC_CTYPE before LANG; an empty variable counts as unset. tmux
    decides in the same way (tmux.c, `main`).
    """
    if environment.get("TERM") in ASCII_TERMS:
        return False
    character_type, language = environment.get("LC_CTYPE", ""), environment.get("LANG", "")
    if character_type in _COERCED and language in _DEFAULT_LOCALES:
        character_type = ""  # set by a Python program that started this one
    name = environment.get("LC_ALL") or character_type or language
    codeset = name.partition("@")[0].rpartition(".")[2]  # language[_territory][.codeset][@modifier]
    return codeset.lower().replace("-", "").replace("_", "") == "utf8"


def remove_coerced_locale(environment: MutableMapping[str, str], *, coerced: bool | None = None) -> None:
    """Remove the LC_CTYPE that Python wrote into `environment` at its start: child processes would take it for the
    user's choice.

    `coerced`: whether this interpreter found the locale "C"; it then works in UTF-8 mode.
    """
    if coerced is None:
        coerced = bool(sys.flags.utf8_mode)
    if coerced and environment.get("LC_CTYPE") in _COERCED:
        del environment["LC_CTYPE"]

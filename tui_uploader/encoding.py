"""One encoding for paths in every process of this program, and that of the user's session for everything else.

Linux names files by bytes. Python decodes them by the locale of each process, so the same file would have one name in
a session with ISO-8859-1 and another one in an engine with UTF-8. Therefore every process of this program decodes
paths as UTF-8 with surrogate escapes, which loses no byte: the engine is started with `-X utf8`, and a command in a
session with another locale replaces itself by one with `-X utf8`.

Text that the user types or reads is another matter: names of projects come and go in the encoding of the session.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import locale
import os
import sys
from collections.abc import Mapping, Sequence

_PATHS = "utf-8"


def paths_are_utf8() -> None:
    """Return in a process that decodes paths as UTF-8; run the program again in that way where this one does not.

    To be called before anything else: the process keeps its id, its open files and its arguments, and nothing more.
    """
    command = restart_command(sys.getfilesystemencoding(), sys.executable, sys.orig_argv)
    if command is not None:
        os.execv(command[0], command)


def restart_command(path_encoding: str, executable: str, original: Sequence[str]) -> list[str] | None:
    """The command that runs this program with UTF-8 for paths; None where that is so already, or cannot be had."""
    if codecs.lookup(path_encoding).name == _PATHS or not executable or getattr(sys, "frozen", False):
        return None
    return [executable, "-X", "utf8", *original[1:]]


def session_encoding(named: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The encoding of what the user types and reads, by the locale.

    `named` is the locale's own encoding (default: that of this session). ASCII says no more than that no locale was
    chosen, and then Python takes UTF-8 too (PEP 540), unless `PYTHONUTF8=0` forbids it.
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
    """Let the standard streams carry text in the encoding of the session, also where `-X utf8` says UTF-8."""
    if os.environ.get("PYTHONIOENCODING"):
        return
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Who hands in a stream that was read from already knows its encoding.
            with contextlib.suppress(io.UnsupportedOperation):
                stream.reconfigure(encoding=session_encoding(), errors=stream.errors)


def typed_text(argument: str, encoding: str | None = None) -> str:
    """A command's argument that is text and no path, such as the name of a project, read in the session's encoding.

    `argument` is as Python decodes arguments, `encoding` the session's by default. An argument that is not in that
    encoding comes back as it is.
    """
    try:
        return os.fsencode(argument).decode(encoding or session_encoding())
    except UnicodeError:
        return argument

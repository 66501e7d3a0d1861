"""The two streams of a command: its answer goes to stdout, everything else to stderr.

A script reads stdout, so nothing but the answer may ever get there. What a terminal obeys never gets through: callers
pass text from outside through `text.printable` first.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from tui_uploader.cli.present import Style, without_ornament
from tui_uploader.codec import to_json

if TYPE_CHECKING:
    import typer

_READER_GONE = 128 + signal.SIGPIPE


def tell(line: str) -> None:
    """One line of the answer, for people."""
    _write(sys.stdout, line)


def tell_now(line: str) -> None:
    """One line of an answer that takes its time: pushed out at once, so that a reader sees it now."""
    tell(line)
    finish()


def tell_json(value: Any) -> None:
    """One line of the answer, for programs: ASCII, so that any pipe carries it."""
    _write(sys.stdout, to_json(value))


def say(line: str) -> None:
    """One line beside the answer: what happens, what to do next."""
    _write(sys.stderr, line)


def finish() -> None:
    """Push out what is still buffered. Raises typer.Exit when nobody reads any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise no_reader() from None


def style_of(stream: TextIO, environment: Mapping[str, str] | None = None) -> Style:
    """How much ornament `stream` takes: colour only on a terminal and without `NO_COLOR` (no-color.org)."""
    env = os.environ if environment is None else environment
    colour = stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    return Style(ascii=not _is_utf8(stream), colour=colour)


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def _write(stream: TextIO, line: str) -> None:
    try:
        stream.write((line if _is_utf8(stream) else without_ornament(line)) + "\n")
    except BrokenPipeError:
        raise no_reader() from None


def no_reader() -> typer.Exit:
    """To be raised when nobody reads stdout any more; what is still written to it is gone."""
    import typer  # the full screen does without it

    # The interpreter flushes stdout once more when it leaves, and would complain about the same broken pipe.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return typer.Exit(_READER_GONE)

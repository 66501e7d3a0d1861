"""What a command says: its answer goes to stdout, everything else to stderr.

A script reads stdout, so nothing but the answer may ever get there. What a terminal obeys never gets through: callers
pass text from outside through `text.printable` first. Saying something never fails (see `streams`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from tui_uploader.charset import shows_unicode
from tui_uploader.cli.lines import Style
from tui_uploader.cli.streams import loss_of
from tui_uploader.codec import to_json
from tui_uploader.settings import APP


class Done(int):
    """An exit code that tells by itself what became of the work, even where the answer could not be written.

    Commands whose answer is all that they do return None instead: without the answer, they have failed.
    """


def print_line(line: str) -> None:
    """One line of the answer, for people."""
    sys.stdout.write(line + "\n")


def print_now(line: str) -> None:
    """One line of an answer that takes its time: pushed out at once, so that a reader sees it now."""
    print_line(line)
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """One line of the answer, for programs: ASCII, so that any pipe carries it."""
    sys.stdout.write(to_json(value) + "\n")


def print_note(line: str) -> None:
    """One line beside the answer: what happens, what to do next."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def finish(code: object = None) -> int:
    """Push out the answer, and return the exit code of the command that returned `code`."""
    sys.stdout.flush()
    lost = loss_of(sys.stdout)
    if lost is None:
        return code if isinstance(code, int) else 0
    lost_code, sentence = lost
    if sentence is not None:
        print_note(f"{APP}: {sentence}")
    return code if isinstance(code, int) and (code or isinstance(code, Done)) else lost_code


def style_of(stream: TextIO, environment: Mapping[str, str] | None = None) -> Style:
    """How much ornament `stream` takes: colour only on a terminal and without `NO_COLOR` (no-color.org)."""
    env = os.environ if environment is None else environment
    colour = stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    return Style(ascii=not (_is_utf8(stream) and shows_unicode(env)), colour=colour)


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"

"""A command's answer goes to stdout, everything else to stderr.

Scripts read stdout, so nothing but the answer is written there. Callers pass text from outside through `text.printable`
first, so no control character reaches the terminal. Writing never fails (see `streams`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from tui_uploader.cli.streams import loss_of
from tui_uploader.codec import to_json
from tui_uploader.encoding import shows_unicode
from tui_uploader.settings import APP


class Done(int):
    """The exit code of a command that did work: it stands even where the answer could not be written.

    Commands that only show something return None instead: without the answer, they have failed.
    """


@dataclass(frozen=True, slots=True)
class Style:
    """What a stream can show."""

    ascii: bool = False
    colour: bool = False


def print_line(line: str) -> None:
    """One line of the answer, for people."""
    sys.stdout.write(line + "\n")


def print_now(line: str) -> None:
    """One line of an answer that takes a while, flushed at once."""
    print_line(line)
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """One line of the answer, for programs; ASCII, so that any pipe carries it."""
    sys.stdout.write(to_json(value) + "\n")


async def print_json_parts(fields: Mapping[str, Any], lists: Mapping[str, AsyncIterator[Any]]) -> None:
    """One line of the answer, for programs: an object of `fields`, of which there is one at least, and `lists`.

    The lists are never in memory as a whole.
    """
    sys.stdout.write(to_json(fields).removesuffix("}"))
    for name, values in lists.items():
        sys.stdout.write(f",{to_json(name)}:[")
        first = True
        async for value in values:
            sys.stdout.write(("" if first else ",") + to_json(value))
            first = False
        sys.stdout.write("]")
    sys.stdout.write("}\n")


def print_note(line: str) -> None:
    """One line beside the answer, to stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def finish(code: object = None) -> int:
    """Flush the answer and return the exit code of the command that returned `code`."""
    sys.stdout.flush()
    lost = loss_of(sys.stdout)
    if lost is None:
        return code if isinstance(code, int) else 0
    lost_code, sentence = lost
    if sentence is not None:
        print_note(f"{APP}: {sentence}")
    return code if isinstance(code, int) and (code or isinstance(code, Done)) else lost_code


def style_of(stream: TextIO, environment: Mapping[str, str] | None = None) -> Style:
    """What `stream` can show: colour only on a terminal and without `NO_COLOR` (no-color.org)."""
    env = os.environ if environment is None else environment
    colour = stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    return Style(ascii=not (_is_utf8(stream) and shows_unicode(env)), colour=colour)


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"

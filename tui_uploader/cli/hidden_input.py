"""Reading lines from a terminal without showing them."""

from __future__ import annotations

import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from tui_uploader.errors import Interrupted, UsageError

_SHOWN_OF_ID = 4


@contextmanager
def without_echo(terminal: TextIO) -> Iterator[None]:
    """Turn off the echo of `terminal` until the block ends, however it ends.

    Lines that were typed ahead stay readable. Raises Interrupted in the block on SIGTERM and SIGHUP.
    """
    descriptor = terminal.fileno()
    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO

    def silence(*_: object) -> None:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)

    def end(number: int, _: FrameType | None) -> None:
        raise Interrupted("The command was terminated by a signal.")

    handlers = {
        # A shell that had the terminal meanwhile has turned the echo on again.
        signal.SIGCONT: signal.signal(signal.SIGCONT, silence),
        signal.SIGTERM: signal.signal(signal.SIGTERM, end),
        signal.SIGHUP: signal.signal(signal.SIGHUP, end),
    }
    silence()
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def read_line(terminal: TextIO, prompt: str) -> str:
    """Write `prompt` to stderr and return the first line that is not empty. Raises UsageError at the end of input."""
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = terminal.readline()
        if not line:
            sys.stderr.write("\n")
            raise UsageError("Input ended before the client id and the client secret were entered.")
        if line.strip():
            return line.strip()
        sys.stderr.write("\n")


def shortened(client_id: str) -> str:
    """Enough of the id to recognise it, but never all: users paste the secret first by mistake."""
    length = f"({len(client_id)} characters)"
    if len(client_id) < 4 * _SHOWN_OF_ID:
        return length
    return f"{client_id[:_SHOWN_OF_ID]}…{client_id[-_SHOWN_OF_ID:]} {length}"

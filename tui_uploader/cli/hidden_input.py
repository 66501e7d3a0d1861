"""Lines that are typed or pasted on a terminal without being shown."""

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
def unechoed(terminal: TextIO) -> Iterator[None]:
    """Nothing of what is typed on `terminal` is shown until the block ends, however it ends.

    What was typed ahead stays to be read. Raises Interrupted in the block when the program is told to end.
    """
    descriptor = terminal.fileno()
    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO

    def silence(*_: object) -> None:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)

    def end(number: int, _: FrameType | None) -> None:
        raise Interrupted("The command was told to end.")

    handlers = {
        # A shell that took the terminal back meanwhile left it with the echo on.
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


def asked(terminal: TextIO, prompt: str) -> str:
    """The first line with something in it that comes after `prompt`, which goes to stderr. Raises UsageError."""
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = terminal.readline()
        if not line:
            sys.stderr.write("\n")
            raise UsageError("The terminal's input ended before the client id and the client secret were given.")
        if line.strip():
            return line.strip()
        sys.stderr.write("\n")


def shortened(client_id: str) -> str:
    """Enough of the id to know it again. It may be the secret, pasted in the wrong order, so never all of it."""
    length = f"({len(client_id)} characters)"
    if len(client_id) < 4 * _SHOWN_OF_ID:
        return length
    return f"{client_id[:_SHOWN_OF_ID]}…{client_id[-_SHOWN_OF_ID:]} {length}"

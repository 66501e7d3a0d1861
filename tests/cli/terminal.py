"""A command on a terminal of its own."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PROGRAM = (sys.executable, "-m", "tui_uploader")
_DEADLINE = 30.0


class Terminal:
    """The user's side of a terminal: reads its text, types answers."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._until = time.monotonic() + _DEADLINE
        self.shown = ""

    def await_text(self, text: str) -> None:
        """Read until `text` was shown."""
        while text not in self.shown:
            assert self._read(), f"{text!r} never came; shown: {self.shown!r}"

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def exit_code(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        return self._process.wait(timeout=_DEADLINE)

    def _read(self) -> bool:
        """False at the end."""
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, self._until - time.monotonic()))
        assert ready, f"nothing comes any more; shown: {self.shown!r}"
        try:
            more = os.read(self._descriptor, 65536)
        except OSError:  # so says Linux when the last process has left the terminal
            return False
        self.shown += more.decode()
        return bool(more)


@contextmanager
def on_terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    ours, theirs = os.openpty()
    environment = os.environ | {"TERM": "xterm", "NO_COLOR": ""} | environment
    process = subprocess.Popen(
        [*_PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        os.close(ours)
        process.kill()
        process.wait()

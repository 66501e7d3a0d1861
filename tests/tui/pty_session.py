"""A command on a terminal of its own: feed it keys, look at its screen, hang up.

The other end of the terminal is this process. It answers the questions that terminals answer, and keeps what was
written both as bytes and as a screen. Everything is awaited with a deadline; nothing sleeps to hope.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pyte

DEADLINE = 60.0
# pyte prints the end of codes that it does not know: questions about modes and the keyboard protocol of kitty.
_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[\?[0-9;]*\$p|\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP.*?\x1b\\", re.S
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[<>=?0-9;$]*)?\Z|\x1b\][^\x07\x1b]*\x1b?\Z|\x1bP(?:(?!\x1b\\).)*\Z", re.S)

ANSWERS: Mapping[bytes, bytes] = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronized output is known, and off
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[5n": b"\x1b[0n",
}


class PtySession:
    """The person's side of a terminal in which a command runs."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        answers: Mapping[bytes, bytes] = ANSWERS,
        delay: float = 0.0,
        folder: Path | None = None,
    ) -> None:
        """`environment` is added to this process's; `answers` maps the command's questions to the terminal's answers.

        An answer takes `delay` seconds. `folder` is where the command starts; None: where this process is.
        """
        self._descriptor, theirs = os.openpty()
        self._answers = answers
        self._delay = delay
        self._pending_answers: list[tuple[float, bytes]] = []
        """Answers, and when they arrive."""
        self._unfinished = b""
        self._closed = False
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        """Every byte that the command wrote."""
        self.started_at = time.monotonic()
        self.last_byte_at = self.started_at
        self._set_size(columns, rows)
        self.cooked = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})},
            cwd=folder,
            start_new_session=True,
            # The terminal has to be the session's own, or its loss sends no SIGHUP.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self._theirs = theirs
        """Kept open, so that the state in which the command leaves the terminal can be read afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def feed(self, keys: bytes | str) -> None:
        """Type `keys`. Blocks only if the command does not read earlier input."""
        os.write(self._descriptor, keys.encode() if isinstance(keys, str) else keys)

    def feed_all(self, data: bytes, seconds: float = DEADLINE) -> None:
        """Type more than a terminal holds, and read meanwhile, as terminals do."""
        os.set_blocking(self._descriptor, False)
        until = time.monotonic() + seconds
        view = memoryview(data)
        while view:
            assert time.monotonic() < until, f"{len(view)} bytes were not read"
            readable, writable, _ = select.select([self._descriptor], [self._descriptor], [], 1.0)
            if readable:
                self.read(0)
            if writable:
                view = view[os.write(self._descriptor, view[:4096]) :]
        os.set_blocking(self._descriptor, True)

    def read(self, seconds: float) -> bytes:
        """The next output of the command; empty after `seconds`, or at its end."""
        until = time.monotonic() + seconds
        while not self._is_readable(until):
            if time.monotonic() >= until:
                return b""
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # so says Linux when the last process has left the terminal
            return b""
        self.last_byte_at = time.monotonic()
        self.written += data
        self._show(data)
        return data

    def _is_readable(self, until: float) -> bool:
        """Wait for that, or until an answer arrives."""
        now = time.monotonic()
        while self._pending_answers and self._pending_answers[0][0] <= now:
            os.write(self._descriptor, self._pending_answers.pop(0)[1])
        next_arrival = self._pending_answers[0][0] if self._pending_answers else until
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, min(until, next_arrival) - now))
        return bool(ready)

    def _show(self, data: bytes) -> None:
        data = self._unfinished + data
        unfinished = _UNFINISHED.search(data)
        end = unfinished.start() if unfinished else len(data)
        data, self._unfinished = data[:end], data[end:]
        for question, answer in self._answers.items():
            arrives = time.monotonic() + self._delay
            self._pending_answers += [(arrives, answer)] * data.count(question)
        self._is_readable(0.0)
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    @property
    def text(self) -> str:
        """The screen, a line for each row."""
        return "\n".join(self.line(row) for row in range(self.screen.lines))

    def line(self, row: int) -> str:
        return self._cells(row).rstrip()

    def _cells(self, row: int) -> str:
        """The second half of a wide character is empty. `pyte.Screen.display` fails while its first is overwritten."""
        return "".join(self.screen.buffer[row][column].data for column in range(self.screen.columns))

    def cell(self, row: int, column: int) -> pyte.screens.Char:
        """The character shown there, with `data`, `fg`, `bg`, `bold`, `reverse`…"""
        return self.screen.buffer[row][column]

    def find(self, text: str) -> tuple[int, int]:
        """Row and column of `text` on the screen. Raises AssertionError if it is not there."""
        for row in range(self.screen.lines):
            if (column := self._cells(row).find(text)) >= 0:
                return row, column
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")

    def wait_for(self, wanted: str | Callable[[], object], seconds: float = DEADLINE) -> None:
        """Read until a text is on the screen or a condition holds."""
        until = time.monotonic() + seconds

        def holds() -> object:
            return wanted in self.text if isinstance(wanted, str) else wanted()

        while not holds():
            left = until - time.monotonic()
            assert left > 0, f"{wanted!r} never came; the screen:\n{self.text}"
            ended = self.process.poll() is not None
            if not self.read(min(left, 0.05)) and ended:
                assert holds(), f"it ended with {self.process.returncode}; the screen:\n{self.text}"

    def wait_quiet(self, quiet: float, seconds: float = DEADLINE) -> None:
        """Read until nothing was written for `quiet` seconds."""
        until = time.monotonic() + seconds
        while self.read(quiet):
            assert time.monotonic() < until, "it never stops writing"

    def bytes_in(self, seconds: float) -> int:
        """Read for that long, and count the bytes written."""
        before, until = len(self.written), time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.read(left)
        return len(self.written) - before

    def resize(self, columns: int, rows: int) -> None:
        self._set_size(columns, rows)
        self.screen.resize(rows, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def hang_up(self) -> None:
        """Lose the connection: SIGHUP for the command, errors for its reads and writes."""
        if not self._closed:
            self._closed = True
            os.close(self._theirs)
            os.close(self._descriptor)

    def is_cooked(self) -> bool:
        """Whether the terminal is in the state in which the command found it."""
        return termios.tcgetattr(self._theirs)[:4] == self.cooked[:4]

    def fall_silent(self) -> None:
        """Answer nothing from now on: terminals put no answer in the middle of a key, but a test could."""
        while self._pending_answers:
            self.read(0.05)
        self._answers = {}

    def left_for_shell(self) -> bytes:
        """Typed keys and answers that the command did not read: the next program would get them."""
        while self._pending_answers:
            self.read(0.05)
        tty.setraw(self._theirs, termios.TCSANOW)
        ready, _, _ = select.select([self._theirs], [], [], 0.0)
        return os.read(self._theirs, 65536) if ready else b""

    def exit_code(self, seconds: float = DEADLINE) -> int:
        """Read to the end, and say how it ended."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it does not end; the screen:\n{self.text}"
            if self._closed:
                return self.process.wait(max(0.01, until - time.monotonic()))
            self.read(0.05)
        while not self._closed and self.read(0.05):
            pass
        return self.process.returncode

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def resident_bytes(pid: int) -> int:
    """Memory of a process (Linux)."""
    resident = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(resident) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far (Linux)."""
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    user, system = state.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def on_pty(*command: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[PtySession]:
    """`with on_pty(sys.executable, "-m", "tui_uploader", HOME=home) as terminal:`"""
    with PtySession(command, columns=columns, rows=rows, environment=environment) as session:
        yield session

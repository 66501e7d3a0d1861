"""Write to the terminal without making the app wait for a terminal that does not read.

A thread writes; the app only hands over bytes. The backlog is bounded: beyond a limit whole writes are dropped, and
`on_drained` is called once the terminal has taken the rest, so that the owner can repaint everything.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

BACKLOG_LIMIT = 1024 * 1024
"""Bytes that may wait for the terminal."""

# Small enough to see progress on a slow terminal.
_CHUNK = 1024
# A terminal answers a question about its state (DSR 5) with "ready" (DSR 0): ECMA-48, 8.3.35. The time to the answer
# shows how far the screen is behind, including everything in the buffers of the connection.
PING, PONG = "\x1b[5n", "\x1b[0n"
_PING_EVERY = 2.0
_PATIENCE = 10.0
_LAST_ANSWER = (1.0, 5.0)
"""Shortest and longest wait for the last answer, in seconds; in between, twice what the latest answer took."""


class TerminalWriter:
    """Owns the output to one terminal, from `__init__` to `close`.

    Thread-safe. `on_drained` is called from the writing thread.
    """

    def __init__(self, descriptor: int, on_drained: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_drained = on_drained
        self._changed = threading.Condition()
        self._waiting = bytearray()
        self._writing = 0
        """Bytes that were taken from `_waiting` and are not written yet."""
        self._since = 0.0
        """When the oldest unwritten byte was handed over."""
        self._slowest = 0.0
        self._report_drained = False
        self._dropped = False
        self._stall = 0.0
        """The longest wait for one chunk since the last `needs_repaint`, in seconds."""
        self._ended = False
        self._abandoned = False
        self._gone = False
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Bytes that were handed over and are not written yet."""
        return len(self._waiting) + self._writing

    @property
    def is_ended(self) -> bool:
        """Whether no more bytes are accepted."""
        return self._ended

    def write(self, data: bytes) -> bool:
        """Hand over `data`. False if it was dropped, because too much is waiting or the terminal is gone."""
        with self._changed:
            if self._ended or self._gone:
                return False
            if self.backlog + len(data) > BACKLOG_LIMIT:
                self._report_drained = self._dropped = True
                return False
            if not self.backlog:
                self._since = time.monotonic()
            self._waiting += data
            self._changed.notify()
            return True

    def is_drained(self) -> bool:
        """Whether everything is written. If not, `on_drained` is called once it is."""
        with self._changed:
            self._report_drained |= bool(self.backlog)
            return not self.backlog

    def needs_repaint(self, long_stall: float) -> bool:
        """Whether data was dropped, or the terminal stalled for `long_stall` seconds, since the last call."""
        with self._changed:
            needed = self._dropped or self._stall >= long_stall
            self._dropped, self._stall = False, 0.0
            return needed

    def slowest(self) -> float:
        """The longest time, in seconds, from hand-over to written since the last call."""
        with self._changed:
            slowest, self._slowest = self._slowest, 0.0
            return max(slowest, time.monotonic() - self._since if self.backlog else 0.0)

    def abandon(self) -> None:
        """Drop the backlog, so that a terminal that is behind gets the final codes soon."""
        with self._changed:
            self._waiting.clear()
            self._abandoned = True

    def end(self) -> None:
        """Accept no more bytes, and write the backlog."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """End, and wait up to `seconds` until the backlog is written."""
        self.end()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                data = bytes(self._waiting)
                self._waiting.clear()
                self._writing = len(data)
                self._abandoned = False
            self._put(data)
            self._finish()

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._abandoned and not self._gone:
            began = time.monotonic()
            try:
                written = os.write(self._descriptor, view[:_CHUNK])
            except BlockingIOError:  # another program made the terminal non-blocking
                select.select([], [self._descriptor], [], 1.0)
            except OSError:  # EIO: on Linux, the other end of the terminal is closed
                self._gone = True
            else:
                self._stall = max(self._stall, time.monotonic() - began)
                view = view[written:]
                self._writing = len(view)

    def _finish(self) -> None:
        with self._changed:
            self._writing = 0
            now = time.monotonic()
            self._slowest = max(self._slowest, now - self._since)
            self._since = now
            drained = self._report_drained and not self._waiting
            if drained:
                self._report_drained = False
        if drained:
            self._on_drained()


class RoundTrip:
    """How long the terminal takes to answer, beyond the round-trip time of the connection."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._last_asked = -_PING_EVERY
        self._best: float | None = None
        self._worst = 0.0
        self._latest = 0.0
        self._silent = False

    @property
    def is_awaited(self) -> bool:
        """Whether an answer is expected."""
        return self._asked_at is not None and not self._silent

    @property
    def latest(self) -> float:
        """How long the latest answer took, in seconds; 0 before the first."""
        return self._latest

    def last_answer_by(self, now: float) -> float:
        """When to stop waiting for the expected answer before the keyboard is given back, on the caller's clock.

        A terminal that has never answered may never do so: its time runs from the question on.
        """
        shortest, longest = _LAST_ANSWER
        if self._best is None:
            return (self._asked_at or now) + shortest
        return now + min(max(2 * self._latest, shortest), longest)

    def is_due(self, now: float) -> bool:
        """Whether to ask now. A terminal that never answered is not asked again."""
        if self._asked_at is not None and now - self._asked_at > _PATIENCE:
            self._silent = self._best is None
            self._asked_at = None
        return self._asked_at is None and not self._silent and now - self._last_asked >= _PING_EVERY

    def asked(self, now: float) -> None:
        self._asked_at = self._last_asked = now

    def answered(self, now: float) -> None:
        if self._asked_at is None:
            return
        took = now - self._asked_at
        self._asked_at, self._latest = None, took
        self._best = took if self._best is None else min(took, self._best)
        self._worst = max(self._worst, took - self._best)

    def lag(self, now: float) -> float:
        """The longest time, in seconds, that the screen was behind since the last call; 0 without answers."""
        worst, self._worst = self._worst, 0.0
        if self._best is None or self._asked_at is None:
            return worst
        return max(worst, now - self._asked_at - self._best)

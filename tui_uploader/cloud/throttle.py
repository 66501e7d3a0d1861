"""One rate limit for all connections together, shared fairly, and changeable while threads wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_GRANT_SECONDS = 0.05
"""The longest time that one grant takes at the limited rate: all streams advance, and none sends in bursts."""
_MIN_GRANT = 256
"""Bytes. Small enough that many streams under a tiny limit all advance before a server drops one as dead."""
_SLACK_SECONDS = 0.25
"""Delay of a busy machine that is made up for; also the longest burst after a pause."""


class Throttle:
    """A rate limiter that sending threads share. Without a limit, a grant costs a lock and an addition."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._rate: int | None = None
        self._next = 0.0
        """When the next grant begins at the earliest; each grant takes its share of time from here."""
        self._passed = 0
        self._generation = 0

    @property
    def rate(self) -> int | None:
        """Bytes per second; 0 sends nothing, None is no limit."""
        return self._rate

    @rate.setter
    def rate(self, rate: int | None) -> None:
        with self._changed:
            if rate != self._rate:
                self._rate = rate
                self._next = self._clock()
                self._generation += 1
                self._changed.notify_all()

    @property
    def passed(self) -> int:
        """Bytes granted since the start, retries included."""
        return self._passed

    def take(self, wanted: int, is_cut: Callable[[], bool]) -> int:
        """Wait until some of the `wanted` bytes may be sent, and return how many; 0 as soon as `is_cut()` is true.

        Grants come in the order of the calls. After cutting a connection, call `wake`.
        """
        with self._changed:
            while not is_cut():
                rate, generation = self._rate, self._generation
                if rate is None:
                    return self._grant(wanted)
                if rate == 0:
                    self._changed.wait()
                    continue
                count = min(wanted, max(_MIN_GRANT, int(rate * _GRANT_SECONDS)))
                begins = max(self._clock() - _SLACK_SECONDS, self._next)
                self._next = begins + count / rate
                if self._wait_until(begins, generation, is_cut):
                    return self._grant(count)
            return 0

    def wake(self) -> None:
        """Let all waiting threads check whether their connection was cut."""
        with self._changed:
            self._changed.notify_all()

    def _wait_until(self, begins: float, generation: int, is_cut: Callable[[], bool]) -> bool:
        """False if the rate changed, which voids all pending grants, or the connection was cut."""
        while (left := begins - self._clock()) > 0:
            self._changed.wait(left)
            if self._generation != generation or is_cut():
                return False
        return True

    def _grant(self, count: int) -> int:
        self._passed += count
        return count

"""One cap on the bytes that all connections send together, in fair turns, changeable while threads wait for theirs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_TURN_SECONDS = 0.05
"""What one turn may take of the capped link: all streams get on, and none sends in gusts."""
_SMALLEST_TURN = 256
"""Bytes. Small enough that many streams under a tiny cap all move before a server takes one of them for dead."""
_SLACK_SECONDS = 0.25
"""Lateness of a busy machine that is made up for; also the longest gust after a pause."""


class Throttle:
    """Shared by the sending threads of every connection. Costs a lock and an addition a turn while there is no cap."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._rate: int | None = None
        self._next = 0.0
        """When the next turn begins at the earliest: every turn takes its share of time from here."""
        self._passed = 0
        self._round = 0

    @property
    def rate(self) -> int | None:
        """Bytes a second; 0: nothing goes; None: no cap."""
        return self._rate

    @rate.setter
    def rate(self, rate: int | None) -> None:
        with self._changed:
            if rate != self._rate:
                self._rate = rate
                self._next = self._clock()
                self._round += 1
                self._changed.notify_all()

    @property
    def passed(self) -> int:
        """Bytes that were let through since the beginning, those that had to be sent again included."""
        return self._passed

    def take(self, wanted: int, is_cut: Callable[[], bool]) -> int:
        """Wait for a turn, and return how many of the `wanted` bytes it is for; 0 as soon as `is_cut` holds.

        Turns come in the order in which they were asked for. Who cuts a connection calls `wake`.
        """
        with self._changed:
            while not is_cut():
                rate, asked_in = self._rate, self._round
                if rate is None:
                    return self._let_through(wanted)
                if rate == 0:
                    self._changed.wait()
                    continue
                turn = min(wanted, max(_SMALLEST_TURN, int(rate * _TURN_SECONDS)))
                begins = max(self._clock() - _SLACK_SECONDS, self._next)
                self._next = begins + turn / rate
                if self._wait_until(begins, asked_in, is_cut):
                    return self._let_through(turn)
            return 0

    def wake(self) -> None:
        """Let everybody who waits look whether it is cut."""
        with self._changed:
            self._changed.notify_all()

    def _wait_until(self, begins: float, asked_in: int, is_cut: Callable[[], bool]) -> bool:
        """False when the cap changed before the turn came, which makes all turns void, or the connection was cut."""
        while (left := begins - self._clock()) > 0:
            self._changed.wait(left)
            if self._round != asked_in or is_cut():
                return False
        return True

    def _let_through(self, count: int) -> int:
        self._passed += count
        return count

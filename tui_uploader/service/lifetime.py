"""How long the engine lives: until somebody stops it, or nobody and nothing has needed it for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

LONGEST_NAP = 15.0
"""Seconds between two looks at whether the engine is still needed."""

WATCH_SECONDS = 2.0
"""Between two looks at whether lock and socket still lie where front ends look for them."""

SHORTEST_LIMIT = 0.5
"""Seconds that whoever spawned the engine has to come in."""


class StopSignal:
    """Set once, with the first reason; everything that serves or waits watches it."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._event = asyncio.Event()

    def set(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()


class Presence:
    """Which front ends are there: requests under way, open events streams among them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._visits = 0
        self.last = clock()
        """When the last one left, on `clock`."""

    @property
    def here(self) -> bool:
        return self._visits > 0

    @contextmanager
    def visit(self) -> Iterator[None]:
        self._visits += 1
        try:
            yield
        finally:
            self._visits -= 1
            self.last = self._clock()


async def leave_when_idle(
    stop: StopSignal,
    presence: Presence,
    busy: Callable[[], bool],
    limit: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Set `stop` once there was neither work nor a front end for `limit` seconds."""
    limit = max(SHORTEST_LIMIT, limit)
    last_work = clock()
    while True:
        now = clock()
        if busy():
            last_work = now
        left = limit if presence.here else limit - (now - max(last_work, presence.last))
        if left <= 0:
            stop.set(f"neither work nor a front end for {limit:g} s")
            return
        await sleep(min(left, limit / 4, LONGEST_NAP))


async def leave_when_lost(
    stop: StopSignal, kept: Callable[[], Awaitable[bool]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Set `stop` once `kept` finds the lock lost for good: then a second engine may write to the journal."""
    while await kept():
        await sleep(WATCH_SECONDS)
    stop.set("the lock file was removed or replaced")

"""When the engine stops: on request, after idle time, or when its lock is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

LONGEST_SLEEP = 15.0
"""Most seconds between two checks whether the engine is idle."""

WATCH_SECONDS = 2.0
"""Seconds between two checks of the lock and socket files."""

SHORTEST_IDLE = 0.5
"""Shortest idle time, in seconds: the front end that spawned the engine needs time to connect."""


class StopSignal:
    """An event with a reason; only the first reason counts."""

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


class ClientPresence:
    """Counts running requests of front ends, including open event streams."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requests = 0
        self.last_seen = clock()
        """Time of `clock` at the end of the last request."""

    @property
    def connected(self) -> bool:
        return self._requests > 0

    @contextmanager
    def request(self) -> Iterator[None]:
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1
            self.last_seen = self._clock()


async def stop_when_idle(
    stop: StopSignal,
    presence: ClientPresence,
    busy: Callable[[], bool],
    limit: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Set `stop` when there was neither work nor a front end for `limit` seconds."""
    limit = max(SHORTEST_IDLE, limit)
    last_work = clock()
    while True:
        now = clock()
        if busy():
            last_work = now
        left = limit if presence.connected else limit - (now - max(last_work, presence.last_seen))
        if left <= 0:
            stop.set(f"neither work nor a front end for {limit:g} s")
            return
        await sleep(min(left, limit / 4, LONGEST_SLEEP))


async def stop_when_lock_lost(
    stop: StopSignal,
    intact: Callable[[], Awaitable[bool]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Set `stop` when `intact` returns False: without the lock, a second engine could write to the journal."""
    while await intact():
        await sleep(WATCH_SECONDS)
    stop.set("the lock file was removed or replaced")

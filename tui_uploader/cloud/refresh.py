"""Tokens and storage keys: values that age, are shared by many transfers, and are fetched once for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

from tui_uploader.errors import UploaderError

Value = TypeVar("Value")
_RETRY_PAUSE = 15.0
_EARLIEST, _LATEST = 1.6e9, 7.2e9
"""Between 2020 and 2198: a request signed for another time is refused by every store."""

_log = logging.getLogger(__name__)


class ServerClock:
    """This machine's clock, corrected by what the service says the time is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.offset = 0.0
        """Seconds by which this machine is late."""

    def now(self) -> float:
        return self._clock() + self.offset

    def learn(self, text: str | None) -> bool:
        """Take the time from a `Date` header or an ISO 8601 text; False where it tells none that there can be."""
        moment = moment_of(text)
        if moment is None or not _EARLIEST < moment < _LATEST:
            return False
        self.offset = moment - self._clock()
        return True


def moment_of(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date or an ISO 8601 text; one without a zone means UTC."""
    if not text:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            continue
    return None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Moments by the server's clock."""

    due: float
    """From here on it is renewed in the background, while it still serves."""
    end: float
    """From here on nobody gets it any more."""


def lifetime(now: float, seconds: float, margin: float) -> Lifetime:
    """Renewal is due `margin` seconds before the end, or after two thirds of a life too short for that."""
    lead = margin if seconds > 3 * margin else seconds / 3
    return Lifetime(due=now + seconds - lead, end=now + seconds - min(2.0, lead / 2))


class Renewable(Generic[Value]):
    """Fetches at most once at a time, however many ask, and gives all of them that value or that error."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Value]],
        lifetime_of: Callable[[Value], Lifetime],
        now: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._lifetime_of = lifetime_of
        self._now = now
        self._value: Value | None = None
        self._fetching: asyncio.Task[Value] | None = None
        self._not_before = float("-inf")

    @property
    def current(self) -> Value | None:
        """The value at hand, whatever its age."""
        return self._value

    async def get(self) -> Value:
        """Raises what `fetch` raises when there is no value that still serves."""
        if self._value is None:
            return await self.renew()
        life, now = self._lifetime_of(self._value), self._now()
        if now >= life.end:
            return await self.renew()
        if now >= life.due and now >= self._not_before:
            self._start()
        return self._value

    async def replace(self, refused: Value) -> Value:
        """A newer value than `refused`, which the other side does not accept; perhaps somebody got it already."""
        current = self._value
        return await self.renew() if current is None or current is refused else current

    async def renew(self) -> Value:
        return await asyncio.shield(self._start())

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    def _start(self) -> asyncio.Task[Value]:
        if self._fetching is None:
            self._not_before = self._now() + _RETRY_PAUSE
            self._fetching = asyncio.create_task(self._fetched(), name="renewal")
            self._fetching.add_done_callback(self._done)
        return self._fetching

    async def _fetched(self) -> Value:
        self._value = value = await self._fetch()
        self._not_before = float("-inf")
        return value

    def _done(self, task: asyncio.Task[Value]) -> None:
        self._fetching = None
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever waits gets it too; a renewal in the background has nobody who waits.
            _log.warning("renewal failed: %s", error if isinstance(error, UploaderError) else type(error).__name__)

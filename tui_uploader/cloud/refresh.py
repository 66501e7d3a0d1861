"""Tokens and storage keys: values that age, are shared by many transfers, and are fetched once for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui_uploader.errors import UploaderError

Value = TypeVar("Value")
_RETRY_PAUSE = 15.0
_log = logging.getLogger(__name__)


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

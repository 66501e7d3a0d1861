"""Keep access tokens and session credentials fresh: values that expire, and are fetched once for many users."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui_uploader.errors import UploaderError

T = TypeVar("T")
_RETRY_PAUSE = 15.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a value has to be renewed, in seconds since the epoch by the server's clock."""

    due: float
    """From then on, the value is renewed in the background, while it can still be used."""
    end: float
    """From then on, the value is no longer used."""


def lifetime(now: float, seconds: float, margin: float) -> Lifetime:
    """The lifetime of a value that expires in `seconds`.

    Renewal is due `margin` seconds before, or after two thirds of a lifetime too short for that.
    """
    lead = margin if seconds > 3 * margin else seconds / 3
    return Lifetime(due=now + seconds - lead, end=now + seconds - min(2.0, lead / 2))


class Renewable(Generic[T]):
    """A value that is fetched when needed. All concurrent callers share one fetch, and its value or error."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        lifetime_of: Callable[[T], Lifetime],
        now: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._lifetime_of = lifetime_of
        self._now = now
        self._value: T | None = None
        self._fetching: asyncio.Task[T] | None = None
        self._not_before = float("-inf")

    @property
    def current(self) -> T | None:
        """The last value, whatever its age."""
        return self._value

    async def get(self) -> T:
        """A valid value. Raises the error of `fetch` if there is none."""
        if self._value is None:
            return await self.renew()
        life, now = self._lifetime_of(self._value), self._now()
        if now >= life.end:
            return await self.renew()
        if now >= life.due and now >= self._not_before:
            self._start()
        return self._value

    async def replace(self, refused: T) -> T:
        """A newer value than `refused`, which the server does not accept; it may have been fetched already."""
        current = self._value
        return await self.renew() if current is None or current is refused else current

    async def renew(self) -> T:
        return await asyncio.shield(self._start())

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    def _start(self) -> asyncio.Task[T]:
        if self._fetching is None:
            self._not_before = self._now() + _RETRY_PAUSE
            self._fetching = asyncio.create_task(self._fetched(), name="renewal")
            self._fetching.add_done_callback(self._done)
        return self._fetching

    async def _fetched(self) -> T:
        self._value = value = await self._fetch()
        self._not_before = float("-inf")
        return value

    def _done(self, task: asyncio.Task[T]) -> None:
        self._fetching = None
        if not task.cancelled() and (error := task.exception()) is not None:
            # Waiting callers get the error too, but a renewal in the background has none.
            _log.warning("renewal failed: %s", error if isinstance(error, UploaderError) else type(error).__name__)

"""Is there a way to the cloud? Waits for it without wearing anything out.

A broken transfer only raises the suspicion. One cheap question to the service decides: an answer means that it was that
connection alone; none means that the link is down, and then everything waits, and one probe at a time asks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from tui_uploader.engine.retry import backoff
from tui_uploader.errors import LinkError, UploaderError
from tui_uploader.model import Link, LinkState

log = logging.getLogger(__name__)

_SHORTEST_WAIT = 1.0
_MOST_BROKEN_IN_A_ROW = 8
"""So many failed transfers in a row, though the service answers: its store is out of reach, or it is in trouble."""


class LinkWatch:
    """The link to one cloud."""

    def __init__(
        self,
        reachable: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
        came_up: Callable[[], None],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._reachable = reachable
        self._changed = changed
        self._came_up = came_up
        self._clock = clock
        self._random = random
        self._now = asyncio.Event()
        self._probing: asyncio.Task[None] | None = None
        self._broken_in_a_row = 0
        self._waits = 0
        self.link = Link()
        self.trouble: UploaderError | None = None
        """Why the link is down."""

    @property
    def down(self) -> bool:
        return self.link.state is LinkState.DOWN

    def seen_up(self) -> None:
        """Something got through."""
        self._broken_in_a_row = self._waits = 0
        if self.link.state is not LinkState.UP and self._probing is None:
            self._set(Link(LinkState.UP, since=self._clock()))

    def suspect(self, error: UploaderError) -> None:
        """Something did not get through: find out."""
        self._broken_in_a_row += 1
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._probe_until_up(error), name="link-probe")

    def try_now(self) -> None:
        """Do not wait for the next probe."""
        self._now.set()

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    async def _probe_until_up(self, error: UploaderError) -> None:
        while not await self._gets_through():
            await self._stay_down(error)
        if self._broken_in_a_row >= _MOST_BROKEN_IN_A_ROW:
            await self._stay_down(error)
            self._broken_in_a_row = 0  # a few transfers may try their luck
        self._probing = None
        was_down = self.down
        if self.link.state is not LinkState.UP:
            self._set(Link(LinkState.UP, since=self._clock()))
        if was_down:
            log.info("The link is up.")
            self._came_up()

    async def _stay_down(self, error: UploaderError) -> None:
        """Until the next try: longer every time, or as soon as the user wishes."""
        wait = max(_SHORTEST_WAIT, backoff(self._waits, self._random))
        self._waits += 1
        since = self.link.since if self.down else self._clock()
        if not self.down:
            log.warning("The link is down: %s", error)
        self.trouble = error
        self._set(Link(LinkState.DOWN, since, self._clock() + wait, str(error)))
        self._now.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._now.wait()

    async def _gets_through(self) -> bool:
        try:
            await self._reachable()
        except LinkError:
            return False
        except UploaderError:
            return True  # an answer that we do not like is an answer
        return True

    def _set(self, link: Link) -> None:
        self.link = link
        self._changed()

"""Is there a way to the cloud? Waits for it without wearing anything out.

A broken transfer, or one that stands still, only raises the suspicion. One cheap question to the service decides: an
answer means that it was that connection alone; none means that the link is down, and then everything waits. One probe
at a time asks again, after longer and longer pauses; a bare packet a second meanwhile finds out when to ask at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from tui_uploader.cloud.contract import StoreConnections, TcpInfo
from tui_uploader.engine.scheduling.retry import backoff
from tui_uploader.errors import LinkDown, LinkError, UploaderError
from tui_uploader.model import Link, LinkState

log = logging.getLogger(__name__)

SILENCE = 2.0
"""Seconds without any acknowledgement that raise the suspicion."""
_SLEPT = 5.0
_PATIENCE = 10.0
_SHORTEST_WAIT = 1.0
_MISLED_WAIT = 5.0
_MOST_BROKEN_IN_A_ROW = 8
"""So many failed transfers in a row, though the service answers: its store is out of reach, or it is in trouble."""


class Reachable(Protocol):
    """What a watch needs of a cloud; see `cloud.contract.Cloud`."""

    async def probe(self) -> None: ...
    async def wait_reachable(self) -> None: ...

    @property
    def connections(self) -> StoreConnections: ...


def is_stalled(connections: Sequence[TcpInfo]) -> bool:
    """Packets are on their way, and for long nobody has acknowledged any."""
    waiting = [each for each in connections if each.unacknowledged]
    return bool(waiting) and all(each.silent > SILENCE for each in waiting)


def was_suspended(wall_passed: float, monotonic_passed: float) -> bool:
    """This machine was suspended between two looks at its clocks, or its clock was set: either is worth a question."""
    return wall_passed - monotonic_passed > _SLEPT


class LinkMonitor:
    """The link to one cloud."""

    def __init__(
        self,
        cloud: Reachable,
        changed: Callable[[], None],
        came_up: Callable[[], None],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._cloud = cloud
        self._changed = changed
        self._came_up = came_up
        self._clock = clock
        self._random = random
        self._now = asyncio.Event()
        self._probing: asyncio.Task[None] | None = None
        self._broken_in_a_row = 0
        self._waits = 0
        self._misled = 0
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
        self.doubt(error)

    def doubt(self, error: UploaderError) -> None:
        """Nothing broke yet, but something is odd: find out."""
        if self._probing is None or self._probing.done():
            self._cloud.connections.doubt_link()
            self._probing = asyncio.create_task(self._probe(error), name="link-probe")

    def try_now(self) -> None:
        """Do not wait for the next probe, nor for the answer to the one that is under way."""
        self._now.set()

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    async def _probe(self, error: UploaderError) -> None:
        """The edge of the probing task: whatever fails in it, probing goes on, after longer and longer waits."""
        while True:
            try:
                await self._probe_until_up(error)
                return
            except Exception as fault:
                log.exception("Probing the link met something unforeseen")
                self._probing = asyncio.current_task()
                await self._stay_down(_unforeseen(fault), knocking=False)

    async def _probe_until_up(self, error: UploaderError) -> None:
        while not await self._gets_through():
            await self._stay_down(error)
            self._broken_in_a_row = 0  # it was the link that broke them
        if self._broken_in_a_row >= _MOST_BROKEN_IN_A_ROW:
            await self._stay_down(error, knocking=False)
            self._broken_in_a_row = 0  # a few transfers may try their luck
        self._probing = None
        self._misled = 0
        was_down = self.down
        if self.link.state is not LinkState.UP:
            self._set(Link(LinkState.UP, since=self._clock()))
        self._cloud.connections.trust_link(was_gone=was_down)
        if was_down:
            log.info("The link is up.")
            self._came_up()

    async def _stay_down(self, error: UploaderError, *, knocking: bool = True) -> None:
        """Until the next try: longer every time, or as soon as somebody is there again, or the user wishes."""
        wait = max(_SHORTEST_WAIT, backoff(self._waits, self._random))
        self._waits += 1
        since = self.link.since if self.down else self._clock()
        if not self.down:
            log.warning("The link is down: %s", error)
        self.trouble = error
        self._set(Link(LinkState.DOWN, since, self._clock() + wait, str(error)))
        self._now.clear()
        knock = asyncio.create_task(self._knock(), name="knock") if knocking else None
        try:
            async with asyncio.timeout(wait):
                await self._now.wait()
        except TimeoutError:
            pass
        finally:
            if knock is not None:
                knock.cancel()
                await asyncio.gather(knock, return_exceptions=True)

    async def _knock(self) -> None:
        """A proxy that is near, or a portal, lets in though the way behind it is dead: then it is asked less often."""
        await asyncio.sleep(self._misled * _MISLED_WAIT)
        with contextlib.suppress(UploaderError):
            await self._cloud.wait_reachable()
            self._misled += 1
            self._now.set()

    async def _gets_through(self) -> bool:
        """Ask the cloud. A wish to try now starts the question anew: the one under way may be lost on an old way."""
        while True:
            self._now.clear()
            asking = asyncio.create_task(self._is_reachable(), name="probe")
            wish = asyncio.create_task(self._now.wait(), name="try-now")
            try:
                await asyncio.wait({asking, wish}, return_when=asyncio.FIRST_COMPLETED)
                if asking.done():
                    return asking.result()
            finally:
                for task in (asking, wish):
                    task.cancel()
                await asyncio.wait({asking, wish})

    async def _is_reachable(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._cloud.probe()
        except (LinkError, TimeoutError):
            return False
        except UploaderError:
            return True  # an answer that we do not like is an answer
        return True

    def _set(self, link: Link) -> None:
        self.link = link
        self._changed()


def _unforeseen(fault: Exception) -> LinkDown:
    return LinkDown(
        f"Whether the cloud can be reached is not known: the engine met something unforeseen ({type(fault).__name__}) "
        "while it asked. It asks again; its log says more."
    )

"""Find out whether the cloud of one account is reachable, and wait for it without costs.

A broken or stalled transfer only raises a suspicion. One cheap request to the service decides: if it is answered, only
that connection was broken; if not, the link is down, and all transfers of the account wait. The request is repeated
after growing pauses, and at once when the host accepts connections again, which is tried every second.
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
from tui_uploader.model.engine import Link, LinkState

log = logging.getLogger(__name__)

SILENCE = 2.0
"""Seconds without any acknowledgement that raise a suspicion."""
_SUSPENDED_SECONDS = 5.0
_PROBE_SECONDS = 10.0
_SHORTEST_WAIT = 1.0
_WAIT_PER_FALSE_START = 5.0
_MAX_FAILURES = 8
"""Failed transfers in a row, although the service answers, after which the link counts as down: the storage is not
reachable, or fails."""


class Reachable(Protocol):
    """The part of `cloud.contract.Cloud` that `LinkMonitor` uses."""

    async def probe(self) -> None: ...
    async def wait_reachable(self) -> None: ...

    @property
    def connections(self) -> StoreConnections: ...


def is_stalled(connections: Sequence[TcpInfo]) -> bool:
    """Whether data was sent, and none of it has been acknowledged for `SILENCE` seconds."""
    waiting = [each for each in connections if each.unacknowledged]
    return bool(waiting) and all(each.silent > SILENCE for each in waiting)


def was_suspended(wall_passed: float, monotonic_passed: float) -> bool:
    """Whether the machine was suspended, or its clock was set, while this much time passed on its clocks."""
    return wall_passed - monotonic_passed > _SUSPENDED_SECONDS


class LinkMonitor:
    """The state of the link to one cloud."""

    def __init__(
        self,
        cloud: Reachable,
        changed: Callable[[], None],
        came_up: Callable[[], None],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        """`changed` is called when `link` changes; `came_up` when the link is up again after it was down."""
        self._cloud = cloud
        self._changed = changed
        self._came_up = came_up
        self._clock = clock
        self._random = random
        self._probe_now = asyncio.Event()
        self._probing: asyncio.Task[None] | None = None
        self._failures = 0
        self._pauses = 0
        self._false_starts = 0
        self.link = Link()
        self.trouble: UploaderError | None = None
        """Why the link is down."""

    @property
    def down(self) -> bool:
        return self.link.state is LinkState.DOWN

    def seen_up(self) -> None:
        """Note that a transfer succeeded."""
        self._failures = self._pauses = 0
        if self.link.state is not LinkState.UP and self._probing is None:
            self._set(Link(LinkState.UP, since=self._clock()))

    def suspect(self, error: UploaderError) -> None:
        """Note that a transfer failed, and probe the link."""
        self._failures += 1
        self.doubt(error)

    def doubt(self, error: UploaderError) -> None:
        """Probe the link, although no transfer has failed."""
        if self._probing is None or self._probing.done():
            self._cloud.connections.doubt_link()
            self._probing = asyncio.create_task(self._probe(error), name="link-probe")

    def try_now(self) -> None:
        """Probe now: do not wait for the next probe, or for the reply to the current one."""
        self._probe_now.set()

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    async def _probe(self, error: UploaderError) -> None:
        """The edge of the probing task: after any error, probing continues with growing pauses."""
        while True:
            try:
                await self._probe_until_up(error)
                return
            except Exception as fault:
                log.exception("Probing the link failed unexpectedly")
                self._probing = asyncio.current_task()
                await self._stay_down(_unforeseen(fault), watch_host=False)

    async def _probe_until_up(self, error: UploaderError) -> None:
        while not await self._probed():
            await self._stay_down(error)
            self._failures = 0  # the link broke them
        if self._failures >= _MAX_FAILURES:
            await self._stay_down(error, watch_host=False)
            self._failures = 0  # a few transfers may be tried
        self._probing = None
        self._false_starts = 0
        was_down = self.down
        if self.link.state is not LinkState.UP:
            self._set(Link(LinkState.UP, since=self._clock()))
        self._cloud.connections.trust_link(was_gone=was_down)
        if was_down:
            log.info("The link is up.")
            self._came_up()

    async def _stay_down(self, error: UploaderError, *, watch_host: bool = True) -> None:
        """Wait until the next probe: longer each time, but no longer than until the host accepts connections again."""
        wait = max(_SHORTEST_WAIT, backoff(self._pauses, self._random))
        self._pauses += 1
        since = self.link.since if self.down else self._clock()
        if not self.down:
            log.warning("The link is down: %s", error)
        self.trouble = error
        self._set(Link(LinkState.DOWN, since, self._clock() + wait, str(error)))
        self._probe_now.clear()
        watching = asyncio.create_task(self._watch_host(), name="watch-host") if watch_host else None
        try:
            async with asyncio.timeout(wait):
                await self._probe_now.wait()
        except TimeoutError:
            pass
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    async def _watch_host(self) -> None:
        """A nearby proxy or portal accepts connections although the network behind it is down: it is trusted less each
        time that the probe after it fails."""
        await asyncio.sleep(self._false_starts * _WAIT_PER_FALSE_START)
        with contextlib.suppress(UploaderError):
            await self._cloud.wait_reachable()
            self._false_starts += 1
            self._probe_now.set()

    async def _probed(self) -> bool:
        """Whether the cloud replies. `try_now` starts the probe again: the reply may be lost in a network just left."""
        while True:
            self._probe_now.clear()
            probing = asyncio.create_task(self._is_reachable(), name="probe")
            again = asyncio.create_task(self._probe_now.wait(), name="try-now")
            try:
                await asyncio.wait({probing, again}, return_when=asyncio.FIRST_COMPLETED)
                if probing.done():
                    return probing.result()
            finally:
                for task in (probing, again):
                    task.cancel()
                await asyncio.wait({probing, again})

    async def _is_reachable(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._cloud.probe()
        except (LinkError, TimeoutError):
            return False
        except UploaderError:
            return True  # an error is a reply too
        return True

    def _set(self, link: Link) -> None:
        self.link = link
        self._changed()


def _unforeseen(fault: Exception) -> LinkDown:
    return LinkDown(
        f"The engine cannot tell whether the cloud is reachable: unexpected error ({type(fault).__name__}). "
        "It tries again; its log has the details."
    )

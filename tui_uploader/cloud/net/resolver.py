"""Resolve host names without a cache, over a system resolver that may hang."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future

from tui_uploader.cloud.net.sockets import Address, resolve
from tui_uploader.threads import DaemonThreads

_MAX_LOOKUPS = 16
_SHARED_SECONDS = 2.0
"""A lookup that takes longer may be stuck in a network that the machine has left: the next caller starts a new one."""


class Resolver:
    """Resolves names in threads. Nothing is cached: load balancers rotate addresses, and machines change networks.

    Callers that ask for the same name at the same time share a lookup. A system lookup cannot be interrupted, so up to
    `_MAX_LOOKUPS` of them can hang; further callers wait for one of these to return.
    """

    def __init__(self) -> None:
        self._threads = DaemonThreads(_MAX_LOOKUPS, "resolver")
        self._latest: dict[tuple[str, int], tuple[float, Future[Sequence[Address]]]] = {}

    async def addresses(self, host: str, port: int, seconds: float) -> Sequence[Address]:
        """The addresses of a host. Raises TimeoutError after `seconds`, and `socket.gaierror`."""
        lookup = asyncio.wrap_future(self._lookup(host, port))
        # Shielded: other callers may wait for the same lookup.
        return await asyncio.wait_for(asyncio.shield(lookup), seconds)

    def _lookup(self, host: str, port: int) -> Future[Sequence[Address]]:
        now = time.monotonic()
        began, latest = self._latest.get((host, port), (0.0, None))
        if latest is not None and not latest.done() and (now - began < _SHARED_SECONDS or not latest.running()):
            return latest
        lookup = self._threads.submit(resolve, host, port)
        self._latest[host, port] = (now, lookup)
        return lookup

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

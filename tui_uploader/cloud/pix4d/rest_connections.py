"""The kept connections of the REST client, which can be replaced while requests are in progress."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx


@dataclass(eq=False, slots=True)
class _Client:
    http: httpx.AsyncClient
    requests: int = 0


class RestConnections:
    """Replaces whole httpx clients, since httpx cannot close idle connections.

    The old client is closed when its last request has ended.
    """

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._current: _Client | None = None
        self._open: set[_Client] = set()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for one request. Raises the errors of `make`."""
        used = self._current
        if used is None:
            used = self._current = _Client(self._make())
            self._open.add(used)
        used.requests += 1
        try:
            yield used.http
        finally:
            used.requests -= 1
            await self._close_unused()

    async def replace(self) -> None:
        """Open new connections from now on: kept ones may lead to a dead address."""
        self._current = None
        await self._close_unused()

    async def close(self) -> None:
        """Close all clients; requests in progress end."""
        for client in list(self._open):
            await client.http.aclose()

    async def _close_unused(self) -> None:
        for client in [each for each in self._open if each is not self._current and not each.requests]:
            self._open.discard(client)
            await client.http.aclose()

"""Limits of a local HTTP server: how long a request may take to arrive, and how many connections may be open.

uvicorn closes connections that are idle after an answer, but waits forever for the rest of a request: a few hundred
unfinished ones use up the file descriptors of the process.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 256
"""Far more than the front ends of one user open, and a quarter of the usual limit of file descriptors."""
REQUEST_SECONDS = 10.0
"""Seconds from the first byte of a request, or the opening of its connection, to its last byte."""

_log = logging.getLogger(__name__)


class ConnectionLimits:
    """The connections of one server, and their limits."""

    def __init__(self, most: int = MOST_CONNECTIONS, request_seconds: float = REQUEST_SECONDS) -> None:
        self.request_seconds = request_seconds
        self._most = most
        self._open = 0
        self._waiting: dict[LimitedProtocol, None] = {}
        """Connections without a complete request, which can be closed without harm; the longest waiting is first."""

    def opened(self, connection: LimitedProtocol) -> None:
        """Count a connection; above the limit, close the longest waiting one, possibly this one."""
        self._open += 1
        self._waiting[connection] = None
        if self._open > self._most:
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            longest.transport.abort()

    def closed(self, connection: LimitedProtocol) -> None:
        self._open -= 1
        self._waiting.pop(connection, None)

    def busy(self, connection: LimitedProtocol) -> None:
        self._waiting.pop(connection, None)

    def idle(self, connection: LimitedProtocol) -> None:
        self._waiting[connection] = None


class LimitedProtocol(H11Protocol):
    """HTTP/1.1; closes the connection when a request does not arrive in time."""

    def __init__(self, *args: Any, connections: ConnectionLimits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = connections
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()
        self._limits.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._limits.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        answered = self.cycle is None or (self.cycle is before and before.response_complete)
        if self.transport.is_closing():
            return
        if answered or self.cycle.more_body:
            self._start_deadline()
        else:
            self._stop_deadline()
            self._limits.busy(self)

    def on_response_complete(self) -> None:
        if not self.transport.is_closing():
            self._limits.idle(self)
        super().on_response_complete()  # which may begin the next request at once
        if self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body:
            self._limits.busy(self)

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._limits.request_seconds, self._too_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        _log.warning("A request did not arrive within %g s: closed its connection.", self._limits.request_seconds)
        self.transport.abort()

"""The outermost layers of the server: what every reply carries, and what no request may do to us.

uvicorn's own protocol class keeps the transport to itself; ours hands each request the means to cut its connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger(__name__)

_ABORT = "abort_connection"


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose connections a request can cut, see `cut`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # uvicorn copies this into the scope of every request.
        self.app_state = {**self.app_state, _ABORT: transport.abort}


async def cut(scope: Scope, receive: Receive) -> None:
    """Cut the connection at once; what was not sent is never sent."""
    scope["state"][_ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass


class Edge:
    """Dates replies, and turns faults of the program into clean ends."""

    def __init__(self, app: ASGIApp, now: Callable[[], float]) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send, self._now)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            # The server stops and this request took too long; the task ends here, so nobody else needs to know.
            scope["state"][_ABORT]()
        except Exception:
            logger.exception("A request failed: %s %r", scope["method"], scope["path"])
            await exchange.end_badly()


class _Exchange:
    """One request and its reply, as the edge sees them."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, now: Callable[[], float]) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._now = now
        self._body_wanted = False
        self._reply_begun = False

    async def receive(self) -> Message:
        self._body_wanted = True
        return await self._receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._reply_begun = True
            message["headers"] = [*message["headers"], *self._more_headers()]
        await self._send(message)

    def _more_headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"date", formatdate(self._now(), usegmt=True).encode())]
        # Refused before "100 Continue": whether the body comes is now open, so this connection cannot go on.
        if not self._body_wanted and any(name == b"expect" for name, _ in self._scope["headers"]):
            headers.append((b"connection", b"close"))
        return headers

    async def end_badly(self) -> None:
        if self._reply_begun:
            self._scope["state"][_ABORT]()
            return
        await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
        await self.send({"type": "http.response.body", "body": b""})

"""Middleware around both APIs: date replies, answer exceptions with 500, count received bytes.

uvicorn's protocol class does not expose the transport; `AbortableProtocol` lets each request abort its connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tui_uploader.local_cloud.routes import is_rest
from tui_uploader.local_cloud.storage.meter import TrafficMeter

logger = logging.getLogger(__name__)

_ABORT = "abort_connection"


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 whose connections a request can abort with `abort`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # uvicorn copies this into the scope of every request.
        self.app_state = {**self.app_state, _ABORT: transport.abort}


async def abort(scope: Scope, receive: Receive) -> None:
    """Abort the connection at once; unsent data is discarded."""
    scope["state"][_ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass


class ReplyMiddleware:
    """Adds the Date header to replies, and answers exceptions with 500."""

    def __init__(self, app: ASGIApp, now: Callable[[], float]) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = _ReplyState(scope, receive, send, self._now)
        try:
            await self._app(scope, reply.receive, reply.send)
        except asyncio.CancelledError:
            # The server stops and this request took too long. The task ends here, so the error is not raised again.
            scope["state"][_ABORT]()
        except Exception:
            logger.exception("A request failed: %s %r", scope["method"], scope["path"])
            await reply.end_with_error()


class _ReplyState:
    """The state of one reply."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, now: Callable[[], float]) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._now = now
        self._body_wanted = False
        self._begun = False

    async def receive(self) -> Message:
        self._body_wanted = True
        return await self._receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            message["headers"] = [*message["headers"], *self._more_headers()]
        await self._send(message)

    def _more_headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"date", formatdate(self._now(), usegmt=True).encode())]
        # Refused before "100 Continue": whether the client sends the body is unknown, so the connection must close.
        if not self._body_wanted and any(name == b"expect" for name, _ in self._scope["headers"]):
            headers.append((b"connection", b"close"))
        return headers

    async def end_with_error(self) -> None:
        if self._begun:
            self._scope["state"][_ABORT]()
            return
        await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
        await self.send({"type": "http.response.body", "body": b""})


class MeterMiddleware:
    """Counts the bodies of PUTs to S3 as they are received."""

    def __init__(self, app: ASGIApp, meter: TrafficMeter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_and_count() -> Message:
            message = await receive()
            self._meter.count(received=len(message.get("body", b"")))
            return message

        counts = scope["method"] == "PUT" and not is_rest(scope["path"])
        await self._app(scope, receive_and_count if counts else receive, send)

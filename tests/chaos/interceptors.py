"""Interceptors of plain http between engine and cloud: stores that differ from Amazon's, and captive portals.

A scenario starts one when the cloud runs. It routes the engine through itself, and counts in `machine.tampered` the
requests whose replies it forged or changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.chaos.machine import Machine
from tui_uploader.http_server.server import HttpServer
from tui_uploader.local_cloud.middleware import AbortableProtocol, abort
from tui_uploader.local_cloud.routes import Route, is_rest, route_of

Interceptor = Callable[[Machine, random.Random], AbstractAsyncContextManager[None]]

_PAGE = b"<html><head><title>Welcome</title></head><body><form>Voucher code</form></body></html>"
_HOP_BY_HOP = {"connection", "expect", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class ForwardedRequest:
    """A request of the engine."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes | None
    """None for the body of a file, which is forwarded as a stream."""

    @property
    def is_rest(self) -> bool:
        return is_rest(self.path)

    @property
    def route(self) -> Route:
        return route_of(self.method, self.path, self.query)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""
    cut_at: int | None = None
    """Number of bytes of the body after which the connection is aborted; None for no abort."""


Instead = Callable[[ForwardedRequest], Answer | None]
"""The answer to a request that does not reach the cloud; None to forward it."""
Changed = Callable[[ForwardedRequest, Answer], Answer]
"""Changes the cloud's answer."""


@asynccontextmanager
async def direct(machine: Machine, chance: random.Random) -> AsyncIterator[None]:
    """No interceptor."""
    yield


# --------------------------------------------------------------------------------------------------- kinds of stores


@dataclass(frozen=True)
class StoreQuirks:
    """Differences of a store from Amazon S3."""

    refused: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """By header: status and code of the reply to a request with it."""
    plain_complete: bool = False
    """A list of parts with checksums is refused as malformed."""
    unreadable_lists: bool = False
    """Lists of parts are malformed XML."""
    pages: bool = False
    """Every reply is labelled as HTML, the default of many web frameworks."""

    def instead(self, request: ForwardedRequest) -> Answer | None:
        if request.is_rest:
            return None
        for header, (status, code) in self.refused.items():
            if header in request.headers:
                return _refusal(status, code, f"The header {header} is not implemented.")
        if self.plain_complete and request.route is Route.COMPLETE and b"<Checksum" in (request.body or b""):
            return _refusal(400, "MalformedXML", "The XML you provided was not well-formed.")
        if self.unreadable_lists and request.method == "GET" and "uploadId" in request.query:
            return Answer(200, {"content-type": "application/xml"}, b"<ListPartsResult><Part><PartNumber>one</Part>")
        return None

    def changed(self, request: ForwardedRequest, answer: Answer) -> Answer:
        if not self.pages or request.is_rest:
            return answer
        return replace(answer, headers=answer.headers | {"content-type": "text/html; charset=utf-8"})


def _refusal(status: int, code: str, message: str) -> Answer:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, {"content-type": "application/xml"}, text.encode())


def quirky_store(ways: StoreQuirks) -> Interceptor:
    return lambda machine, chance: _through(machine, ways.instead, ways.changed)


# ------------------------------------------------------------------------------------------- networks, over plain http


def portal(pages: float, cuts: float, flips: float) -> Interceptor:
    """Shares of requests that get a login page, and of replies that are cut off or have a bit flipped.

    Replies to a sign-in or to the creation of a project are not damaged: no client could notice that.
    """

    def interceptor(machine: Machine, chance: random.Random) -> AbstractAsyncContextManager[None]:
        def instead(request: ForwardedRequest) -> Answer | None:
            # Without the reply to HEAD, the engine cannot recognise its object and sends a second copy.
            is_answered = request.method != "HEAD" and chance.random() < pages
            return Answer(200, {"content-type": "text/html"}, _PAGE) if is_answered else None

        def changed(request: ForwardedRequest, answer: Answer) -> Answer:
            if chance.random() < cuts:
                return replace(answer, cut_at=chance.randrange(len(answer.body) + 1))
            can_be_checked = not request.is_rest or request.route in (Route.REGISTER, Route.CREDENTIALS)
            if answer.body and can_be_checked and chance.random() < flips:
                return replace(answer, body=_flipped(answer.body, chance.randrange(len(answer.body))))
            return answer

        return _through(machine, instead, changed)

    return interceptor


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# -------------------------------------------------------------------------------------------------- forwarding


@asynccontextmanager
async def _through(machine: Machine, instead: Instead, changed: Changed) -> AsyncIterator[None]:
    """Make the engine sign in here; then the cloud names this address for objects, too."""
    assert machine.login is not None
    cloud = machine.login.cloud_url
    # Without proxies of the environment, and without loading the system's certificates.
    async with httpx.AsyncClient(base_url=cloud, timeout=None, trust_env=False) as http:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            app = _Relay(machine, http, instead, changed)
            server = HttpServer(app, keep_alive=75, last_requests=1, protocol=AbortableProtocol)
            serving = asyncio.create_task(server.serve([listener]))
            await server.listening(serving)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            machine.login = msgspec.structs.replace(machine.login, cloud_url=url)
            try:
                yield
            finally:
                server.stop()
                await serving


class _Relay:
    """An ASGI application that forwards, answers or changes requests."""

    def __init__(self, machine: Machine, http: httpx.AsyncClient, instead: Instead, changed: Changed) -> None:
        self._machine = machine
        self._http = http
        self._instead = instead
        self._changed = changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientDisconnect):
            await self._pass(Request(scope, receive), scope, receive, send)

    async def _pass(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        passing = await _read_request(request)
        answer = self._instead(passing)
        if answer is None:
            try:
                from_cloud = await self._forward(request, passing)
            except httpx.HTTPError:
                await abort(scope, receive)
                return
            answer = self._changed(passing, from_cloud)
            self._machine.tampered += answer is not from_cloud
        else:
            self._machine.tampered += 1
        response = Response(answer.body, answer.status)
        length = [] if "content-length" in answer.headers else [("content-length", str(len(answer.body)))]
        headers = [*answer.headers.items(), *length]
        response.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if answer.cut_at is None:
            await response(scope, receive, send)
            return
        if answer.cut_at:
            await send({"type": "http.response.start", "status": answer.status, "headers": response.raw_headers})
            await send({"type": "http.response.body", "body": answer.body[: answer.cut_at], "more_body": True})
        await abort(scope, receive)

    async def _forward(self, request: Request, passing: ForwardedRequest) -> Answer:
        """Forward a request. Raises httpx.HTTPError when the cloud closes the connection."""
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
        target = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        body = passing.body if passing.body is not None else request.stream()
        url = self._http.base_url.copy_with(raw_path=f"{target}?{query}".rstrip("?").encode())
        reply = await self._http.request(passing.method, url, headers=headers, content=body or None)
        return Answer(
            reply.status_code,
            {name: value for name, value in reply.headers.items() if name not in _HOP_BY_HOP},
            reply.content,
        )


async def _read_request(request: Request) -> ForwardedRequest:
    """Read a request; its body, too, unless that is a file."""
    is_file = request.method == "PUT"
    return ForwardedRequest(
        request.method,
        request.url.path,
        dict(request.query_params),
        request.headers,
        None if is_file else await request.body(),
    )

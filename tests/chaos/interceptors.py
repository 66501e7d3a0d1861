"""Who stands between the engine and the cloud where both speak plain http: stores with peculiar ways, and networks that
answer in the cloud's place.

A scenario opens one of them once the cloud runs. It leads the engine through itself, and counts in `machine.tampered`
the requests whose answers it made or changed.
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

Between = Callable[[Machine, random.Random], AbstractAsyncContextManager[None]]

_PAGE = b"<html><head><title>Welcome</title></head><body><form>Room number</form></body></html>"
_HOP_BY_HOP = {"connection", "expect", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Passing:
    """A request on its way."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes | None
    """None: that of a file, which is passed on unseen."""

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
    told: int | None = None
    """So many bytes of the body arrive before the connection breaks; None: all."""


Instead = Callable[[Passing], Answer | None]
"""The answer that a request gets without reaching the cloud; None: it is passed on."""
Changed = Callable[[Passing, Answer], Answer]
"""What becomes of the cloud's answer."""


@asynccontextmanager
async def nobody(machine: Machine, chance: random.Random) -> AsyncIterator[None]:
    yield


# --------------------------------------------------------------------------------------------------- kinds of stores


@dataclass(frozen=True)
class Ways:
    """In what a store differs from Amazon's."""

    refused: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """By header: what a request with it is answered."""
    plain_complete: bool = False
    """A checksum in the list of parts is malformed."""
    unreadable_lists: bool = False
    """Lists of parts are no document that anybody can read."""
    pages: bool = False
    """Every answer is labelled as HTML, as web frameworks do that were told nothing else."""

    def instead(self, request: Passing) -> Answer | None:
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

    def changed(self, request: Passing, answer: Answer) -> Answer:
        if not self.pages or request.is_rest:
            return answer
        return replace(answer, headers=answer.headers | {"content-type": "text/html; charset=utf-8"})


def _refusal(status: int, code: str, message: str) -> Answer:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, {"content-type": "application/xml"}, text.encode())


def a_store(ways: Ways) -> Between:
    return lambda machine, chance: _through(machine, ways.instead, ways.changed)


# ------------------------------------------------------------------------------------------- networks, over plain http


def portal(pages: float, cuts: float, flips: float) -> Between:
    """Shares of requests that get a page that wants a login, and of answers that break off or lose a bit.

    A changed bit in the answer to a sign-in or to the making of a project is another answer, and no client can know:
    those are left alone.
    """

    def between(machine: Machine, chance: random.Random) -> AbstractAsyncContextManager[None]:
        def instead(request: Passing) -> Answer | None:
            # The answer to HEAD tells whose an object is; without it, a second copy of the file is sent.
            is_told = request.method != "HEAD" and chance.random() < pages
            return Answer(200, {"content-type": "text/html"}, _PAGE) if is_told else None

        def changed(request: Passing, answer: Answer) -> Answer:
            if chance.random() < cuts:
                return replace(answer, told=chance.randrange(len(answer.body) + 1))
            is_telling = not request.is_rest or request.route in (Route.REGISTER, Route.CREDENTIALS)
            if answer.body and is_telling and chance.random() < flips:
                return replace(answer, body=_flipped(answer.body, chance.randrange(len(answer.body))))
            return answer

        return _through(machine, instead, changed)

    return between


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# -------------------------------------------------------------------------------------------------- the plain way


@asynccontextmanager
async def _through(machine: Machine, instead: Instead, changed: Changed) -> AsyncIterator[None]:
    """The engine signs in here, so the cloud names this place for files, too."""
    assert machine.login is not None
    cloud = machine.login.cloud_url
    # A proxy of the environment is none of the cloud's, nor is the wait for the system's certificates.
    async with httpx.AsyncClient(base_url=cloud, timeout=None, trust_env=False) as http:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            app = _Middleman(machine, http, instead, changed)
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


class _Middleman:
    """An ASGI application."""

    def __init__(self, machine: Machine, http: httpx.AsyncClient, instead: Instead, changed: Changed) -> None:
        self._machine = machine
        self._http = http
        self._instead = instead
        self._changed = changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientDisconnect):
            await self._pass(Request(scope, receive), scope, receive, send)

    async def _pass(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        passing = await _looked_at(request)
        answer = self._instead(passing)
        if answer is None:
            try:
                from_cloud = await self._sent_on(request, passing)
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
        if answer.told is None:
            await response(scope, receive, send)
            return
        if answer.told:
            await send({"type": "http.response.start", "status": answer.status, "headers": response.raw_headers})
            await send({"type": "http.response.body", "body": answer.body[: answer.told], "more_body": True})
        await abort(scope, receive)

    async def _sent_on(self, request: Request, passing: Passing) -> Answer:
        """Raises httpx.HTTPError where the cloud breaks the connection."""
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


async def _looked_at(request: Request) -> Passing:
    """With its body, where that is a document rather than a file."""
    is_file = request.method == "PUT"
    return Passing(
        request.method,
        request.url.path,
        dict(request.query_params),
        request.headers,
        None if is_file else await request.body(),
    )

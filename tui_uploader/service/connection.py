"""A front end's requests to the engine's socket, and the one translation of what can go wrong on it.

HTTP by h11, and nothing more: every command and the first frame of the app wait for this module to load, and a client
that speaks to the world takes them longer than all of their own work.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from urllib.parse import quote, urlencode

import h11

from tui_uploader import codec
from tui_uploader.errors import EngineError, EngineGone, UploaderError, UsageError, revived
from tui_uploader.service.instance import trusted_socket
from tui_uploader.service.protocol import HEARTBEAT, VERSION_HEADER, FailureAnswer, version
from tui_uploader.service.socket_file import refuse_foreign
from tui_uploader.service.spawn import not_running, shown_log, silent
from tui_uploader.settings import Directories
from tui_uploader.text import printable

Value = TypeVar("Value")

GREETING_PATIENCE = 5.0
ENGINE_PATIENCE = 30.0
"""Seconds for an answer that the engine has at hand."""
CLOUD_PATIENCE = 180.0
"""Seconds for an answer that the engine must get from the cloud."""

# uvicorn takes 64 KiB for the request line and all headers.
_LONGEST_ADDRESS = 32 * 1024
_READ_SIZE = 64 * 1024
_FIRST_FAILURE = 400


def segment(text: str) -> str:
    """`text` as one segment of a path: slashes, dots and bytes that are no UTF-8 included."""
    return quote(text, safe="", errors="surrogateescape").replace(".", "%2E")


class Connection:
    """Asks the engine; raises errors of `errors` and nothing else.

    Each request has a socket of its own: on one machine that costs nothing, and none can meet a door that just closed.
    """

    def __init__(self, directories: Directories) -> None:
        self._directories = directories

    async def get(
        self,
        path: str,
        shape: type[Value],
        parameters: Mapping[str, str] | None = None,
        *,
        patience: float = ENGINE_PATIENCE,
    ) -> Value:
        query = f"?{urlencode(parameters, errors='surrogateescape')}" if parameters else ""
        return await self._ask("GET", path + query, shape, "", patience)

    async def post(
        self, path: str, shape: type[Value], body: object = None, *, patience: float = ENGINE_PATIENCE
    ) -> Value:
        return await self._ask("POST", path, shape, "" if body is None else codec.to_json(body), patience)

    async def put(self, path: str, shape: type[Value], body: object) -> Value:
        return await self._ask("PUT", path, shape, codec.to_json(body), ENGINE_PATIENCE)

    async def lines(self, path: str) -> AsyncGenerator[bytes, None]:
        """The lines of a stream until the engine ends it; empty ones, which only say that it is alive, are left out."""
        async with self._exchange("GET", path, "", 3 * HEARTBEAT) as exchange:
            if exchange.status >= _FIRST_FAILURE:
                raise _failure(exchange.status, await exchange.whole())
            begun = b""
            async for chunk in exchange.chunks():
                *complete, begun = (begun + chunk).split(b"\n")
                for line in filter(None, complete):
                    yield line

    async def _ask(self, method: str, path: str, shape: type[Value], body: str, patience: float) -> Value:
        async with self._exchange(method, path, body, patience) as exchange:
            content = await exchange.whole()
        if exchange.status >= _FIRST_FAILURE:
            raise _failure(exchange.status, content)
        return understood(content, shape)

    @asynccontextmanager
    async def _exchange(self, method: str, path: str, body: str, patience: float) -> AsyncIterator[_Exchange]:
        """One request, and its answer from the head on. Raises EngineUnreachable, also while the block reads."""
        request = _request(method, path, body)
        socket = trusted_socket(self._directories)
        refuse_foreign(socket.parent)
        try:
            async with asyncio.timeout(GREETING_PATIENCE):
                reader, writer = await asyncio.open_unix_connection(os.fspath(socket))
        except TimeoutError:
            raise silent(self._directories) from None
        except OSError as error:
            raise not_running(self._directories) from error
        exchange = _Exchange(reader, writer, patience)
        try:
            await exchange.begin(request, body.encode())
            yield exchange
        except TimeoutError:
            raise silent(self._directories) from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise EngineGone(
                "The engine ended before it answered; try again, and look into its log,"
                f" {shown_log(self._directories)}, if this repeats itself."
            ) from error
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


class _Exchange:
    """Raises TimeoutError when nothing came for `patience` seconds, OSError, and RemoteProtocolError of h11."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._http = h11.Connection(h11.CLIENT)
        self.status = 0

    async def begin(self, request: h11.Request, body: bytes) -> None:
        """Send the request, and receive the head of the answer."""
        events = (request, h11.Data(body), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        with suppress(ConnectionError):  # whoever refuses a request in the midst of it has answered before
            async with asyncio.timeout(self._patience):
                await self._writer.drain()
        head = await self._next()
        while isinstance(head, h11.InformationalResponse):
            head = await self._next()
        if isinstance(head, h11.Response):
            self.status = head.status_code

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def whole(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def _next(self) -> h11.Event:
        while not isinstance(event := self._http.next_event(), h11.Event):
            async with asyncio.timeout(self._patience):
                self._http.receive_data(await self._reader.read(_READ_SIZE))
        return event


def _request(method: str, path: str, body: str) -> h11.Request:
    """Raises UsageError: what is asked for does not fit into an address."""
    if len(path) > _LONGEST_ADDRESS:
        raise UsageError("The text is too long to look for; use a shorter one.")
    headers = [("host", "engine"), (VERSION_HEADER, version()), ("connection", "close")]
    if body:
        headers += [("content-type", "application/json")]
    if body or method == "POST":
        headers += [("content-length", str(len(body)))]
    return h11.Request(method=method, target=path, headers=headers)


def understood(text: str | bytes, shape: type[Value]) -> Value:
    """Raises EngineError when an answer is not of `shape`."""
    try:
        return codec.from_json(text, shape)
    except codec.Malformed as error:
        raise EngineError(f"The engine's answer is not what it should be ({printable(str(error), 200)}).") from error


def _failure(status: int, body: bytes) -> UploaderError:
    try:
        failure = codec.from_json(body, FailureAnswer).error
    except codec.Malformed:
        return EngineError(f"The engine answered with HTTP {status} and no reason.")
    return revived(failure.kind, failure.message)

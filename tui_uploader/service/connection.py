"""Requests of front ends to the engine's socket, and the translation of all failures to `errors`.

It uses h11 alone: every command and the first frame of the app wait for this module, and a general HTTP client takes
longer to import than they take to run.
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
from tui_uploader.service.instance import trusted_socket_path
from tui_uploader.service.protocol import HEARTBEAT, VERSION_HEADER, FailureAnswer, version
from tui_uploader.service.socket_file import refuse_untrusted
from tui_uploader.service.spawn import log_text, not_answering, not_running
from tui_uploader.settings import Directories
from tui_uploader.text import printable

T = TypeVar("T")

GREETING_PATIENCE = 5.0
ENGINE_PATIENCE = 30.0
"""Seconds for an answer that the engine has available."""
CLOUD_PATIENCE = 180.0
"""Seconds for an answer that the engine must get from the cloud."""

# uvicorn accepts 64 KiB for the request line and all headers.
_LONGEST_ADDRESS = 32 * 1024
_READ_SIZE = 64 * 1024
_FIRST_FAILURE = 400


def path_segment(text: str) -> str:
    """Quote `text` as one segment of a path, including slashes, dots and bytes that are not UTF-8."""
    return quote(text, safe="", errors="surrogateescape").replace(".", "%2E")


class EngineConnection:
    """Sends requests to the engine; raises only errors of `errors`.

    Each request opens its own connection: locally that costs nothing, and a kept one could have been closed meanwhile.
    """

    def __init__(self, directories: Directories) -> None:
        self._directories = directories

    async def get(
        self,
        path: str,
        shape: type[T],
        parameters: Mapping[str, str] | None = None,
        *,
        patience: float = ENGINE_PATIENCE,
    ) -> T:
        query = f"?{urlencode(parameters, errors='surrogateescape')}" if parameters else ""
        return await self._ask("GET", path + query, shape, "", patience)

    async def post(self, path: str, shape: type[T], body: object = None, *, patience: float = ENGINE_PATIENCE) -> T:
        return await self._ask("POST", path, shape, "" if body is None else codec.to_json(body), patience)

    async def put(self, path: str, shape: type[T], body: object) -> T:
        return await self._ask("PUT", path, shape, codec.to_json(body), ENGINE_PATIENCE)

    async def lines(self, path: str) -> AsyncGenerator[bytes, None]:
        """The lines of a stream until the engine ends it, without the empty ones that it sends as signs of life."""
        async with self._exchange("GET", path, "", 3 * HEARTBEAT) as exchange:
            if exchange.status >= _FIRST_FAILURE:
                raise _error_of(exchange.status, await exchange.whole())
            begun = b""
            async for chunk in exchange.chunks():
                *complete, begun = (begun + chunk).split(b"\n")
                for line in filter(None, complete):
                    yield line

    async def pieces(self, path: str, *, patience: float = ENGINE_PATIENCE) -> AsyncGenerator[bytes, None]:
        """An answer that is not JSON and may be large, as it arrives."""
        async with self._exchange("GET", path, "", patience) as exchange:
            if exchange.status >= _FIRST_FAILURE:
                raise _error_of(exchange.status, await exchange.whole())
            async for chunk in exchange.chunks():
                yield chunk

    async def _ask(self, method: str, path: str, shape: type[T], body: str, patience: float) -> T:
        async with self._exchange(method, path, body, patience) as exchange:
            content = await exchange.whole()
        if exchange.status >= _FIRST_FAILURE:
            raise _error_of(exchange.status, content)
        return decode_answer(content, shape)

    @asynccontextmanager
    async def _exchange(self, method: str, path: str, body: str, patience: float) -> AsyncIterator[_HttpExchange]:
        """Send a request and read the head of its answer. Raises EngineUnreachable, also during the block."""
        request = _request(method, path, body)
        socket = trusted_socket_path(self._directories)
        refuse_untrusted(socket.parent)
        try:
            async with asyncio.timeout(GREETING_PATIENCE):
                reader, writer = await asyncio.open_unix_connection(os.fspath(socket))
        except TimeoutError:
            raise not_answering(self._directories) from None
        except OSError as error:
            raise not_running(self._directories) from error
        exchange = _HttpExchange(reader, writer, patience)
        try:
            await exchange.begin(request, body.encode())
            yield exchange
        except TimeoutError:
            raise not_answering(self._directories) from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise EngineGone(
                "The engine stopped before it answered. Try again. If this happens again, see its log,"
                f" {log_text(self._directories)}."
            ) from error
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


class _HttpExchange:
    """One request and its answer.

    Methods raise TimeoutError when nothing arrives for `patience` seconds, OSError, and h11.RemoteProtocolError.
    """

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
        with suppress(ConnectionError):  # an engine that refuses a request early has answered already
            async with asyncio.timeout(self._patience):
                await self._writer.drain()
        head = await self._next()
        while isinstance(head, h11.InformationalResponse):
            head = await self._next()
        if isinstance(head, h11.Response):
            self.status = head.status_code

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it arrives."""
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
    """Raises UsageError when the path is too long."""
    if len(path) > _LONGEST_ADDRESS:
        raise UsageError("The search text is too long. Use a shorter one.")
    headers = [("host", "engine"), (VERSION_HEADER, version()), ("connection", "close")]
    if body:
        headers += [("content-type", "application/json")]
    if body or method == "POST":
        headers += [("content-length", str(len(body)))]
    return h11.Request(method=method, target=path, headers=headers)


def decode_answer(text: str | bytes, shape: type[T]) -> T:
    """Decode an answer. Raises EngineError when it does not have `shape`."""
    try:
        return codec.from_json(text, shape)
    except codec.Malformed as error:
        raise EngineError(f"Invalid answer from the engine ({printable(str(error), 200)}).") from error


def _error_of(status: int, body: bytes) -> UploaderError:
    try:
        failure = codec.from_json(body, FailureAnswer).error
    except codec.Malformed:
        return EngineError(f"The engine answered with HTTP {status} without a reason.")
    return revived(failure.kind, failure.message)

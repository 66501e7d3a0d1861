"""One HTTP connection pool to the engine's socket, and the one translation of what can go wrong on it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

import httpx

from tui_uploader import codec
from tui_uploader.errors import EngineError, EngineUnreachable, UploaderError, UsageError, revived
from tui_uploader.service.protocol import HEARTBEAT, VERSION_HEADER, FailureAnswer, version
from tui_uploader.service.spawn import silent
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
# Well under the time after which the engine closes a connection, or a request could meet a closed door.
_KEEP_ALIVE = 2.0


def segment(text: str) -> str:
    """`text` as one segment of a path: slashes, dots and bytes that are no UTF-8 included."""
    return quote(text, safe="", errors="surrogateescape").replace(".", "%2E")


class Connection:
    """Asks the engine; raises errors of `errors` and nothing else."""

    def __init__(self, directories: Directories) -> None:
        self._directories = directories
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=os.fspath(directories.socket),
                verify=False,  # there is no TLS here, and the list of authorities takes 20 ms to read
                limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE),
            ),
            headers={VERSION_HEADER: version()},
            trust_env=False,  # a proxy of the environment is for the cloud
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(
        self,
        path: str,
        shape: type[Value],
        parameters: Mapping[str, str] | None = None,
        *,
        patience: float = ENGINE_PATIENCE,
    ) -> Value:
        query = f"?{urlencode(parameters, errors='surrogateescape')}" if parameters else ""
        return await self._ask("GET", path + query, shape, None, patience)

    async def post(
        self, path: str, shape: type[Value], body: object = None, *, patience: float = ENGINE_PATIENCE
    ) -> Value:
        return await self._ask("POST", path, shape, None if body is None else codec.to_json(body), patience)

    async def lines(self, path: str) -> AsyncGenerator[str, None]:
        """The lines of a stream until the engine ends it; empty ones, which only say that it is alive, are left out."""
        try:
            async with self._http.stream("GET", _address(path), timeout=_timeout(3 * HEARTBEAT)) as answer:
                if answer.is_error:
                    raise _failure(answer.status_code, await answer.aread())
                async for line in answer.aiter_lines():
                    if line:
                        yield line
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def _ask(self, method: str, path: str, shape: type[Value], body: str | None, patience: float) -> Value:
        headers = {"content-type": "application/json"} if body else None
        try:
            answer = await self._http.request(
                method, _address(path), content=body, headers=headers, timeout=_timeout(patience)
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.is_error:
            raise _failure(answer.status_code, answer.content)
        return understood(answer.content, shape)

    def _unreachable(self, error: httpx.TransportError) -> EngineUnreachable:
        if isinstance(error, httpx.TimeoutException):
            return silent(self._directories)
        if isinstance(error, httpx.ConnectError):
            return not_running(self._directories)
        return EngineUnreachable(
            "The engine ended before it answered; try again, and look into its log,"
            f" {printable(os.fspath(self._directories.log))}, if this repeats itself."
        )


def not_running(directories: Directories) -> EngineUnreachable:
    return EngineUnreachable(
        f"No engine runs: nobody listens at {printable(os.fspath(directories.socket))}; any upload starts one."
    )


def understood(text: str | bytes, shape: type[Value]) -> Value:
    """Raises EngineError when an answer is not of `shape`."""
    try:
        return codec.from_json(text, shape)
    except codec.Malformed as error:
        raise EngineError(f"The engine's answer is not what it should be ({printable(str(error), 200)}).") from error


def _address(path: str) -> str:
    """Raises UsageError: what is asked for does not fit into an address."""
    if len(path) > _LONGEST_ADDRESS:
        raise UsageError("The text is too long to look for; use a shorter one.")
    return f"http://engine{path}"


def _timeout(patience: float) -> httpx.Timeout:
    return httpx.Timeout(patience, connect=GREETING_PATIENCE)


def _failure(status: int, body: bytes) -> UploaderError:
    try:
        failure = codec.from_json(body, FailureAnswer).error
    except codec.Malformed:
        return EngineError(f"The engine answered with HTTP {status} and no reason.")
    return revived(failure.kind, failure.message)

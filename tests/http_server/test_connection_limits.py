"""Hundreds of connections whose requests never arrive are closed, and others are answered meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.until import until
from tui_uploader.http_server.connection_limits import ConnectionLimits
from tui_uploader.http_server.server import HttpServer

HALF = {
    "nothing": b"",
    "line": b"GET / HT",
    "head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12",
}
WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


@contextlib.asynccontextmanager
async def serving(path: Path, connections: ConnectionLimits) -> AsyncIterator[Path]:
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    server = HttpServer(app, keep_alive=30, last_requests=1, connections=connections)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening(task)
        try:
            yield path
        finally:
            server.stop()
            await task


async def opened(path: Path, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    return reader, writer


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return await reader.readexactly(2)


@pytest.mark.parametrize("half", HALF)
@pytest.mark.parametrize("after", [b"", WHOLE], ids=["first", "second"])
async def test_a_request_that_does_not_arrive_ends_its_connection(tmp_path: Path, half: str, after: bytes) -> None:
    if half == "nothing" and after:
        pytest.skip("an idle connection is kept for the next request")
    async with serving(tmp_path / "s", ConnectionLimits(request_seconds=0.2)) as path:
        reader, writer = await opened(path, after)
        if after:
            assert await answer(reader) == b"ab"
        writer.write(HALF[half])
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_a_request_that_arrives_slowly_is_cut_off(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ConnectionLimits(request_seconds=0.2)) as path:
        _, writer = await opened(path, b"")
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                writer.write(b"G")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()


async def test_a_complete_request_has_no_time_limit(tmp_path: Path) -> None:
    others_closed = asyncio.Event()

    async def slow(request: Request) -> PlainTextResponse:
        await request.body()
        await others_closed.wait()
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", slow, methods=["POST"])])
    server = HttpServer(app, keep_alive=30, last_requests=1, connections=ConnectionLimits(2, request_seconds=0.1))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening(task)
        reader, writer = await opened(tmp_path / "s", WHOLE)
        others = [await opened(tmp_path / "s", b"GET / HT") for _ in range(5)]
        for other, _ in others:
            with contextlib.suppress(ConnectionResetError):
                assert await other.read() == b""
        others_closed.set()
        assert await answer(reader) == b"ok", "it is not the one that is closed"
        for _, each in (*others, (reader, writer)):
            each.close()
        server.stop()
        await task


def raised_limit() -> int:
    """Raise the limit of file descriptors for the test's own ends of the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    return soft


async def test_1500_half_open_connections_do_not_block_others(tmp_path: Path) -> None:
    before = raised_limit()
    halves = list(HALF.values())
    held = []
    try:
        async with serving(tmp_path / "s", ConnectionLimits(most=64)) as path:
            for number in range(1500):
                held.append(await opened(path, halves[number % len(halves)]))
                if number % 100 == 99:
                    reader, writer = await opened(path, WHOLE)
                    assert await answer(reader) == b"ab"
                    writer.close()
            await until(lambda: sum(reader.at_eof() or reader.exception() is not None for reader, _ in held) >= 1400)
            for _, writer in held:
                writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


async def test_the_longest_idle_connection_is_closed(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ConnectionLimits(most=3)) as path:
        kept = [await opened(path, WHOLE) for _ in range(3)]
        assert [await answer(reader) for reader, _ in kept] == [b"ab"] * 3
        more = await opened(path, WHOLE)
        assert await answer(more[0]) == b"ab"
        assert await kept[0][0].read() == b"", "the longest idle one was closed"
        for _, writer in (*kept, more):
            writer.close()

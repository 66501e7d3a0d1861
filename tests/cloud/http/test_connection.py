"""Sending bodies to servers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.servers import CERTIFICATE, Call, Hangup, Server, in_turn, serving
from tests.until import until
from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.net.sockets import limit_silence
from tui_uploader.errors import (
    LinkDown,
    LinkError,
    LinkStalled,
    NotTheService,
    SourceChanged,
    TrustFailed,
)
from tui_uploader.settings import Settings

QUICK = Deadlines(connect=2.0, stall=0.6, reply=0.6)
SETTINGS = Settings(ca_file=CERTIFICATE)
BIG = 24 * 1024**2
"""More than both ends of a loopback connection buffer."""


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    pool = ConnectionPool(SETTINGS, QUICK)
    yield pool
    await pool.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[ByteRange]:
    """A whole file of `BIG` bytes."""
    path = tmp_path / "DJI_0001.JPG"
    path.write_bytes(os.urandom(1024**2) * (BIG // 1024**2))
    with path.open("rb", buffering=0) as file:
        yield ByteRange(file, 0, BIG, 0)


def bytes_of(span: ByteRange) -> bytes:
    return os.pread(span.file.fileno(), span.length, span.offset)


def put(body: bytes | ByteRange, target: str = "/bucket/name") -> Request:
    return Request("PUT", target, [("Host", "test")], body, reply_timeout=QUICK.reply)


def origin(server: Server, host: str = "127.0.0.1") -> Origin:
    return Origin(server.url.startswith("https"), host, server.port)


def accept(call: Call) -> None:
    call.read_body()
    call.reply(200, ETag='"1"')


@pytest.mark.parametrize("tls", [False, True])
async def test_every_byte_of_a_range_arrives_and_the_last_report_is_its_length(
    pool: ConnectionPool, source: ByteRange, tls: bool
) -> None:
    part = ByteRange(source.file, 1_000_003, 9_999_991, 0)
    reports: list[int] = []
    with serving(accept, tls=tls) as server:
        reply = await pool.exchange(origin(server), put(part), reports.append)
    assert (reply.status, reply.headers["etag"]) == (200, '"1"')
    assert server.calls[0].body == bytes_of(part)
    assert reports == sorted(reports) and reports[-1] == part.length


async def test_a_file_system_without_sendfile_is_read_through_a_buffer(
    pool: ConnectionPool, source: ByteRange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sendfile", refuse)
    with serving(accept) as server:
        await pool.exchange(origin(server), put(source), lambda _: None)
    assert server.calls[0].body == bytes_of(source)


@pytest.mark.parametrize("tls", [False, True])
async def test_connections_are_reused(pool: ConnectionPool, tls: bool) -> None:
    with serving(accept, tls=tls) as server:
        for _ in range(3):
            await pool.exchange(origin(server), put(b"abc"))
    assert [call.connection for call in server.calls] == [0, 0, 0]


async def test_a_connection_that_the_server_closes_is_not_reused(pool: ConnectionPool) -> None:
    def last(call: Call) -> None:
        call.read_body()
        call.reply(200, connection="close")

    with serving(last) as server:
        for _ in range(2):
            await pool.exchange(origin(server), put(b"abc"))
    assert [call.connection for call in server.calls] == [0, 1]


async def test_an_idle_connection_that_was_closed_is_replaced(pool: ConnectionPool) -> None:
    def once(call: Call) -> None:
        accept(call)
        call.close()

    with serving(once) as server:
        for _ in range(3):
            reply = await pool.exchange(origin(server), put(b"abc"))
            assert reply.ok
            await until(lambda: server.connections == 0)
            assert not reply.repeated
    assert [call.connection for call in server.calls] == [0, 1, 2]


async def test_unused_connections_are_closed(pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_uploader.cloud.http.pool._MAX_IDLE_SECONDS", 0.1)
    with serving(accept) as server:
        await pool.exchange(origin(server), put(b"abc"))
        assert server.connections == 1
        await until(lambda: server.connections == 0)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_connection_that_dies_at_its_second_request_is_replaced_once(
    pool: ConnectionPool, source: ByteRange, tls: bool
) -> None:
    def gone(call: Call) -> None:
        call.read(100)
        call.reset()

    reports: list[int] = []
    with serving(in_turn(accept, gone, accept), tls=tls) as server:
        first = await pool.exchange(origin(server), put(b"abc"))
        reply = await pool.exchange(origin(server), put(source), reports.append)
    assert reply.ok
    assert (first.repeated, reply.repeated) == (False, True)
    assert server.calls[-1].body == bytes_of(source)
    assert 0 in reports and reports[-1] == source.length


@pytest.mark.parametrize("tls", [False, True])
async def test_a_new_connection_that_breaks_during_a_body_is_a_link_error(
    pool: ConnectionPool, source: ByteRange, tls: bool
) -> None:
    def gone(call: Call) -> None:
        call.read(1_000_000)
        call.reset()

    with serving(gone, tls=tls) as server, pytest.raises(LinkDown, match=r"127\.0\.0\.1"):
        await pool.exchange(origin(server), put(source), lambda _: None)
    assert len(server.calls) == 1


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("closes", [False, True])
async def test_an_early_refusal_stops_the_body_and_is_read(
    pool: ConnectionPool, source: ByteRange, tls: bool, closes: bool
) -> None:
    """Whether the server closes the connection, which resets it, or leaves it open."""
    received, arrived = threading.Event(), 0

    def refuse(call: Call) -> None:
        nonlocal arrived
        call.read(300_000)
        call.error(403, "AccessDenied")
        if not closes:
            received.wait(20)
            with contextlib.suppress(Hangup, OSError):
                while call.read(1000):
                    arrived += 1000
        call.close()

    with serving(refuse, tls=tls) as server:
        reply = await pool.exchange(origin(server), put(source), lambda _: None)
        received.set()
        assert reply.status == 403 and b"AccessDenied" in reply.body
    assert arrived < BIG - 1_000_000


async def test_success_before_the_end_of_the_body_is_an_error(pool: ConnectionPool, source: ByteRange) -> None:
    done = threading.Event()

    def succeed(call: Call) -> None:
        call.read(1000)
        call.reply(200, ETag='"1"')
        done.wait(20)
        call.close()

    with serving(succeed) as server:
        with pytest.raises(NotTheService):
            await pool.exchange(origin(server), put(source), lambda _: None)
        done.set()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_server_that_stops_reading_is_a_stall(pool: ConnectionPool, source: ByteRange, tls: bool) -> None:
    enough = threading.Event()

    def stop(call: Call) -> None:
        call.read(100_000)
        enough.wait(10)

    reports: list[int] = []
    with serving(stop, tls=tls) as server:
        with pytest.raises(LinkStalled, match=r"stalled: no data for 0\.6 s"):
            await pool.exchange(origin(server), put(source), reports.append)
        enough.set()
    assert max(reports) < BIG


@pytest.mark.parametrize("tls", [False, True])
async def test_a_slow_transfer_that_moves_is_never_cut(pool: ConnectionPool, source: ByteRange, tls: bool) -> None:
    """It takes several times the stall deadline."""

    def sip(call: Call) -> None:
        left = call.length
        while left:
            step = min(left, 2 * 1024**2)
            call.read(step)
            left -= step
            threading.Event().wait(0.15)
        call.reply(200, ETag='"1"')

    began = time.monotonic()
    with serving(sip, tls=tls) as server:
        assert (await pool.exchange(origin(server), put(source), lambda _: None)).ok
    assert time.monotonic() - began > 2 * QUICK.stall


async def test_a_missing_reply_is_a_stall(pool: ConnectionPool) -> None:
    enough = threading.Event()
    with serving(lambda call: (call.read_body(), enough.wait(10), None)[2]) as server:
        with pytest.raises(LinkStalled):
            await pool.exchange(origin(server), put(b"abc"))
        enough.set()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 2",
        b"",
    ],
)
async def test_a_truncated_reply_is_an_error(pool: ConnectionPool, answer: bytes) -> None:
    def cut(call: Call) -> None:
        call.read_body()
        call.raw(answer)
        call.close()

    with serving(cut) as server, pytest.raises(LinkError):
        await pool.exchange(origin(server), put(b"abc"))


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n"])
async def test_a_server_that_does_not_speak_http_is_not_the_service(pool: ConnectionPool, answer: bytes) -> None:
    def babble(call: Call) -> None:
        call.read_body()
        call.raw(answer)
        call.close()

    with serving(babble) as server, pytest.raises(NotTheService):
        await pool.exchange(origin(server), put(b"abc"))


async def test_a_chunked_reply_is_read_and_the_connection_kept(pool: ConnectionPool) -> None:
    def chunked(call: Call) -> None:
        call.read_body()
        call.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")

    with serving(chunked) as server:
        for _ in range(2):
            assert (await pool.exchange(origin(server), put(b""))).body == b"hello"
    assert [call.connection for call in server.calls] == [0, 0]


async def test_a_file_that_became_shorter_is_reported(pool: ConnectionPool, tmp_path: Path) -> None:
    path = tmp_path / "DJI\x1b_0002.JPG"
    path.write_bytes(b"x" * 1000)
    with path.open("rb", buffering=0) as file, serving(accept) as server, pytest.raises(SourceChanged) as caught:
        await pool.exchange(origin(server), put(ByteRange(file, 0, 2000, 0)), lambda _: None)
    assert "DJI\\x1b_0002.JPG" in caught.value.message


@pytest.mark.parametrize("tls", [False, True])
async def test_cancelling_ends_the_transfer_before_it_returns(source: ByteRange, tls: bool) -> None:
    """With deadlines of minutes."""
    pool = ConnectionPool(SETTINGS, Deadlines())
    enough, started = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stuck(call: Call) -> None:
        call.read(100_000)
        enough.wait(10)

    with serving(stuck, tls=tls) as server:

        def sent(_: int) -> None:
            loop.call_soon_threadsafe(started.set)

        task = asyncio.create_task(pool.exchange(origin(server), put(source), sent))
        await asyncio.wait_for(started.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sending_threads() == 0
        enough.set()
    await pool.close()


def sending_threads() -> int:
    """The number of pool threads inside an exchange."""
    import sys

    frames = sys._current_frames()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    busy = 0
    for ident, frame in frames.items():
        inside = frame
        while names.get(ident, "").startswith("store") and inside is not None:
            busy += inside.f_code.co_name == "exchange"
            inside = inside.f_back  # type: ignore[assignment]
    return busy


async def test_data_queued_by_a_cut_transfer_is_not_sent(pool: ConnectionPool, source: ByteRange) -> None:
    """The kernel would send it alongside the next attempt when the link is back."""
    begun, cut = threading.Event(), threading.Event()
    ends: list[type[Exception]] = []

    def swallow(call: Call) -> None:
        begun.set()
        cut.wait(20)
        try:
            while True:
                call.read(64 * 1024)
        except (Hangup, ConnectionResetError) as end:
            ends.append(type(end))

    with serving(swallow) as server:
        sending = asyncio.create_task(pool.exchange(origin(server), put(source)))
        await until(begun.is_set)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        cut.set()
        await until(lambda: bool(ends))
    assert ends == [ConnectionResetError]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such limit")
async def test_the_kernel_waits_longer_than_our_deadlines_while_sending(
    pool: ConnectionPool, source: ByteRange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit of 20 s ended transfers that were recovering from losses, the kernel's 14 s those in short outages."""
    limits: list[int] = []
    while_sending: list[int] = []
    may_reply = threading.Event()

    def observed(sock: socket.socket, *, all_arrived: bool = False) -> None:
        limit_silence(sock, all_arrived=all_arrived)
        limits.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))

    def look(call: Call) -> None:
        while_sending.append(limits[-1])
        call.read_body()
        may_reply.wait(20)
        call.reply()

    monkeypatch.setattr("tui_uploader.cloud.http.connection.limit_silence", observed)
    with serving(look) as server:
        sending = asyncio.create_task(pool.exchange(origin(server), replace(put(source), reply_timeout=20.0)))
        await until(lambda: limits and limits[-1] == 20_000)
        may_reply.set()
        await sending
        await pool.exchange(origin(server), put(source))
    assert while_sending == [120_000, 120_000]


async def test_closing_the_pool_ends_transfers_in_progress(source: ByteRange) -> None:
    pool = ConnectionPool(SETTINGS, Deadlines())
    enough, started = threading.Event(), threading.Event()

    def stuck(call: Call) -> None:
        call.read(100_000)
        started.set()
        enough.wait(10)

    with serving(stuck) as server:
        task = asyncio.create_task(pool.exchange(origin(server), put(source), lambda _: None))
        await asyncio.to_thread(started.wait, 20)
        await pool.close()
        with pytest.raises(LinkDown):
            await asyncio.wait_for(task, 20)
        with pytest.raises(LinkDown):
            await pool.exchange(origin(server), put(b"late"))
        enough.set()


async def test_a_port_without_a_listener(pool: ConnectionPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LinkDown, match="refused the connection"):
        await pool.exchange(Origin(False, "127.0.0.1", port), put(b""))


async def test_a_name_that_does_not_exist(pool: ConnectionPool) -> None:
    with pytest.raises(LinkDown, match=r"nowhere\.invalid"):
        await pool.exchange(Origin(True, "nowhere.invalid", 443), put(b""))


async def test_an_untrusted_server_is_refused() -> None:
    pool = ConnectionPool(Settings(), QUICK)
    with serving(accept, tls=True) as server, pytest.raises(TrustFailed, match="ca_file"):
        await pool.exchange(origin(server), put(b""))
    assert server.calls == []
    await pool.close()


async def test_plain_http_where_tls_was_expected(pool: ConnectionPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def portal() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(1000)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=portal)
        thread.start()
        with pytest.raises(NotTheService):
            await pool.exchange(Origin(True, "127.0.0.1", listener.getsockname()[1]), put(b""))
        thread.join(5)


async def test_a_stalled_handshake(pool: ConnectionPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        slow = ConnectionPool(SETTINGS, Deadlines(connect=0.4))
        with pytest.raises(LinkStalled):
            await slow.exchange(Origin(True, "127.0.0.1", listener.getsockname()[1]), put(b""))
        await slow.close()


def test_a_header_cannot_break_out_of_its_line() -> None:
    with pytest.raises(ValueError, match="line break"):
        Request("PUT", "/", [("x-token", "a\r\nx-evil: b")]).head()


async def test_concurrent_streams_keep_their_bodies_apart(pool: ConnectionPool, source: ByteRange) -> None:
    spans = [ByteRange(source.file, index * 300_007, 300_007 + index, 0) for index in range(40)]
    with serving(accept) as server:
        await asyncio.gather(*(pool.exchange(origin(server), put(span), lambda _: None) for span in spans))
    expected = sorted(zlib.crc32(bytes_of(span)) for span in spans)
    assert sorted(zlib.crc32(call.body or b"") for call in server.calls) == expected


async def test_the_next_body_may_begin_before_the_reply_to_this_one(pool: ConnectionPool, tmp_path: Path) -> None:
    path = tmp_path / "DJI_0001.JPG"
    path.write_bytes(bytes(1024))
    begun = threading.Event()

    def answer_later(call: Call) -> None:
        call.read_body()
        assert begun.wait(20)
        call.reply(200)

    with serving(answer_later) as server, path.open("rb", buffering=0) as file:
        assert (await pool.exchange(origin(server), put(ByteRange(file, 0, 1024, 0, begun.set)))).ok

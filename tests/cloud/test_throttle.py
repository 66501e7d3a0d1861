"""The shared rate limit: threads that wait for their share, and bodies that are sent through it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cloud.servers import CERTIFICATE, Call, Hangup, Server, serving
from tests.until import until
from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.throttle import Throttle
from tui_uploader.settings import Settings

KIB, MIB = 1024, 1024**2
_DEADLINE = 30.0
_STALL = 0.6


def never() -> bool:
    return False


def test_without_a_limit_everything_is_granted_at_once_and_counted() -> None:
    throttle = Throttle()
    assert [throttle.take(count, never) for count in (MIB, 3)] == [MIB, 3]
    assert throttle.passed == MIB + 3


@pytest.mark.parametrize("threads", [1, 8])
def test_a_limit_holds_for_all_threads_together_and_each_gets_its_share(threads: int) -> None:
    throttle, rate, seconds = Throttle(), 4_000_000, 1.0
    throttle.rate = rate
    begun = time.monotonic()

    def send() -> int:
        sent = 0
        while time.monotonic() - begun < seconds:
            sent += throttle.take(256 * KIB, never)
        return sent

    with ThreadPoolExecutor(threads) as pool:
        shares = [job.result(_DEADLINE) for job in [pool.submit(send) for _ in range(threads)]]
    elapsed = time.monotonic() - begun
    assert sum(shares) == throttle.passed
    assert throttle.passed <= rate * (elapsed + 0.25) + 200_000
    assert min(shares) > 0  # how even they are depends on the machine's scheduler


@pytest.mark.parametrize("cap", [0, 1000])
def test_waiting_threads_continue_when_the_limit_is_lifted(cap: int) -> None:
    throttle = Throttle()
    throttle.rate = cap
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(throttle.take, MIB, never) for _ in range(8)]
        throttle.rate = None
        assert max(job.result(_DEADLINE) for job in waiting) == MIB


def test_a_cut_connection_stops_waiting() -> None:
    throttle, cut = Throttle(), threading.Event()
    throttle.rate = 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(throttle.take, MIB, cut.is_set)
        cut.set()
        throttle.wake()
        assert waiting.result(_DEADLINE) == 0
    assert throttle.passed == 0


def test_grants_under_a_tiny_limit_are_small() -> None:
    throttle = Throttle()
    throttle.rate = 10_000
    assert throttle.take(MIB, never) == 500
    throttle.rate = 1000
    assert throttle.take(MIB, never) == 256
    assert throttle.take(7, never) == 7


# -------------------------------------------------------------------------------------------- bodies through it


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    pool = ConnectionPool(Settings(ca_file=CERTIFICATE), Deadlines(connect=5.0, stall=_STALL, reply=_DEADLINE))
    yield pool
    await pool.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[ByteRange]:
    path = tmp_path / "DJI_0001.JPG"
    path.write_bytes(os.urandom(MIB))
    with path.open("rb", buffering=0) as file:
        yield ByteRange(file, 0, MIB, 0)


def put(body: ByteRange) -> Request:
    return Request("PUT", "/bucket/name", [("Host", "test")], body, reply_timeout=_DEADLINE)


def origin(server: Server) -> Origin:
    return Origin(server.url.startswith("https"), "127.0.0.1", server.port)


def accept(call: Call) -> None:
    call.read_body()
    call.reply(200)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_body_arrives_complete_at_the_limited_rate(pool: ConnectionPool, source: ByteRange, tls: bool) -> None:
    pool.throttle.rate = MIB
    begun = time.monotonic()
    with serving(accept, tls=tls) as server:
        await pool.exchange(origin(server), put(source), lambda _: None)
    assert time.monotonic() - begun > 0.5
    assert server.calls[0].body == os.pread(source.file.fileno(), MIB, 0)
    assert pool.throttle.passed == MIB


async def test_waiting_for_the_rate_limit_is_not_a_stall(pool: ConnectionPool, source: ByteRange) -> None:
    """Although nothing moves for longer than the stall deadline."""
    pool.throttle.rate = 0
    with serving(accept) as server:
        sending = asyncio.create_task(pool.exchange(origin(server), put(source), lambda _: None))
        await until(lambda: server.calls)
        await asyncio.wait({sending}, timeout=2 * _STALL)
        assert not sending.done()
        pool.throttle.rate = None
        assert (await asyncio.wait_for(sending, _DEADLINE)).ok


@pytest.mark.parametrize("tls", [False, True])
async def test_a_transfer_that_waits_for_the_rate_limit_can_be_cancelled(
    pool: ConnectionPool, source: ByteRange, tls: bool
) -> None:
    def hang_up(call: Call) -> None:
        with pytest.raises(Hangup):
            call.read_body()
        call.close()

    pool.throttle.rate = 0
    with serving(hang_up, tls=tls) as server:
        sending = asyncio.create_task(pool.exchange(origin(server), put(source), lambda _: None))
        await until(lambda: server.calls)
        sending.cancel()
        await asyncio.wait({sending}, timeout=_DEADLINE)
        assert sending.cancelled()
    assert pool.throttle.passed == 0


@pytest.mark.parametrize("tls", [False, True])
async def test_an_early_refusal_is_noticed_under_a_rate_limit(
    pool: ConnectionPool, source: ByteRange, tls: bool
) -> None:
    def refuse(call: Call) -> None:
        call.reply(403, connection="close")
        with pytest.raises(Hangup):
            call.read_body()
        call.close()

    pool.throttle.rate = 100_000
    with serving(refuse, tls=tls) as server:
        reply = await asyncio.wait_for(pool.exchange(origin(server), put(source), lambda _: None), _DEADLINE)
    assert reply.status == 403
    assert pool.throttle.passed < MIB // 2

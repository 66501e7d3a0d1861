"""The shared cap: threads that take turns, and bodies that are sent through it."""

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


def test_without_a_cap_everything_goes_at_once_and_is_counted() -> None:
    throttle = Throttle()
    assert [throttle.take(count, never) for count in (MIB, 3)] == [MIB, 3]
    assert throttle.passed == MIB + 3


@pytest.mark.parametrize("threads", [1, 32])
def test_a_cap_holds_for_all_threads_together_and_each_gets_its_share(threads: int) -> None:
    throttle, rate, seconds = Throttle(), 4_000_000, 1.5
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
    assert 0.8 * rate * seconds < throttle.passed <= rate * (elapsed + 0.25) + 200_000
    fair = throttle.passed / threads
    assert min(shares) > 0  # how even they are depends on the machine's scheduler
    assert max(shares) <= 8 * fair


@pytest.mark.parametrize("cap", [0, 1000])
def test_who_waits_goes_on_at_once_when_the_cap_is_taken_away(cap: int) -> None:
    throttle = Throttle()
    throttle.rate = cap
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(throttle.take, MIB, never) for _ in range(8)]
        time.sleep(0.05)  # whether they wait already or not: the outcome has to be the same
        throttle.rate = None
        assert max(job.result(_DEADLINE) for job in waiting) == MIB


def test_who_is_cut_stops_waiting() -> None:
    throttle, cut = Throttle(), threading.Event()
    throttle.rate = 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(throttle.take, MIB, cut.is_set)
        cut.set()
        throttle.wake()
        assert waiting.result(_DEADLINE) == 0
    assert throttle.passed == 0


def test_turns_under_a_tiny_cap_are_small() -> None:
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
async def test_a_body_arrives_whole_at_the_pace_of_the_cap(pool: ConnectionPool, source: ByteRange, tls: bool) -> None:
    pool.throttle.rate = MIB
    begun = time.monotonic()
    with serving(accept, tls=tls) as server:
        await pool.exchange(origin(server), put(source), lambda _: None)
    assert time.monotonic() - begun > 0.5
    assert server.calls[0].body == os.pread(source.file.fileno(), MIB, 0)
    assert pool.throttle.passed == MIB


async def test_waiting_for_a_turn_is_no_stall(pool: ConnectionPool, source: ByteRange) -> None:
    """Although nothing moves for longer than a stalled link is given."""
    pool.throttle.rate = 0
    with serving(accept) as server:
        sending = asyncio.create_task(pool.exchange(origin(server), put(source), lambda _: None))
        await until(lambda: server.calls)
        await asyncio.wait({sending}, timeout=2 * _STALL)
        assert not sending.done()
        pool.throttle.rate = None
        assert (await asyncio.wait_for(sending, _DEADLINE)).ok


@pytest.mark.parametrize("tls", [False, True])
async def test_a_transfer_that_waits_for_its_turn_ends_when_it_is_cancelled(
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
async def test_a_refusal_is_heard_before_the_body_has_crept_out(
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

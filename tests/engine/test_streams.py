from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from tui_uploader.engine.streams import Streams


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_and_the_rest_waits() -> None:
    streams, go = Streams(2), asyncio.Event()
    running: set[int] = set()

    async def transfer(number: int) -> None:
        async with streams.place(1, 10):
            running.add(number)
            await go.wait()
            running.discard(number)

    tasks = [asyncio.create_task(transfer(number)) for number in range(5)]
    await settle()
    assert (len(running), streams.in_use, streams.all_in_use) == (2, 2, True)
    streams.limit = 4
    await settle()
    assert len(running) == 4
    streams.limit = 1
    assert streams.in_use == 4, "running transfers are not cut"
    go.set()
    await asyncio.gather(*tasks)
    assert (streams.in_use, streams.all_in_use) == (0, False)


async def test_two_uploads_share_the_bytes() -> None:
    streams, sent = Streams(1), Counter[int]()
    order: list[int] = []

    async def transfer(upload: int, size: int) -> None:
        async with streams.place(upload, size):
            sent[upload] += size
            order.append(upload)
            await asyncio.sleep(0)

    await asyncio.gather(*(transfer(1, 8) for _ in range(100)), *(transfer(2, 1) for _ in range(800)))
    half = order[: len(order) // 2]
    assert abs(half.count(1) * 8 - half.count(2)) <= 16
    assert sent == {1: 800, 2: 800}


async def test_cancelled_waiters_and_holders_leave_their_place() -> None:
    streams, go = Streams(1), asyncio.Event()

    async def transfer() -> None:
        async with streams.place(1, 1):
            await go.wait()

    holder, waiter, last = (asyncio.create_task(transfer()) for _ in range(3))
    await settle()
    waiter.cancel()
    await settle()
    holder.cancel()
    await settle()
    assert streams.in_use == 1
    go.set()
    await last
    for task in (holder, waiter):
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert streams.in_use == 0


async def test_a_turn_that_is_cancelled_in_the_moment_it_comes_is_passed_on() -> None:
    streams = Streams(1)

    async def transfer() -> None:
        async with streams.place(1, 1):
            pass

    waiter = asyncio.create_task(transfer())
    async with streams.place(1, 1):
        await settle()
    waiter.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiter
    await asyncio.wait_for(transfer(), 1)

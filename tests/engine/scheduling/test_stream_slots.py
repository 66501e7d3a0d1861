from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from tui_uploader.engine.scheduling.stream_slots import StreamSlots


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_transfers_beyond_the_limit_wait() -> None:
    streams, go = StreamSlots(2), asyncio.Event()
    running: set[int] = set()

    async def transfer(number: int) -> None:
        async with streams.slot(1, 10):
            running.add(number)
            await go.wait()
            running.discard(number)

    tasks = [asyncio.create_task(transfer(number)) for number in range(5)]
    await settle()
    assert (len(running), streams.all_in_use, streams.some_free) == (2, True, False)
    streams.limit = 4
    await settle()
    assert len(running) == 4
    streams.limit = 1
    await settle()
    assert len(running) == 4, "running transfers are not interrupted"
    go.set()
    await asyncio.gather(*tasks)
    assert (streams.all_in_use, streams.some_free) == (False, True)


async def test_two_uploads_share_the_bytes() -> None:
    streams, sent = StreamSlots(1), Counter[int]()
    order: list[int] = []

    async def transfer(upload: int, size: int) -> None:
        async with streams.slot(upload, size):
            sent[upload] += size
            order.append(upload)
            await asyncio.sleep(0)

    await asyncio.gather(*(transfer(1, 8) for _ in range(100)), *(transfer(2, 1) for _ in range(800)))
    half = order[: len(order) // 2]
    assert abs(half.count(1) * 8 - half.count(2)) <= 16
    assert sent == {1: 800, 2: 800}


async def test_cancelled_waiters_and_holders_release_their_slots() -> None:
    streams, go = StreamSlots(1), asyncio.Event()

    async def transfer() -> None:
        async with streams.slot(1, 1):
            await go.wait()

    holder, waiter, last = (asyncio.create_task(transfer()) for _ in range(3))
    await settle()
    waiter.cancel()
    await settle()
    holder.cancel()
    await settle()
    assert not last.done() and not streams.all_in_use
    go.set()
    await last
    for task in (holder, waiter):
        with contextlib.suppress(asyncio.CancelledError):
            await task
    async with asyncio.timeout(1), streams.slot(1, 1):
        pass


async def test_a_slot_granted_to_a_cancelled_waiter_is_passed_on() -> None:
    streams = StreamSlots(1)

    async def transfer() -> None:
        async with streams.slot(1, 1):
            pass

    waiter = asyncio.create_task(transfer())
    async with streams.slot(1, 1):
        await settle()
    waiter.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiter
    await asyncio.wait_for(transfer(), 1)


async def test_a_slot_is_free_as_soon_as_it_is_released() -> None:
    streams, go = StreamSlots(1), asyncio.Event()
    begun: list[int] = []

    async def transfer(number: int) -> None:
        async with streams.slot(1, 1) as release:
            begun.append(number)
            release()
            release()
            await go.wait()

    tasks = [asyncio.create_task(transfer(number)) for number in range(3)]
    await settle()
    assert begun == [0, 1, 2]
    go.set()
    await asyncio.gather(*tasks)
    async with asyncio.timeout(1), streams.slot(1, 1):
        waiter = asyncio.create_task(transfer(3))
        await settle()
        assert begun == [0, 1, 2] and streams.all_in_use, "each slot was released once"
    await waiter


async def test_an_account_gets_its_share_although_another_holds_every_slot() -> None:
    """Uploads 1 and 2 are of account a, which stalls; 3 and 4 of account b."""
    streams = StreamSlots(4, account_of=lambda upload: "a" if upload < 3 else "b")
    stalled, go = asyncio.Event(), asyncio.Event()
    running: Counter[int] = Counter()

    async def transfer(upload: int, end: asyncio.Event) -> None:
        async with streams.slot(upload, 10):
            running[upload] += 1
            await end.wait()
        running[upload] -= 1

    tasks = [asyncio.create_task(transfer(upload, stalled)) for upload in (1, 2) * 5]
    await settle()
    assert running == {1: 2, 2: 2}
    tasks += [asyncio.create_task(transfer(upload, go)) for upload in (3, 4) * 5]
    await settle()
    assert (running[3], running[4]) == (1, 1), "half of the limit, beyond it"
    go.set()
    await settle()
    assert (running[3], running[4], running[1] + running[2]) == (0, 0, 4)
    stalled.set()
    await asyncio.gather(*tasks)
    assert not +running and streams.some_free

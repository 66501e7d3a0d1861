"""A slow front end gets only the latest status."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tui_uploader.service.lifetime import StopSignal
from tui_uploader.service.status_stream import latest


async def counting(until: int) -> AsyncIterator[int]:
    for number in range(until):
        yield number
        await asyncio.sleep(0)


async def test_forwards_values_and_ends_with_its_source() -> None:
    assert [value async for value in latest(counting(1), StopSignal(), 10.0)] == [0]


async def test_a_slow_consumer_gets_only_the_latest_value() -> None:
    seen = []
    async for value in latest(counting(1000), StopSignal(), 10.0):
        seen.append(value)
        for _ in range(400):
            await asyncio.sleep(0)
    assert seen[0] == 0
    assert seen[-1] == 999
    assert len(seen) < 10


async def test_sends_signs_of_life_when_nothing_changes() -> None:
    async def silence() -> AsyncIterator[int]:
        await asyncio.sleep(3600)
        yield 1

    stream = latest(silence(), StopSignal(), 0.01)
    assert [await anext(stream), await anext(stream)] == [None, None]


async def test_ends_when_the_engine_stops() -> None:
    stop = StopSignal()

    async def endless() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(3600)

    stream = latest(endless(), stop, 3600.0)
    assert await anext(stream) == 1
    stop.set("test")
    async with asyncio.timeout(5):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_closing_the_stream_closes_its_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            closed.set()

    stream = latest(source(), StopSignal(), 10.0)
    assert await anext(stream) == 1
    await asyncio.sleep(0)
    await stream.aclose()
    assert closed.is_set()


async def test_an_error_of_the_source_is_raised() -> None:
    async def faulty() -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        async for _ in latest(faulty(), StopSignal(), 10.0):
            pass

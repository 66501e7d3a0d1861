"""The newest status for whoever can take one: a front end that reads slowly costs the engine nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from tui_uploader.service.lifetime import StopSignal

Value = TypeVar("Value")


async def newest(source: AsyncIterator[Value], stop: StopSignal, beat: float) -> AsyncGenerator[Value | None, None]:
    """Values of `source`, of which those that came while the consumer was busy are left out, save the last.

    None after `beat` seconds without a value. Ends with `source`, or soon after `stop` is set.
    """
    slot: list[Value] = []
    news = asyncio.Event()

    async def take() -> None:
        try:
            async for value in source:
                slot[:] = [value]
                news.set()
        finally:
            news.set()

    async def watch() -> None:
        await stop.wait()
        news.set()

    taking, watching = asyncio.create_task(take()), asyncio.create_task(watch())
    try:
        while True:
            if slot:
                yield slot.pop()
            elif stop.is_set():
                return
            elif taking.done():
                taking.result()
                return
            else:
                try:
                    async with asyncio.timeout(beat):
                        await news.wait()
                except TimeoutError:
                    yield None
                news.clear()
    finally:
        taking.cancel()
        watching.cancel()
        await asyncio.gather(taking, watching, return_exceptions=True)

"""Send only the latest status to a slow consumer, so that it costs the engine no memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from tui_uploader.service.lifetime import StopSignal

T = TypeVar("T")


async def latest(source: AsyncIterator[T], stop: StopSignal, beat: float) -> AsyncGenerator[T | None, None]:
    """Values of `source`; of those that arrive while the consumer is busy, only the last.

    Yields None after `beat` seconds without a value. Ends with `source`, or soon after `stop` is set.
    """
    pending: list[T] = []
    changed = asyncio.Event()

    async def take() -> None:
        try:
            async for value in source:
                pending[:] = [value]
                changed.set()
        finally:
            changed.set()

    async def watch() -> None:
        await stop.wait()
        changed.set()

    taking, watching = asyncio.create_task(take()), asyncio.create_task(watch())
    try:
        while True:
            if pending:
                yield pending.pop()
            elif stop.is_set():
                return
            elif taking.done():
                taking.result()
                return
            else:
                try:
                    async with asyncio.timeout(beat):
                        await changed.wait()
                except TimeoutError:
                    yield None
                changed.clear()
    finally:
        taking.cancel()
        watching.cancel()
        await asyncio.gather(taking, watching, return_exceptions=True)

"""Tests await a condition with a deadline; they never sleep to hope."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_LOOK_EVERY = 0.005


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Return as soon as `condition` holds; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- the condition is the outside world's, which sets no event
            await asyncio.sleep(_LOOK_EVERY)

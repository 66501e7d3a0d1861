"""Resolve a registration of which the service counts fewer images than it was asked to register.

The count does not say which images are missing. Three sources do, in this order: the project's list of images, where
the service offers one; the storage, since an object that it does not have cannot be registered; and the counts of
smaller calls, where the service counts images again that it has registered before. An image that none of them settles
stays unconfirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set

from tui_uploader.cloud.contract import ObjectStore, Shortfall, ShortfallResolution
from tui_uploader.errors import Unsupported

MOST_COUNTING_CALLS = 64
"""Limit for one shortfall; the keys that are left then stay unconfirmed."""
_HEADS_AT_ONCE = 8

Count = Callable[[Sequence[str]], Awaitable[int | None]]
"""Register keys and return the service's count; None: it refused, or does not count."""


async def resolve(
    shortfall: Shortfall, listed: Set[str] | None, missing: Callable[[Sequence[str]], Awaitable[Set[str]]], count: Count
) -> ShortfallResolution:
    """Sort the keys of `shortfall`.

    `listed`: the project's images; None: the service does not list them. `missing` returns those of some keys that the
    storage does not have, if it may be asked.
    """
    keys = frozenset(shortfall.keys)
    absent = await missing([key for key in shortfall.keys if listed is None or key not in listed])
    if listed is not None:
        return _resolution(keys, keys & listed, absent)
    there = [key for key in shortfall.keys if key not in absent]
    if len(there) <= shortfall.counted:
        return _resolution(keys, frozenset(there), absent)
    return _resolution(keys, await _Recount(count).confirmed(there, shortfall.counted), absent)


def _resolution(keys: frozenset[str], confirmed: Set[str], absent: Set[str]) -> ShortfallResolution:
    confirmed = frozenset(confirmed)
    lost = (keys & absent) - confirmed
    return ShortfallResolution(confirmed, lost, keys - confirmed - lost)


async def missing_objects(store: ObjectStore, keys: Sequence[str]) -> Set[str]:
    """Return the keys that `store` does not have; none where it does not allow HEAD requests."""
    if not keys:
        return frozenset()
    await store.open()
    prefix = store.key("")
    limit = asyncio.Semaphore(_HEADS_AT_ONCE)

    async def is_missing(key: str) -> bool:
        async with limit:
            try:
                return await store.head(key.removeprefix(prefix)) is None
            except Unsupported:
                return False

    absent = await asyncio.gather(*(is_missing(key) for key in keys))
    return frozenset(key for key, is_absent in zip(keys, absent, strict=True) if is_absent)


class _Recount:
    """Bisect by registering halves again: the counts of two halves that add up show where the missing keys are.

    Counts that do not add up are no evidence, as those of a service that counts only new images: 0 for each half.
    """

    def __init__(self, count: Count) -> None:
        self._count = count
        self._calls_left = MOST_COUNTING_CALLS

    async def confirmed(self, keys: Sequence[str], counted: int) -> frozenset[str]:
        """Return the keys that are surely registered, of `keys`, of which the service counted `counted`."""
        if counted == len(keys):
            return frozenset(keys)
        if not 0 < counted < len(keys) or self._calls_left < 2:
            return frozenset()
        self._calls_left -= 2
        middle = len(keys) // 2
        halves = keys[:middle], keys[middle:]
        counts = [await self._count(half) for half in halves]
        first, second = counts
        if first is None or second is None or first + second != counted:
            return frozenset()
        if first > len(halves[0]) or second > len(halves[1]):
            return frozenset()
        return await self.confirmed(halves[0], first) | await self.confirmed(halves[1], second)

"""Values that age, with a clock that moves only by hand."""

from __future__ import annotations

import asyncio

import pytest

from tests.until import until
from tui_uploader.cloud.refresh import Lifetime, Renewable
from tui_uploader.errors import LinkDown


class Service:
    """Returns numbers that are due after 60 s and end after 100 s; waits at `gate`, fails on request."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.values = Renewable(self._fetch, lambda value: Lifetime(value[1] + 60, value[1] + 100), lambda: self.now)

    async def _fetch(self) -> tuple[int, float]:
        self.count += 1
        await self.gate.wait()
        if self.failing:
            raise LinkDown("The service cannot be reached.")
        return self.count, self.now

    async def number(self) -> int:
        return (await self.values.get())[0]


async def test_one_fetch_serves_all_callers() -> None:
    service = Service()
    assert await asyncio.gather(*(service.number() for _ in range(50))) == [1] * 50
    assert await service.number() == 1


async def test_all_callers_share_a_failure_and_the_next_fetches_again() -> None:
    service = Service()
    service.failing = True
    results = await asyncio.gather(*(service.number() for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {LinkDown}
    assert service.count == 1
    service.failing = False
    assert await service.number() == 2


async def test_a_due_value_is_used_while_it_is_renewed() -> None:
    service = Service()
    assert await service.number() == 1
    service.now = 61
    service.gate.clear()
    assert [await service.number(), await service.number()] == [1, 1]
    service.gate.set()
    await until(lambda: service.values.current == (2, 61.0))
    assert await service.number() == 2


async def test_after_a_failed_renewal_the_value_is_used_until_its_end() -> None:
    service = Service()
    assert await service.number() == 1
    service.failing = True
    service.now = 61
    assert await service.number() == 1
    await until(lambda: service.count == 2)
    await asyncio.sleep(0)
    assert await service.number() == 1
    assert service.count == 2, "asked again at once"
    service.now = 77
    assert await service.number() == 1
    await until(lambda: service.count == 3)
    service.now = 101
    with pytest.raises(LinkDown):
        await service.number()


async def test_only_the_refused_value_is_replaced() -> None:
    service = Service()
    first = await service.values.get()
    second = await service.values.replace(first)
    assert second[0] == 2
    assert await service.values.replace(first) is second
    assert service.count == 2


async def test_a_cancelled_caller_does_not_stop_the_others() -> None:
    service = Service()
    service.gate.clear()
    impatient, patient = asyncio.create_task(service.number()), asyncio.create_task(service.number())
    await until(lambda: service.count == 1)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    service.gate.set()
    assert await patient == 1


async def test_closing_ends_a_renewal() -> None:
    service = Service()
    service.gate.clear()
    waiting = asyncio.create_task(service.number())
    await until(lambda: service.count == 1)
    await service.values.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting

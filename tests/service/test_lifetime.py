"""When the engine leaves, on a clock that the tests turn."""

from __future__ import annotations

import asyncio

import pytest

from tui_uploader.service.lifetime import (
    LONGEST_NAP,
    WATCH_SECONDS,
    Presence,
    StopSignal,
    leave_when_idle,
    leave_when_lost,
)


class Time:
    """`sleep` lets time pass at once, and tells a listener."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


async def idle(time: Time, busy_until: float = 0.0, limit: float = 600.0) -> StopSignal:
    stop = StopSignal()
    presence = Presence(time.clock)
    await leave_when_idle(stop, presence, lambda: time.now < busy_until, limit, clock=time.clock, sleep=time.sleep)
    return stop


async def test_leaves_when_nobody_ever_comes() -> None:
    time = Time()
    stop = await idle(time)
    assert stop.reason == "neither work nor a front end for 600 s"
    assert time.now == pytest.approx(1600.0)


async def test_stays_while_there_is_work_and_for_the_limit_after_it() -> None:
    time = Time()
    await idle(time, busy_until=5000.0)
    assert 5600.0 - LONGEST_NAP <= time.now <= 5600.0 + LONGEST_NAP


async def test_looks_rarely_and_never_spins() -> None:
    time = Time()
    await idle(time, busy_until=5000.0)
    assert max(time.naps) <= LONGEST_NAP
    assert len(time.naps) < 4600 / LONGEST_NAP + 5


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
async def test_whoever_spawned_the_engine_has_time_to_come_in(limit: float) -> None:
    time = Time()
    await idle(time, limit=limit)
    assert time.now >= 1000.5


async def test_stays_while_a_front_end_is_there() -> None:
    time = Time()
    stop = StopSignal()
    presence = Presence(time.clock)
    with presence.visit():
        leaving = asyncio.create_task(
            leave_when_idle(stop, presence, lambda: False, 600.0, clock=time.clock, sleep=time.sleep)
        )
        for _ in range(5000):
            await asyncio.sleep(0)
        assert not leaving.done()
        assert time.now > 5000.0
        last = time.now
    await leaving
    assert last + 600.0 <= time.now <= last + 600.0 + LONGEST_NAP


async def test_a_short_visit_between_two_looks_counts() -> None:
    time = Time()
    stop = StopSignal()
    presence = Presence(time.clock)

    async def visit_during_nap(seconds: float) -> None:
        if time.now < 1400.0:
            with presence.visit():
                pass
        await time.sleep(seconds)

    await leave_when_idle(stop, presence, lambda: False, 600.0, clock=time.clock, sleep=visit_during_nap)
    assert time.now >= 1400.0 - LONGEST_NAP + 600.0


def test_two_visitors_are_there_until_both_have_left() -> None:
    presence = Presence()
    with presence.visit():
        with presence.visit():
            pass
        assert presence.here
    assert not presence.here


async def test_the_first_reason_to_stop_is_the_one_that_is_told() -> None:
    stop = StopSignal()
    stop.set("signal SIGTERM")
    stop.set("signal SIGINT")
    await stop.wait()
    assert stop.reason == "signal SIGTERM"


async def test_leaves_when_its_lock_is_lost() -> None:
    stop = StopSignal()
    looks = iter([True, True, False])
    time = Time()

    async def kept() -> bool:
        return next(looks)

    await leave_when_lost(stop, kept, sleep=time.sleep)
    assert stop.reason == "the lock file was removed or replaced"
    assert time.naps == [WATCH_SECONDS, WATCH_SECONDS]

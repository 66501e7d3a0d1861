"""When the engine stops, on a virtual clock."""

from __future__ import annotations

import asyncio

import pytest

from tui_uploader.service.lifetime import (
    LONGEST_SLEEP,
    WATCH_SECONDS,
    ClientPresence,
    StopSignal,
    stop_when_idle,
    stop_when_lock_lost,
)


class Time:
    """A clock that `sleep` moves forward at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


async def idle(time: Time, busy_until: float = 0.0, limit: float = 600.0) -> StopSignal:
    stop = StopSignal()
    presence = ClientPresence(time.clock)
    await stop_when_idle(stop, presence, lambda: time.now < busy_until, limit, clock=time.clock, sleep=time.sleep)
    return stop


async def test_stops_when_no_front_end_connects() -> None:
    time = Time()
    stop = await idle(time)
    assert stop.reason == "neither work nor a front end for 600 s"
    assert time.now == pytest.approx(1600.0)


async def test_runs_while_there_is_work_and_for_the_limit_after_it() -> None:
    time = Time()
    await idle(time, busy_until=5000.0)
    assert 5600.0 - LONGEST_SLEEP <= time.now <= 5600.0 + LONGEST_SLEEP


async def test_checks_rarely() -> None:
    time = Time()
    await idle(time, busy_until=5000.0)
    assert max(time.sleeps) <= LONGEST_SLEEP
    assert len(time.sleeps) < 4600 / LONGEST_SLEEP + 5


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
async def test_the_front_end_that_spawned_it_has_time_to_connect(limit: float) -> None:
    time = Time()
    await idle(time, limit=limit)
    assert time.now >= 1000.5


async def test_runs_while_a_front_end_is_connected() -> None:
    time = Time()
    stop = StopSignal()
    presence = ClientPresence(time.clock)
    with presence.request():
        stopping = asyncio.create_task(
            stop_when_idle(stop, presence, lambda: False, 600.0, clock=time.clock, sleep=time.sleep)
        )
        for _ in range(5000):
            await asyncio.sleep(0)
        assert not stopping.done()
        assert time.now > 5000.0
        last = time.now
    await stopping
    assert last + 600.0 <= time.now <= last + 600.0 + LONGEST_SLEEP


async def test_a_short_request_between_two_checks_counts() -> None:
    time = Time()
    stop = StopSignal()
    presence = ClientPresence(time.clock)

    async def request_while_asleep(seconds: float) -> None:
        if time.now < 1400.0:
            with presence.request():
                pass
        await time.sleep(seconds)

    await stop_when_idle(stop, presence, lambda: False, 600.0, clock=time.clock, sleep=request_while_asleep)
    assert time.now >= 1400.0 - LONGEST_SLEEP + 600.0


def test_a_front_end_is_connected_until_the_last_request_ends() -> None:
    presence = ClientPresence()
    with presence.request():
        with presence.request():
            pass
        assert presence.connected
    assert not presence.connected


async def test_the_first_reason_to_stop_counts() -> None:
    stop = StopSignal()
    stop.set("signal SIGTERM")
    stop.set("signal SIGINT")
    await stop.wait()
    assert stop.reason == "signal SIGTERM"


async def test_stops_when_its_lock_is_lost() -> None:
    stop = StopSignal()
    checks = iter([True, True, False])
    time = Time()

    async def intact() -> bool:
        return next(checks)

    await stop_when_lock_lost(stop, intact, sleep=time.sleep)
    assert stop.reason == "the lock file was removed or replaced"
    assert time.sleeps == [WATCH_SECONDS, WATCH_SECONDS]

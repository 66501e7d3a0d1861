"""Rates, and the time that uploads will probably take under limit, timetable and budget."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tui_uploader.engine.bandwidth.policy import Outlook, RateSpan
from tui_uploader.engine.status.eta import RateMemory, RateMeter, last_of, seconds_to_send, time_left
from tui_uploader.model.uploads import EtaRange

DAY = 86_400.0


def steady(rate: int, seconds: int, start: float = 0.0, sent: int = 0, meter: RateMeter | None = None) -> RateMeter:
    meter = meter or RateMeter()
    for second in range(seconds + 1):
        meter.note(start + second, sent + second * rate)
    return meter


def test_no_samples_no_rate() -> None:
    assert RateMeter().rate(0.0) == 0.0
    assert RateMemory().likely(None) is None


def test_rate_is_of_the_last_ten_seconds() -> None:
    meter = steady(100, 60)
    meter = steady(1000, 20, start=61, sent=6000, meter=meter)
    assert meter.rate(81) == 1000


def test_rate_falls_to_nothing_when_nothing_is_noted() -> None:
    assert steady(100, 30).rate(45.0) == 0.0


def test_bytes_taken_back_never_show_as_a_negative_rate() -> None:
    meter = steady(100, 30)
    meter.note(31.0, 500)
    assert meter.rate(31.0) == 0.0


def test_memory_is_bounded() -> None:
    meter, memory = RateMeter(), RateMemory()
    for tick in range(100_000):
        meter.note(tick / 100, tick)
        memory.note(tick / 100, tick, None)
    assert len(meter.samples) <= 51
    assert len(memory.slices) <= 24


# ---------------------------------------------------------------------------------------------- rates of the past


class Sending:
    """Sends at a rate, second by second."""

    def __init__(self) -> None:
        self.memory = RateMemory()
        self.now, self.sent = 0.0, 0

    def at(self, rate: int, seconds: float, cap: int | None = None) -> Sending:
        until = self.now + seconds
        self.memory.note(self.now, self.sent, cap)
        while self.now < until:
            self.now += 0.5
            self.sent += rate // 2
            self.memory.note(self.now, self.sent, cap)
        return self

    def nothing(self, seconds: float) -> Sending:
        self.now += seconds
        return self


def test_a_rate_is_likely_after_two_seconds_and_sure_after_twenty() -> None:
    sending = Sending().at(1000, 1.5)
    assert sending.memory.likely(None) is None
    low, high = sending.at(1000, 1).memory.likely(None) or (0.0, 0.0)
    assert low < 1000 < high
    assert sending.at(1000, 20).memory.likely(None) == (1000, 1000)


def test_an_unsteady_link_has_a_range_around_its_mean() -> None:
    sending = Sending()
    for _ in range(6):
        sending.at(50, 10).at(150, 10)
    low, high = sending.memory.likely(None) or (0.0, 0.0)
    assert low < 100 < high


def test_rates_survive_pauses_cuts_and_attempts_that_failed() -> None:
    sending = Sending().at(1000, 30).nothing(600.0).at(1000, 1)
    assert sending.memory.likely(None) == (1000, 1000), "a pause is no time in which bytes were sent slowly"
    assert sending.at(0, 30).memory.likely(None) == (1000, 1000), "a cut says nothing about the link afterwards"
    sending.sent -= 20_000
    assert sending.at(1000, 10).memory.likely(None) == (1000, 1000)


def test_a_link_that_became_slow_is_noticed_within_a_minute_and_a_half() -> None:
    low, high = Sending().at(1000, 120).at(10, 95).memory.likely(None) or (0.0, 0.0)
    assert (low, high) == (10, 10)


def test_what_was_measured_under_a_lower_limit_does_not_count_for_a_higher_one() -> None:
    sending = Sending().at(5000, 30).at(1000, 100, cap=1000)
    assert sending.memory.likely(1000) == (1000, 1000)
    assert sending.memory.likely(None) == (5000, 5000)
    sending.at(1000, 120, cap=1000)
    assert sending.memory.likely(None) == (1000, 1000), "there is nothing else by now"
    assert sending.at(8000, 25).memory.likely(None) == (8000, 8000)


# ---------------------------------------------------------------------------------------------------- time left

OPEN = Outlook(now=0.0)


def outlook(*spans: tuple[int | None, float | None], **budget: object) -> Outlook:
    return Outlook(0.0, tuple(RateSpan(*span) for span in spans), **budget)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "rate", "ahead", "seconds"),
    [
        (1000, 100.0, OPEN, 10.0),
        (0, 100.0, OPEN, 0.0),
        (105_000_000, 5e6, outlook((200_000, None)), 525.0),
        (105_000_000, 1e5, outlook((200_000, None)), 1050.0),
        (1000, 100.0, outlook((0, None)), None),
        (1000, 100.0, outlook((0, 50.0), (None, None)), 60.0),
        (1000, 100.0, outlook((None, 4.0), (0, 104.0), (10, None)), 164.0),
        (1000, 100.0, outlook((50, 10.0), (None, None)), 15.0),
        (1000, 100.0, outlook((None, None), budget_left=1000), 10.0),
        (1001, 100.0, outlook((None, None), budget_left=1000), None),
        (1001, 100.0, outlook((None, None), budget_left=0, budget=10**6, renewals=(DAY, 2 * DAY)), DAY + 10.01),
        (
            1000,
            100.0,
            outlook((None, None), budget_left=100, budget=300, renewals=(DAY, 2 * DAY, 3 * DAY)),
            3 * DAY + 3,
        ),
        (1000, 100.0, outlook((None, None), budget_left=0, budget=1, renewals=(DAY, 2 * DAY)), None),
        (1000, 100.0, outlook((0, 50.0), (None, None), budget_left=0, budget=5000, renewals=(20.0,)), 60.0),
    ],
)
def test_limit_timetable_and_budget_decide_when_bytes_are_sent(
    amount: int, rate: float, ahead: Outlook, seconds: float | None
) -> None:
    found = seconds_to_send([amount], rate, ahead).get(amount)
    assert found == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("left", "ends"),
    [
        ({}, {}),
        ({1: 1000}, {1: 10.0}),
        ({1: 1000, 2: 1000}, {1: 20.0, 2: 20.0}),
        ({1: 1000, 2: 200}, {1: 12.0, 2: 4.0}),
        ({1: 300, 2: 600, 3: 100}, {1: 7.0, 2: 10.0, 3: 3.0}),
        ({1: 0, 2: 500}, {1: 0.0, 2: 5.0}),
    ],
)
def test_uploads_share_the_link_until_the_smaller_one_is_through(
    left: Mapping[int, int], ends: Mapping[int, float]
) -> None:
    found = time_left(left, (100.0, 100.0), OPEN)
    assert {upload: eta.low for upload, eta in found.items()} == pytest.approx(dict(ends))
    assert all(eta.low == eta.high for eta in found.values())


def test_the_better_rate_is_the_lower_end() -> None:
    assert time_left({1: 1000}, (50.0, 200.0), OPEN)[1] == EtaRange(5.0, 20.0)


def test_an_upload_that_a_budget_ends_before_has_no_end() -> None:
    etas = time_left({1: 100, 2: 10_000}, (100.0, 100.0), outlook((None, None), budget_left=500))
    assert set(etas) == {1}
    assert last_of(etas, [1]) == etas[1]
    assert last_of(etas, [1, 2]) is None
    assert last_of({}, []) is None

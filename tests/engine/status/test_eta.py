from __future__ import annotations

from tui_uploader.engine.status.eta import RateMeter


def steady(rate: int, seconds: int, start: float = 0.0, sent: int = 0, meter: RateMeter | None = None) -> RateMeter:
    meter = meter or RateMeter()
    for second in range(seconds + 1):
        meter.note(start + second, sent + second * rate)
    return meter


def test_no_samples_no_rate_no_eta() -> None:
    assert RateMeter().rate(0.0) == 0.0
    assert RateMeter().eta(100) is None


def test_rate_is_of_the_last_ten_seconds() -> None:
    meter = steady(100, 60)
    meter = steady(1000, 20, start=61, sent=6000, meter=meter)
    assert meter.rate(81) == 1000


def test_rate_falls_to_nothing_when_nothing_is_noted() -> None:
    assert steady(100, 30).rate(45.0) == 0.0


def test_eta_is_withheld_until_there_was_enough_to_judge_by() -> None:
    assert steady(100, 15).eta(1000) is None
    assert steady(100, 30).eta(1000) is not None


def test_eta_of_a_steady_link_is_a_point() -> None:
    eta = steady(100, 60).eta(1000)
    assert eta is not None
    assert (eta.low, eta.high) == (10, 10)


def test_eta_of_an_unsteady_link_is_a_range_around_the_truth() -> None:
    meter, sent = RateMeter(), 0
    for second in range(100):
        meter.note(float(second), sent)
        sent += 50 if second // 10 % 2 else 150
    eta = meter.eta(10_000)
    assert eta is not None
    assert eta.low < 100 < eta.high


def test_bytes_taken_back_never_show_as_a_negative_rate() -> None:
    meter = steady(100, 30)
    meter.note(31.0, 500)
    assert meter.rate(31.0) == 0.0
    assert meter.eta(10) is None


def test_memory_is_bounded() -> None:
    meter = RateMeter()
    for tick in range(100_000):
        meter.note(tick / 100, tick)
    assert len(meter.samples) <= 601

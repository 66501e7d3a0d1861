"""Rate limit, timetable and data budget: tables of the pure decisions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.engine.bandwidth.policy import (
    AllowedRate,
    Outlook,
    Preferences,
    RateSpan,
    admits,
    allowed_rate,
    bandwidth,
    changed,
    checked,
    closed_notice,
    is_held_back,
    most_streams,
    outlook,
    used_of,
    when_words,
)
from tui_uploader.engine.bandwidth.timetable import parse_timetable, rate_at, timetable_text
from tui_uploader.engine.bandwidth.units import parse_rate, parse_size
from tui_uploader.errors import UsageError
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod
from tui_uploader.text import exact_bytes

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
"""POSIX: the clocks go from 02:00 to 03:00 on 29 March 2026, and back from 03:00 to 02:00 on 25 October 2026."""
GB = 10**9
NOTHING = BandwidthChange()


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as moved:
        moved.setenv("TZ", BERLIN)
        time.tzset()
        yield
    time.tzset()


def at(text: str) -> float:
    """Local time, such as `2026-05-11 08:00` (a Monday)."""
    return datetime.fromisoformat(text).timestamp()


def at_utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# ------------------------------------------------------------------------------------------------- ------ parsing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500k", 500_000),
        ("500 KB/s", 500_000),
        ("1.5MB/s", 1_500_000),
        ("1.5 mB/S", 1_500_000),
        ("8Mbit/s", 1_000_000),
        ("8 Mbit", 1_000_000),
        ("2Mbps", 250_000),
        ("2MBps", 2_000_000),
        ("512KiB/s", 524_288),
        ("1Gi", 1024**3),
        ("2000B/s", 2000),
        ("16000bit/s", 2000),
        ("off", None),
        (" Unlimited ", None),
        ("0", 0),
        ("pause", 0),
    ],
)
def test_parse_rate(text: str, expected: int | None) -> None:
    assert parse_rate(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("500", "'500' is not a rate"),
        ("", "'' is not a rate"),
        ("-5k", "'-5k' is not a rate"),
        ("1e3k", "is not a rate"),
        ("nan", "is not a rate"),
        ("٥k", "is not a rate"),
        ("500 KB/h", "is not a rate"),
        ("\x1b[31mk", "'\\x1b[31mk' is not a rate"),
        ("2mb/s", "'2mb/s' may mean bits or bytes. Write 2MB/s for bytes, 2Mbit/s for bits a second."),
        ("500kb", "may mean bits or bytes"),
        ("999B/s", "must be between 1 KB/s and 1 TB/s"),
        ("2TB/s", "must be between 1 KB/s and 1 TB/s"),
    ],
)
def test_an_invalid_rate_is_refused_with_examples(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rate(text)
    assert said.upper() in str(caught.value).upper()


@pytest.mark.parametrize(
    ("text", "expected"), [("20GB", 20 * GB), ("20g", 20 * GB), ("1.5 TB", 1500 * GB), ("1GiB", 1024**3), ("off", None)]
)
def test_parse_size(text: str, expected: int | None) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "20", "20Gbit", "20GB/s", "0GB", "GB", "much", "9999999999999TB"])
def test_an_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)


@given(st.integers(1000, 10**12))
def test_a_shown_rate_can_be_parsed_again(rate: int) -> None:
    assert parse_rate(f"{exact_bytes(rate)}/s") == pytest.approx(rate, abs=1, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mon-Fri 08:00-18:00 500k, Sat,Sun off", "Mon-Fri 08:00-18:00 500 KB/s, Sat,Sun off"),
        ("mon-fri 8-18 500 KB/s; weekend off", "Mon-Fri 08:00-18:00 500 KB/s, Sat,Sun off"),
        ("22:00-06:00 pause", "22:00-06:00 pause"),
        ("2M, weekdays 08:00-12:00,13:00-17:30 8Mbit/s", "2 MB/s, Mon-Fri 08:00-12:00,13:00-17:30 1 MB/s"),
        ("Fri-Mon 1M", "Mon,Fri-Sun 1 MB/s"),
        ("Tuesday 00:00-24:00 0", "Tue pause"),
        ("daily 18:00-24:00 off", "18:00-24:00 off"),
        ("Wed 20:00-00:00 1M", "Wed 20:00-24:00 1 MB/s"),
    ],
)
def test_parse_timetable(text: str, shown: str) -> None:
    timetable = parse_timetable(text)
    assert timetable_text(timetable) == shown
    assert parse_timetable(shown) == timetable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The timetable is empty"),
        (" , ;", "The timetable is empty"),
        ("Mon-Fri 08:00-18:00", "lacks a rate before the end"),
        ("08:00-18:00 Mon 500k", "lacks a rate before 'Mon'"),
        ("Mon 08:00 500k", "'08:00' in the timetable is not a day, a time or a rate"),
        ("Mon 8:00-9:70 1M", "Invalid time 8:00-9:70 in the timetable: use 00:00 to 24:00"),
        ("Mon 25-26 1M", "use 00:00 to 24:00"),
        ("Mon 08:00-08:00 1M", "ends when it begins"),
        ("Montag 1M", "'Montag' in the timetable is not a day"),
        ("Mon 500", "'500' is not a rate"),
        ("Mon 2mb/s", "may mean bits or bytes"),
        ("x" * 3000, "at most 2,000 characters"),
    ],
)
def test_an_invalid_timetable_is_refused_with_the_word_in_question(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_timetable(text)
    assert said in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_either_a_timetable_or_refused(text: str) -> None:
    try:
        timetable = parse_timetable(text)
    except UsageError:
        return
    assert parse_timetable(timetable_text(timetable)) == timetable


# ----------------------------------------------------------------------------------------------------- the timetable

OFFICE = "Mon-Fri 08:00-18:00 500k, Sat,Sun pause"
NIGHTS = "Fri 22:00-06:00 pause"


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        (OFFICE, "2026-05-11 07:59", None),
        (OFFICE, "2026-05-11 08:00", 500_000),
        (OFFICE, "2026-05-15 17:59", 500_000),
        (OFFICE, "2026-05-15 18:00", None),
        (OFFICE, "2026-05-16 00:00", 0),
        (NIGHTS, "2026-05-15 21:59", None),
        (NIGHTS, "2026-05-15 22:00", 0),
        (NIGHTS, "2026-05-16 05:59", 0),
        (NIGHTS, "2026-05-16 06:00", None),
        (NIGHTS, "2026-05-15 05:59", None),
        ("Sun 22:00-06:00 1M", "2026-05-11 05:59", 1_000_000),
        ("2M, 12:00-13:00 off", "2026-05-11 12:30", None),
        ("12:00-13:00 off, 2M", "2026-05-11 12:30", 2_000_000),
    ],
)
def test_rate_at_a_moment(text: str, moment: str, expected: int | None) -> None:
    assert rate_at(parse_timetable(text), at(moment)) == expected


@pytest.mark.parametrize(
    ("preferences", "now", "expected"),
    [
        (Preferences(), "2026-05-11 08:00", (None, None, False)),
        (Preferences(limit=7000), "2026-05-11 08:00", (7000, None, False)),
        (Preferences(schedule="1M"), "2026-05-11 08:00", (1_000_000, None, True)),
        (Preferences(schedule=OFFICE), "2026-05-11 08:00", (500_000, "2026-05-11 18:00", True)),
        (Preferences(schedule=OFFICE), "2026-05-15 18:00", (None, "2026-05-16 00:00", False)),
        (Preferences(schedule=OFFICE), "2026-05-16 10:00", (0, "2026-05-18 00:00", True)),
        (Preferences(2_000_000, OFFICE), "2026-05-11 09:00", (500_000, "2026-05-11 18:00", True)),
        (Preferences(2_000_000, OFFICE), "2026-05-11 19:00", (2_000_000, "2026-05-12 08:00", False)),
        (Preferences(100_000, "Mon 08:00-18:00 500k"), "2026-05-11 09:00", (100_000, None, False)),
        (Preferences(0, "Mon 08:00-18:00 500k"), "2026-05-11 09:00", (0, None, False)),
        (Preferences(schedule="Mon 09:00-10:00 1M"), "2026-05-11 10:00", (None, "2026-05-18 09:00", False)),
    ],
)
def test_the_lower_of_limit_and_timetable_applies(
    preferences: Preferences, now: str, expected: tuple[int | None, str | None, bool]
) -> None:
    rate, until, by_schedule = expected
    assert allowed_rate(preferences, at(now)) == AllowedRate(rate, None if until is None else at(until), by_schedule)


@pytest.mark.parametrize(
    ("text", "now", "rate", "until"),
    [
        # 02:30 is skipped on 29 March: what begins then begins when the clock jumps to 03:00
        ("Sun 02:30-04:00 pause", at_utc("2026-03-29 00:30"), None, at_utc("2026-03-29 01:00")),
        ("Sun 02:30-04:00 pause", at_utc("2026-03-29 01:00"), 0, at_utc("2026-03-29 02:00")),
        # 08:00 is 08:00, whatever the offset
        ("08:00-18:00 pause", at_utc("2026-03-28 17:00"), None, at_utc("2026-03-29 06:00")),
        ("08:00-18:00 pause", at_utc("2026-10-24 16:00"), None, at_utc("2026-10-25 07:00")),
        # the hour from 02:00 comes twice on 25 October
        ("Sun 02:00-02:30 pause", at_utc("2026-10-25 00:00"), 0, at_utc("2026-10-25 00:30")),
        ("Sun 02:00-02:30 pause", at_utc("2026-10-25 00:30"), None, at_utc("2026-10-25 01:00")),
        ("Sun 02:00-02:30 pause", at_utc("2026-10-25 01:00"), 0, at_utc("2026-10-25 01:30")),
        # the clock goes back across the end of an entry
        ("Sun 01:00-02:15 pause", at_utc("2026-10-25 00:20"), None, at_utc("2026-10-25 01:00")),
    ],
)
def test_days_on_which_the_clocks_change(text: str, now: float, rate: int | None, until: float) -> None:
    found = allowed_rate(Preferences(schedule=text), now)
    assert (found.rate, found.until) == (rate, until)


@given(st.integers(0, 52 * 7 * 24 * 12), st.sampled_from([OFFICE, NIGHTS, "Sun 01:30-02:30 pause", "23:00-03:15 2M"]))
def test_the_rate_does_not_change_before_the_announced_time(steps: int, text: str) -> None:
    preferences, now = Preferences(schedule=text), at_utc("2026-01-01 00:00") + steps * 300
    found = allowed_rate(preferences, now)
    assert found.until is not None
    assert found.until > now
    timetable = parse_timetable(text)
    between = [now + (found.until - 1 - now) * part / 20 for part in range(21)]
    assert {rate_at(timetable, moment) for moment in between} == {found.rate}
    assert rate_at(timetable, found.until) != found.rate


@pytest.mark.parametrize(
    ("moment", "shown"),
    [("2026-05-11 18:00", "18:00"), ("2026-05-12 08:00", "Tue 08:00"), ("2026-05-18 08:00", "2026-05-18 08:00")],
)
def test_times_are_shown_as_short_as_possible(moment: str, shown: str) -> None:
    assert when_words(at(moment), at("2026-05-11 09:00")) == shown


# --------------------------------------------------------------------------------------------- streams under a cap


@pytest.mark.parametrize(
    ("rate", "expected"), [(None, 64), (0, 1), (1000, 1), (100_000, 3), (500_000, 15), (10**7, 64)]
)
def test_low_limits_get_few_streams(rate: int | None, expected: int) -> None:
    assert most_streams(rate, 64) == expected


@pytest.mark.parametrize(
    ("goodput", "rate", "expected"), [(1e6, None, False), (9.1e5, 10**6, True), (5e5, 10**6, False), (0.0, 0, True)]
)
def test_whether_the_limit_is_the_bottleneck(goodput: float, rate: int | None, expected: bool) -> None:
    assert is_held_back(goodput, rate) is expected


# -------------------------------------------------------------------------------------------------------- the budget

TRAFFIC = {
    "2026-04-30": 1 * GB,
    "2026-05-10": 2 * GB,
    "2026-05-11": 4 * GB,
    "2026-05-14": 8 * GB,
    "2026-06-01": 16 * GB,
}


@pytest.mark.parametrize(
    ("per", "now", "expected"),
    [
        (BudgetPeriod.DAY, "2026-05-14 23:59", 8 * GB),
        (BudgetPeriod.DAY, "2026-05-15 00:00", 0),
        (BudgetPeriod.WEEK, "2026-05-17 12:00", 12 * GB),
        (BudgetPeriod.WEEK, "2026-05-18 00:00", 0),
        (BudgetPeriod.MONTH, "2026-05-31 12:00", 14 * GB),
        (BudgetPeriod.MONTH, "2026-06-01 00:00", 16 * GB),
        (BudgetPeriod.MONTH, "2026-12-31 00:00", 0),
        (BudgetPeriod.TOTAL, "2026-06-02 00:00", 31 * GB),
    ],
)
def test_traffic_that_counts_for_a_budget(per: BudgetPeriod, now: str, expected: int) -> None:
    assert used_of(Preferences(budget=GB, per=per), TRAFFIC, at(now)) == expected


def test_a_total_budget_counts_from_the_moment_it_was_set() -> None:
    wish = BandwidthChange(budget="20GB", per=BudgetPeriod.TOTAL)
    preferences = changed(Preferences(), wish, TRAFFIC)
    assert used_of(preferences, TRAFFIC, at("2026-06-02 00:00")) == 0
    assert used_of(preferences, TRAFFIC | {"2026-06-02": 5}, at("2026-06-02 00:00")) == 5


@pytest.mark.parametrize(
    ("used", "promised", "expected"), [(0, 0, True), (GB - 1, 0, True), (GB, 0, False), (GB - 9, 9, False)]
)
def test_no_transfer_begins_when_running_ones_will_use_the_budget_up(used: int, promised: int, expected: bool) -> None:
    assert admits(Preferences(budget=GB), used, promised) is expected
    assert admits(Preferences(), used, promised)


# ------------------------------------------------------------------------------------------------ settings and words


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (NOTHING, Preferences(1000, "1 MB/s", GB, BudgetPeriod.WEEK)),
        (BandwidthChange(limit="off"), Preferences(None, "1 MB/s", GB, BudgetPeriod.WEEK)),
        (BandwidthChange(schedule=" OFF "), Preferences(1000, None, GB, BudgetPeriod.WEEK)),
        (BandwidthChange(budget="2GB"), Preferences(1000, "1 MB/s", 2 * GB, BudgetPeriod.WEEK)),
        (BandwidthChange(per=BudgetPeriod.DAY), Preferences(1000, "1 MB/s", GB, BudgetPeriod.DAY)),
        (BandwidthChange(budget="off"), Preferences(1000, "1 MB/s", None, BudgetPeriod.WEEK)),
    ],
)
def test_a_change_keeps_the_other_settings(change: BandwidthChange, expected: Preferences) -> None:
    assert changed(Preferences(1000, "1 MB/s", GB, BudgetPeriod.WEEK), change, {}) == expected


def test_a_period_needs_a_budget() -> None:
    with pytest.raises(UsageError, match="no data budget yet"):
        changed(Preferences(), BandwidthChange(per=BudgetPeriod.DAY), {})


@pytest.mark.parametrize("damaged", [Preferences(limit=-1), Preferences(budget=0), Preferences(schedule="Montag")])
def test_damaged_settings_are_refused(damaged: Preferences) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked(damaged)


UNTIL_JUNE = (
    "data budget of 1 GB for this month is used up until 2026-06-01 00:00; `b` or `tui-uploader budget` changes it"
)
FOR_GOOD = "data budget of 1 GB is used up; `b` or `tui-uploader budget` changes it"


@pytest.mark.parametrize(
    ("preferences", "used", "holds", "notice"),
    [
        (Preferences(), 0, "no limit", None),
        (Preferences(2_000_000), 0, "at most 2 MB/s", None),
        (Preferences(schedule=OFFICE), 0, "at most 500 KB/s until 18:00 (schedule)", None),
        (Preferences(schedule="Mon 00:00-12:00 pause"), 0, "schedule: paused until 12:00", ("SendingPaused", False)),
        (
            Preferences(schedule="pause"),
            0,
            "schedule: paused; `b` or `tui-uploader schedule` changes it",
            ("SendingPaused", False),
        ),
        (
            Preferences(0),
            0,
            "paused by the limit; `b` or `tui-uploader limit off` ends it",
            ("SendingPaused", False),
        ),
        (Preferences(0, budget=GB), GB, UNTIL_JUNE, ("SendingPaused", False)),
        (
            Preferences(budget=GB, per=BudgetPeriod.DAY),
            GB,
            "data budget of 1 GB for today is used up until Tue 00:00; `b` or `tui-uploader budget` changes it",
            ("SendingPaused", False),
        ),
        (Preferences(budget=GB, per=BudgetPeriod.TOTAL), GB, FOR_GOOD, ("BudgetUsedUp", True)),
        (Preferences(budget=GB), GB - 1, "no limit", None),
    ],
)
def test_the_state_in_words(preferences: Preferences, used: int, holds: str, notice: tuple[str, bool] | None) -> None:
    now = at("2026-05-11 09:00")
    state = bandwidth(preferences, allowed_rate(preferences, now), used, now)
    shown = closed_notice(state)
    assert state.holds == holds
    assert (None if shown is None else (shown.kind, shown.needs_person)) == notice
    assert shown is None or shown.message == holds


def test_a_used_up_budget_is_renewed_with_its_period() -> None:
    now = at("2026-05-11 09:00")

    def until(per: BudgetPeriod) -> float | None:
        state: Bandwidth = bandwidth(Preferences(budget=1, per=per), AllowedRate(), 1, now)
        assert (state.rate, state.used_up) == (0, True)
        return state.until

    assert [until(per) for per in BudgetPeriod] == [
        at("2026-05-12 00:00"),
        at("2026-05-18 00:00"),
        at("2026-06-01 00:00"),
        None,
    ]


# ------------------------------------------------------------------------------------------------------- outlook


def test_the_outlook_has_the_spans_of_the_timetable_and_the_periods_of_the_budget() -> None:
    now = at("2026-05-11 07:00")
    preferences = Preferences(
        limit=2_000_000, schedule="Mon 08:00-18:00 500 KB/s, Mon 20:00-22:00 pause", budget=GB, per=BudgetPeriod.DAY
    )
    ahead = outlook(preferences, GB // 4, now)
    assert ahead.spans[:5] == (
        RateSpan(2_000_000, at("2026-05-11 08:00")),
        RateSpan(500_000, at("2026-05-11 18:00")),
        RateSpan(2_000_000, at("2026-05-11 20:00")),
        RateSpan(0, at("2026-05-11 22:00")),
        RateSpan(2_000_000, at("2026-05-18 08:00")),
    )
    assert ahead.spans[-1].until is None
    assert (ahead.budget_left, ahead.budget) == (3 * GB // 4, GB)
    assert ahead.renewals[:2] == (at("2026-05-12 00:00"), at("2026-05-13 00:00"))


def test_without_settings_the_outlook_is_open() -> None:
    assert outlook(Preferences(), 0, 7.0) == Outlook(7.0)
    total = outlook(Preferences(budget=10, per=BudgetPeriod.TOTAL), 30, 7.0)
    assert (total.budget_left, total.renewals) == (0, ())

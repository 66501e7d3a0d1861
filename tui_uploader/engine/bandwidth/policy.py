"""Decide what may be sent now, how fast, and until when, from the user's settings and the bytes sent: pure.

A rate limit always applies, a timetable may lower it, and a used-up data budget stops sending for the rest of a day, a
week or a month, or for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import NamedTuple

from tui_uploader.engine.bandwidth.timetable import DAYS, instants, parse_timetable, rate_at, rate_text, timetable_text
from tui_uploader.engine.bandwidth.units import NO_LIMIT, parse_rate, parse_size
from tui_uploader.errors import BudgetUsedUp, SendingPaused, UsageError
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod
from tui_uploader.model.uploads import Notice
from tui_uploader.text import exact_bytes

_BYTES_FOR_A_STREAM = 32_000
"""Bytes a second that each stream gets at least of a rate limit: with less, every file would be late."""
_FULL = 0.9
"""Share of a rate limit from which on the limit, and not the link, is the bottleneck."""
_NEAR_SECONDS = 6 * 86_400
_RENEWALS = 60

_PERIOD_WORDS = {
    BudgetPeriod.DAY: " for today",
    BudgetPeriod.WEEK: " for this week",
    BudgetPeriod.MONTH: " for this month",
    BudgetPeriod.TOTAL: "",
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """The user's settings, as the journal keeps them."""

    limit: int | None = None
    """Bytes a second; 0: nothing is sent; None: no limit."""
    schedule: str | None = None
    """A timetable as `timetable_text` writes it."""
    budget: int | None = None
    per: BudgetPeriod = BudgetPeriod.MONTH
    counted_before: int = 0
    """Bytes that had been sent when a total budget was set: it counts from there."""


def changed(preferences: Preferences, change: BandwidthChange, traffic: Mapping[str, int]) -> Preferences:
    """The settings after a change. Raises UsageError."""
    if change.limit is not None:
        preferences = replace(preferences, limit=parse_rate(change.limit))
    if change.schedule is not None:
        off = change.schedule.strip().lower() in NO_LIMIT
        schedule = None if off else timetable_text(parse_timetable(change.schedule))
        preferences = replace(preferences, schedule=schedule)
    if change.budget is not None:
        size, per = parse_size(change.budget), change.per or preferences.per
        counted = sum(traffic.values()) if per is BudgetPeriod.TOTAL else 0
        return replace(preferences, budget=size, per=per, counted_before=counted)
    if change.per is not None:
        if preferences.budget is None:
            raise UsageError("There is no data budget yet. Give its size too, such as `20GB --per month`.")
        counted = sum(traffic.values()) if change.per is BudgetPeriod.TOTAL else 0
        return replace(preferences, per=change.per, counted_before=counted)
    return preferences


def setting_changes(before: Preferences, after: Preferences) -> str:
    """`limit 500 KB/s; budget 1 GB per day`: the settings that changed, as they can be typed in again; or nothing."""
    changes = []
    if after.limit != before.limit:
        changes.append(f"limit {rate_text(after.limit)}")
    if after.schedule != before.schedule:
        changes.append(f"schedule {after.schedule or rate_text(None)}")
    if (after.budget, after.per) != (before.budget, before.per) and (after.budget or before.budget):
        period = "in total" if after.per is BudgetPeriod.TOTAL else f"per {after.per}"
        changes.append("budget off" if after.budget is None else f"budget {exact_bytes(after.budget)} {period}")
    return "; ".join(changes)


def checked(preferences: Preferences) -> Preferences:
    """Validate settings that were read. Raises ValueError for values that this program does not write."""
    if (preferences.limit or 0) < 0 or (preferences.budget is not None and preferences.budget <= 0):
        raise ValueError("a rate or a size below zero")
    try:
        parse_timetable("off" if preferences.schedule is None else preferences.schedule)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return preferences


# ------------------------------------------------------------------------------------------------- limit and timetable


@dataclass(frozen=True, slots=True)
class AllowedRate:
    """The rate that limit and timetable allow at a moment."""

    rate: int | None = None
    until: float | None = None
    """When the timetable changes it."""
    by_schedule: bool = False


def allowed_rate(preferences: Preferences, now: float) -> AllowedRate:
    """The lower of limit and timetable."""
    if preferences.schedule is None:
        return AllowedRate(preferences.limit)
    timetable = parse_timetable(preferences.schedule)

    def rate_of(at: float) -> int | None:
        return _lower(preferences.limit, rate_at(timetable, at))

    rate = rate_of(now)
    until = next((instant for instant in instants(timetable, now) if rate_of(instant) != rate), None)
    return AllowedRate(rate, until, by_schedule=rate is not None and rate != preferences.limit)


def _lower(one: int | None, other: int | None) -> int | None:
    return min((rate for rate in (one, other) if rate is not None), default=None)


class RateSpan(NamedTuple):
    """A time with one limit."""

    rate: int | None
    """Bytes a second; 0: nothing is sent; None: no limit."""
    until: float | None
    """None: for good, as far as is known."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What may be sent from `now` on (seconds since the epoch)."""

    now: float
    spans: tuple[RateSpan, ...] = (RateSpan(None, None),)
    budget_left: int | None = None
    """Bytes that the data budget has left in this period; None: there is no budget."""
    budget: int = 0
    """Bytes of each later period."""
    renewals: tuple[float, ...] = ()
    """When the next periods begin."""


def outlook(preferences: Preferences, used: int, now: float) -> Outlook:
    """What limit, timetable and budget allow during the next days."""
    budget_left: int | None = None
    renewals: list[float] = []
    if preferences.budget is not None:
        budget_left, at = max(0, preferences.budget - used), now
        while preferences.per is not BudgetPeriod.TOTAL and len(renewals) < _RENEWALS:
            at = _midnight(period_of(preferences.per, at)[1])
            renewals.append(at)
    return Outlook(now, tuple(_rate_spans(preferences, now)), budget_left, preferences.budget or 0, tuple(renewals))


def _rate_spans(preferences: Preferences, now: float) -> Iterator[RateSpan]:
    if preferences.schedule is None:
        yield RateSpan(preferences.limit, None)
        return
    timetable = parse_timetable(preferences.schedule)
    rate = _lower(preferences.limit, rate_at(timetable, now))
    for instant in instants(timetable, now):
        following = _lower(preferences.limit, rate_at(timetable, instant))
        if following != rate:
            yield RateSpan(rate, instant)
            rate = following
    yield RateSpan(rate, None)


def most_streams(rate: int | None, most: int) -> int:
    """Number of streams that a rate limit can keep moving; `most` without a limit."""
    return most if rate is None else max(1, min(most, rate // _BYTES_FOR_A_STREAM))


def is_held_back(goodput: float, rate: int | None) -> bool:
    """Whether the rate limit, and not the link, is the bottleneck at `goodput`: more streams would add nothing."""
    return rate is not None and goodput >= rate * _FULL


# ------------------------------------------------------------------------------------------------------------ budget


def period_of(per: BudgetPeriod, now: float) -> tuple[str, str]:
    """The first day of the period of `now`, and the first day after it, in the form that `traffic` has."""
    today = datetime.fromtimestamp(now).date()
    if per is BudgetPeriod.DAY:
        return today.isoformat(), (today + timedelta(days=1)).isoformat()
    if per is BudgetPeriod.WEEK:
        monday = today - timedelta(days=today.weekday())
        return monday.isoformat(), (monday + timedelta(days=7)).isoformat()
    if per is BudgetPeriod.MONTH:
        first = today.replace(day=1)
        return first.isoformat(), (first + timedelta(days=31)).replace(day=1).isoformat()
    return "", "~"


def day_of(now: float) -> str:
    """The local day, in the form that `traffic` has."""
    return datetime.fromtimestamp(now).date().isoformat()


def used_of(preferences: Preferences, traffic: Mapping[str, int], now: float) -> int:
    """Bytes of the budget that are spent. `traffic`: bytes by local day."""
    first, end = period_of(preferences.per, now)
    spent = sum(count for day, count in traffic.items() if first <= day < end)
    return max(0, spent - preferences.counted_before)


def admits(preferences: Preferences, used: int, promised: int) -> bool:
    """Whether another file or part may begin. `promised`: bytes that running transfers have yet to send.

    The transfer that crosses the budget is completed, so that its bytes are not wasted.
    """
    return preferences.budget is None or used + promised < preferences.budget


# -------------------------------------------------------------------------------------------------------- summary


def bandwidth(preferences: Preferences, allowed: AllowedRate, used: int, now: float) -> Bandwidth:
    """Settings and state, as front ends show them."""
    used_up = preferences.budget is not None and used >= preferences.budget
    if used_up:
        end = period_of(preferences.per, now)[1]
        until = None if preferences.per is BudgetPeriod.TOTAL else _midnight(end)
        allowed = AllowedRate(0, until)
    return Bandwidth(
        limit=preferences.limit,
        schedule=preferences.schedule,
        budget=preferences.budget,
        per=preferences.per,
        used=used,
        rate=allowed.rate,
        until=allowed.until,
        holds=_budget_words(preferences, allowed, now) if used_up else _rate_words(allowed, now),
        used_up=used_up,
    )


def closed_notice(state: Bandwidth) -> Notice | None:
    """The notice of an upload that may not send now; None while it may.

    A budget of a day, week or month renews without help, and a pause of the timetable ends; a total budget needs a
    person.
    """
    if state.rate != 0:
        return None
    for_good = state.used_up and state.per is BudgetPeriod.TOTAL
    return Notice((BudgetUsedUp if for_good else SendingPaused).__name__, state.holds, needs_person=for_good)


def _budget_words(preferences: Preferences, allowed: AllowedRate, now: float) -> str:
    budget = f"data budget of {exact_bytes(preferences.budget or 0)}{_PERIOD_WORDS[preferences.per]}"
    return f"{budget} is used up{_until_words(allowed, now)}; `b` or `tui-uploader budget` changes it"


def _rate_words(allowed: AllowedRate, now: float) -> str:
    until = _until_words(allowed, now)
    if allowed.rate is None:
        return f"no limit{until}"
    if allowed.rate:
        return f"at most {rate_text(allowed.rate)}{until}{' (schedule)' if allowed.by_schedule else ''}"
    if allowed.by_schedule:
        return f"schedule: paused{until or '; `b` or `tui-uploader schedule` changes it'}"
    return "paused by the limit; `b` or `tui-uploader limit off` ends it"


def _until_words(allowed: AllowedRate, now: float) -> str:
    return f" until {when_words(allowed.until, now)}" if allowed.until is not None else ""


def when_words(at: float, now: float) -> str:
    """`18:00` today, `Mon 18:00` within a week, otherwise with the date."""
    moment, shown = datetime.fromtimestamp(at), f"{datetime.fromtimestamp(at):%H:%M}"
    if moment.date() == datetime.fromtimestamp(now).date():
        return shown
    if at - now < _NEAR_SECONDS:
        return f"{DAYS[moment.weekday()]} {shown}"
    return f"{moment.date().isoformat()} {shown}"


def _midnight(day: str) -> float:
    return datetime.combine(date.fromisoformat(day), time_of_day()).timestamp()

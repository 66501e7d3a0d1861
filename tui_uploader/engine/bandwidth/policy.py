"""What may be sent now, how fast, and until when: pure decisions over what the user set and what was sent.

A cap holds at all times, a timetable may lower it, and a data budget ends it all for a day, a week, a month, or for
good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from tui_uploader.engine.bandwidth.timetable import DAYS, instants, parse_timetable, rate_at, rate_text, timetable_text
from tui_uploader.engine.bandwidth.units import NO_LIMIT, parse_rate, parse_size
from tui_uploader.errors import BudgetUsedUp, SendingPaused, UsageError
from tui_uploader.model import Bandwidth, BandwidthChange, BudgetPeriod, Notice
from tui_uploader.text import exact_bytes

_BYTES_FOR_A_STREAM = 32_000
"""Bytes a second of a cap that each stream is to have at least: fewer would only make every file late."""
_FULL = 0.9
"""Of a cap: whoever is that fast is held by it, and not by the link."""
_NEAR_SECONDS = 6 * 86_400

_PERIOD_WORDS = {
    BudgetPeriod.DAY: " for today",
    BudgetPeriod.WEEK: " for this week",
    BudgetPeriod.MONTH: " for this month",
    BudgetPeriod.TOTAL: "",
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the user set, as the journal keeps it."""

    limit: int | None = None
    """Bytes a second; 0: nothing is sent; None: no cap."""
    schedule: str | None = None
    """A timetable as `timetable_text` writes it."""
    budget: int | None = None
    per: BudgetPeriod = BudgetPeriod.MONTH
    counted_before: int = 0
    """All bytes that had left this machine when a budget in total was set: it counts from there."""


def changed(preferences: Preferences, change: BandwidthChange, traffic: Mapping[str, int]) -> Preferences:
    """With what the user wishes now. Raises UsageError, and then nothing of it holds."""
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


def checked(preferences: Preferences) -> Preferences:
    """As they were read. Raises ValueError for what this program never wrote."""
    if (preferences.limit or 0) < 0 or (preferences.budget is not None and preferences.budget <= 0):
        raise ValueError("a rate or a size below zero")
    try:
        parse_timetable("off" if preferences.schedule is None else preferences.schedule)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return preferences


# ------------------------------------------------------------------------------------------------- cap and timetable


@dataclass(frozen=True, slots=True)
class Pace:
    """What cap and timetable allow at a moment."""

    rate: int | None = None
    until: float | None = None
    """When that changes by itself."""
    by_schedule: bool = False


def pace_at(preferences: Preferences, now: float) -> Pace:
    """The lower of cap and timetable."""
    if preferences.schedule is None:
        return Pace(preferences.limit)
    timetable = parse_timetable(preferences.schedule)

    def rate_of(at: float) -> int | None:
        return _lower(preferences.limit, rate_at(timetable, at))

    rate = rate_of(now)
    until = next((instant for instant in instants(timetable, now) if rate_of(instant) != rate), None)
    return Pace(rate, until, by_schedule=rate is not None and rate != preferences.limit)


def _lower(one: int | None, other: int | None) -> int | None:
    return min((rate for rate in (one, other) if rate is not None), default=None)


def most_streams(rate: int | None, most: int) -> int:
    """So few under a small cap that each of them moves on, of `most` without a cap."""
    return most if rate is None else max(1, min(most, rate // _BYTES_FOR_A_STREAM))


def is_held_back(goodput: float, rate: int | None) -> bool:
    """The cap, and not the link, is what ends at `goodput`: more streams would bring nothing."""
    return rate is not None and goodput >= rate * _FULL


# ------------------------------------------------------------------------------------------------------------ budget


def period_of(per: BudgetPeriod, now: float) -> tuple[str, str]:
    """The first day of the period that `now` is in, and the first after it; days as `traffic` names them."""
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
    """The local day, as `traffic` names it."""
    return datetime.fromtimestamp(now).date().isoformat()


def used_of(preferences: Preferences, traffic: Mapping[str, int], now: float) -> int:
    """Bytes of the budget that are spent. `traffic`: bytes by local day."""
    first, end = period_of(preferences.per, now)
    spent = sum(count for day, count in traffic.items() if first <= day < end)
    return max(0, spent - preferences.counted_before)


def admits(preferences: Preferences, used: int, promised: int) -> bool:
    """Another file or part may begin. `promised`: bytes of those under way that have not left yet.

    The one that crosses the budget goes to its end, so that what was sent of it is not sent in vain.
    """
    return preferences.budget is None or used + promised < preferences.budget


# ------------------------------------------------------------------------------------------------ what it comes to


def bandwidth(preferences: Preferences, pace: Pace, used: int, now: float) -> Bandwidth:
    """All of it as front ends show it."""
    used_up = preferences.budget is not None and used >= preferences.budget
    if used_up:
        end = period_of(preferences.per, now)[1]
        until = None if preferences.per is BudgetPeriod.TOTAL else _midnight(end)
        pace = Pace(0, until)
    return Bandwidth(
        limit=preferences.limit,
        schedule=preferences.schedule,
        budget=preferences.budget,
        per=preferences.per,
        used=used,
        rate=pace.rate,
        until=pace.until,
        holds=_budget_words(preferences, pace, now) if used_up else _pace_words(pace, now),
        used_up=used_up,
    )


def closed_notice(state: Bandwidth) -> Notice | None:
    """What an upload that would have something to send should say of it; None while it may send.

    A budget of a day, week or month comes anew by itself, as the end of a pause does; one in total never does.
    """
    if state.rate != 0:
        return None
    for_good = state.used_up and state.per is BudgetPeriod.TOTAL
    return Notice((BudgetUsedUp if for_good else SendingPaused).__name__, state.holds, needs_person=for_good)


def _budget_words(preferences: Preferences, pace: Pace, now: float) -> str:
    budget = f"data budget of {exact_bytes(preferences.budget or 0)}{_PERIOD_WORDS[preferences.per]}"
    return f"{budget} is used up{_until_words(pace, now)}; `b` or `tui-uploader budget` changes it"


def _pace_words(pace: Pace, now: float) -> str:
    until = _until_words(pace, now)
    if pace.rate is None:
        return f"no limit{until}"
    if pace.rate:
        return f"at most {rate_text(pace.rate)}{until}{' (schedule)' if pace.by_schedule else ''}"
    if pace.by_schedule:
        return f"schedule: paused{until or '; `b` or `tui-uploader schedule` changes it'}"
    return "paused by the limit; `b` or `tui-uploader limit off` ends it"


def _until_words(pace: Pace, now: float) -> str:
    return f" until {when_words(pace.until, now)}" if pace.until is not None else ""


def when_words(at: float, now: float) -> str:
    """`18:00` of this day, `Mon 18:00` of this week, else with the date."""
    moment, shown = datetime.fromtimestamp(at), f"{datetime.fromtimestamp(at):%H:%M}"
    if moment.date() == datetime.fromtimestamp(now).date():
        return shown
    if at - now < _NEAR_SECONDS:
        return f"{DAYS[moment.weekday()]} {shown}"
    return f"{moment.date().isoformat()} {shown}"


def _midnight(day: str) -> float:
    return datetime.combine(date.fromisoformat(day), time_of_day()).timestamp()

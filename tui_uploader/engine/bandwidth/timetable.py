"""A timetable of rates over the week, in the machine's local time: pure.

An entry such as `Mon-Fri 08:00-18:00 500k` has days, times and a rate; days or times may be left out. A time that ends
before it begins runs over midnight and belongs to the day on which it begins. Where entries overlap, the later one
applies; outside of all entries there is no limit. Times are those of the local clock, so that a day on which the clocks
change has its 08:00 like any other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day

from tui_uploader.engine.bandwidth.units import parse_rate
from tui_uploader.errors import UsageError
from tui_uploader.text import exact_bytes, printable

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMED_DAYS = {"daily": range(7), "weekdays": range(5), "weekend": range(5, 7)}
_EVERY_DAY = frozenset(range(7))

_DAY_MINUTES = 24 * 60
_DAY_SECONDS = 86_400
_AHEAD_DAYS = 9
"""Covers every entry of a week, and one more day on which the clocks change."""
_LONGEST = 2000

_TIMES = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?-([0-9]{1,2})(?::([0-9]{2}))?")
_GAP_IN_RATE = re.compile(r"(?<=[0-9])\s+(?=[kmgt]?i?(?:bits?|bytes?|b)(?:/s|ps)?(?:[\s,;]|$))", re.IGNORECASE)
_EXAMPLE = "Write it like: Mon-Fri 08:00-18:00 500k, Sat,Sun off"


@dataclass(frozen=True, slots=True)
class TimetableEntry:
    """A rate, and when it applies."""

    days: frozenset[int]
    """0 is Monday."""
    spans: tuple[tuple[int, int], ...]
    """Minutes of the day, without the end; from 1440 on they are of the next day."""
    rate: int | None
    """Bytes a second; 0: nothing is sent; None: no limit."""

    def covers(self, moment: datetime) -> bool:
        minute, weekday = moment.hour * 60 + moment.minute, moment.weekday()
        return any(
            (weekday in self.days and begin <= minute < end)
            or ((weekday - 1) % 7 in self.days and minute + _DAY_MINUTES < end)
            for begin, end in self.spans
        )


Timetable = tuple[TimetableEntry, ...]


def rate_at(timetable: Timetable, at: float) -> int | None:
    """Bytes a second that the timetable allows at `at` (seconds since the epoch); None: no limit."""
    moment = datetime.fromtimestamp(at)
    return next((entry.rate for entry in reversed(timetable) if entry.covers(moment)), None)


def instants(timetable: Timetable, after: float) -> Iterator[float]:
    """The moments of the next week at which the rate may change, in order."""
    minutes = {minute % _DAY_MINUTES for entry in timetable for span in entry.spans for minute in span}
    times = [time_of_day(*divmod(minute, 60)) for minute in minutes]
    today = datetime.fromtimestamp(after).date()
    found = set(_clock_changes(after))
    for ahead in range(_AHEAD_DAYS):
        for shown in times:
            moment = datetime.combine(today + timedelta(days=ahead), shown)
            found |= {moment.timestamp(), moment.replace(fold=1).timestamp()}
    return iter(sorted(instant for instant in found if instant > after))


def _clock_changes(after: float) -> Iterator[float]:
    """When the local clock is set forward or back, to the second."""
    for day in range(_AHEAD_DAYS):
        low, high = after + day * _DAY_SECONDS, after + (day + 1) * _DAY_SECONDS
        if _offset(low) == _offset(high):
            continue
        first, last = int(low), int(high)
        while last - first > 1:
            middle = (first + last) // 2
            first, last = (middle, last) if _offset(middle) == _offset(low) else (first, middle)
        yield float(last)


def _offset(at: float) -> int:
    return time.localtime(at).tm_gmtoff


# ---------------------------------------------------------------------------------------------------- parsing


def parse_timetable(text: str) -> Timetable:
    """Raises UsageError, which names the word that is not understood."""
    if len(text) > _LONGEST:
        raise UsageError(f"A timetable has at most {_LONGEST:,} characters.")
    entries: list[TimetableEntry] = []
    days: set[int] = set()
    spans: list[tuple[int, int]] = []
    for word in re.split(r"[\s,;]+", _GAP_IN_RATE.sub("", text.strip())):
        if not word:
            continue
        if (named := _days(word)) is not None:
            if spans:
                raise _without_rate(word)
            days |= named
        elif (span := _span(word)) is not None:
            spans.append(span)
        else:
            entries.append(
                TimetableEntry(frozenset(days) or _EVERY_DAY, tuple(spans) or ((0, _DAY_MINUTES),), _rate(word))
            )
            days, spans = set(), []
    if days or spans:
        raise _without_rate("the end")
    if not entries:
        raise UsageError(f"The timetable is empty. {_EXAMPLE}. `off` removes the timetable.")
    return tuple(entries)


def _without_rate(before: str) -> UsageError:
    return UsageError(
        f"The timetable lacks a rate before {before if before == 'the end' else repr(before)}. {_EXAMPLE}."
    )


def _rate(word: str) -> int | None:
    try:
        return parse_rate(word)
    except UsageError as error:
        if any(character.isdigit() for character in word) and "-" not in word and ":" not in word:
            raise
        raise UsageError(
            f"'{printable(word, 60)}' in the timetable is not a day, a time or a rate. {_EXAMPLE}."
        ) from error


def _days(word: str) -> set[int] | None:
    """Days that the word names; None for another word."""
    name = word.lower()
    if name in _NAMED_DAYS:
        return set(_NAMED_DAYS[name])
    first, dash, last = name.partition("-")
    begin, end = _day(first), _day(last) if dash else None
    if begin is None or (dash and end is None):
        return None
    if end is None:
        return {begin}
    return {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}


def _day(name: str) -> int | None:
    for index, long_name in enumerate(_LONG_DAYS):
        if len(name) >= 3 and long_name.startswith(name):
            return index
    return None


def _span(word: str) -> tuple[int, int] | None:
    match = _TIMES.fullmatch(word)
    if match is None:
        return None
    begin, end = _minute(match[1], match[2], word), _minute(match[3], match[4], word)
    if begin % _DAY_MINUTES == end % _DAY_MINUTES and (begin, end) != (0, _DAY_MINUTES):
        raise UsageError(f"The time {word} in the timetable ends when it begins. Leave it out for the whole day.")
    return begin, end if end > begin else end + _DAY_MINUTES


def _minute(hours: str, minutes: str | None, word: str) -> int:
    hour, minute = int(hours), int(minutes or 0)
    if minute > 59 or hour * 60 + minute > _DAY_MINUTES:
        raise UsageError(f"Invalid time {word} in the timetable: use 00:00 to 24:00.")
    return hour * 60 + minute


def timetable_text(timetable: Timetable) -> str:
    """The text that `parse_timetable` parses to the same timetable."""
    return ", ".join(_entry_text(entry) for entry in timetable)


def _entry_text(entry: TimetableEntry) -> str:
    words = [] if entry.days == _EVERY_DAY else [_days_text(entry.days)]
    if entry.spans != ((0, _DAY_MINUTES),):
        words.append(",".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in entry.spans))
    return " ".join([*words, rate_text(entry.rate)])


def rate_text(rate: int | None) -> str:
    """`500 KB/s`, `off` or `pause`, as `parse_rate` accepts it."""
    if rate is None:
        return "off"
    return f"{exact_bytes(rate)}/s" if rate else "pause"


def _days_text(days: frozenset[int]) -> str:
    """`Mon-Fri`, `Sat,Sun`."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        f"{DAYS[run[0]]}-{DAYS[run[-1]]}" if len(run) > 2 else ",".join(DAYS[day] for day in run) for run in runs
    )


def _clock(minute: int) -> str:
    shown = minute if minute <= _DAY_MINUTES else minute - _DAY_MINUTES
    return f"{shown // 60:02}:{shown % 60:02}"

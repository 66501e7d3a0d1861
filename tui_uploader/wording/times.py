"""Times of day and dates, in the time zone of this machine."""

from __future__ import annotations

from datetime import date, datetime

_WEEK = 7


def time_of_day(at: float, now: float, *, seconds: bool = False) -> str:
    """`14:24`, with `seconds` `14:24:09`; of another day within a week `Tue 14:24`, else `3 May 14:24`."""
    moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now).date()
    clock = f"{moment:%H:%M:%S}" if seconds else f"{moment:%H:%M}"
    days = abs((moment.date() - today).days)
    if not days:
        return clock
    return f"{moment:%a} {clock}" if days < _WEEK else f"{_day_and_month(moment.date(), today)} {clock}"


def on_day(at: float, now: float) -> str:
    """`today at 14:24`, `yesterday at 14:24`, `on 3 May at 14:24`, `on 3 May 2025 at 14:24`."""
    moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now).date()
    match (today - moment.date()).days:
        case 0:
            day = "today"
        case 1:
            day = "yesterday"
        case _:
            day = f"on {_day_and_month(moment.date(), today)}"
    return f"{day} at {moment:%H:%M}"


def _day_and_month(day: date, today: date) -> str:
    year = f" {day.year}" if day.year != today.year else ""
    return f"{day.day} {day:%b}{year}"

"""Times of day, and how long until then. `now` is in seconds since the epoch, and all times are local."""

from __future__ import annotations

from datetime import date, datetime

from tui_uploader.model.uploads import EtaRange

_WEEK = 7
_MINUTE, _HOUR = 60, 3600
_LONG_MINUTES = 100


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


def about(seconds: float) -> str:
    """One number, so coarse that it rarely changes: `1 min`, `8 min`, `2 h 10 min`, `3 d`."""
    minutes = max(1, round(seconds / _MINUTE))
    if minutes < _LONG_MINUTES:
        return f"{minutes} min"
    tens = round(minutes / 10) * 10
    hours, rest = divmod(tens, 60)
    if hours >= 48:
        return f"{round(hours / 24)} d"
    return f"{hours} h {rest:02} min" if rest else f"{hours} h"


def middle(eta: EtaRange) -> float:
    """The likelier end of a range, in seconds from now."""
    return (eta.low + eta.high) / 2


def done_at(eta: EtaRange, now: float) -> str:
    """`14:29`: the time of day at which everything will probably be uploaded."""
    return time_of_day(now + middle(eta), now)

"""Times of day, and how long until then. `now` is in seconds since the epoch, and all times are local."""

from __future__ import annotations

from datetime import datetime

from tui_uploader.model.uploads import EtaRange

_WEEK_SECONDS = 6 * 86400
_MINUTE, _HOUR = 60, 3600
_LONG_MINUTES = 100


def time_of_day(at: float, now: float) -> str:
    """`14:29` today, `Mon 14:29` less than a week away, otherwise with the date: `2026-11-28 14:29`."""
    moment = datetime.fromtimestamp(at)
    if moment.date() == datetime.fromtimestamp(now).date():
        return f"{moment:%H:%M}"
    return f"{moment:%a %H:%M}" if abs(at - now) < _WEEK_SECONDS else f"{moment:%Y-%m-%d %H:%M}"


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

"""Words about the link to the cloud."""

from __future__ import annotations

from datetime import datetime

from tui_uploader.model.engine import Link, LinkState
from tui_uploader.text import duration

_DAY_SECONDS = 86400


def link_words(link: Link, now: float) -> str:
    """`link down since 14:02, next try in 20 s`; empty before the first try. `now` in seconds since the epoch."""
    if link.state is LinkState.UNKNOWN:
        return ""
    if link.state is LinkState.UP:
        return "link up"
    since = f" since {_clock(link.since, now)}" if link.since is not None else ""
    return f"link down{since}{_next_try(link.next_try, now)}"


def _clock(at: float, now: float) -> str:
    """The time of day, with the date where it was long ago."""
    return f"{datetime.fromtimestamp(at):{'%H:%M' if now - at < _DAY_SECONDS else '%Y-%m-%d %H:%M'}}"


def _next_try(at: float | None, now: float) -> str:
    if at is None:
        return ""
    return f", next try in {duration(at - now)}" if round(at - now) > 0 else ", trying now"

"""Words about the link to the cloud."""

from __future__ import annotations

from tui_uploader.model.engine import Link
from tui_uploader.text import duration
from tui_uploader.wording.clock import time_of_day


def offline_since(link: Link, now: float, whose: str = "") -> str:
    """`OFFLINE since 14:22`, or `OFFLINE for anna since 14:22`."""
    since = f" since {time_of_day(link.since, now)}" if link.since is not None else ""
    return f"OFFLINE{f' for {whose}' if whose else ''}{since}"


def next_try(link: Link, now: float) -> str:
    """`next try in 8 s`, or `trying now`; empty when no try is planned."""
    if link.next_try is None:
        return ""
    seconds = round(link.next_try - now)
    return f"next try in {duration(seconds)}" if seconds > 0 else "trying now"

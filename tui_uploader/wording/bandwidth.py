"""Words about the limit, the timetable and the data budget."""

from __future__ import annotations

from tui_uploader.model.engine import Bandwidth, BudgetPeriod
from tui_uploader.text import byte_count, exact_bytes, printable

OFF, PAUSE = "off", "pause"
SETTING_HINTS = {
    "limit": "500k or 500KB/s, 1.5MB/s, 8Mbit/s; off: no limit; pause: send nothing",
    "schedule": "Mon-Fri 08:00-18:00 500k, Sun pause; local time, no limit outside; off: none",
    "budget": "20GB, 500M; off: no budget",
}
"""What can be typed."""
_PERIODS = {
    BudgetPeriod.DAY: " today",
    BudgetPeriod.WEEK: " this week",
    BudgetPeriod.MONTH: " this month",
    BudgetPeriod.TOTAL: "",
}


def limit_setting(bandwidth: Bandwidth) -> str:
    """As it can be typed in again: `500 KB/s`, `pause`, `off`."""
    if bandwidth.limit is None:
        return OFF
    return f"{exact_bytes(bandwidth.limit)}/s" if bandwidth.limit else PAUSE


def schedule_setting(bandwidth: Bandwidth) -> str:
    """As it can be typed in again."""
    return printable(bandwidth.schedule) if bandwidth.schedule else OFF


def budget_setting(bandwidth: Bandwidth) -> str:
    """As it can be typed in again; the period is a setting of its own."""
    return OFF if bandwidth.budget is None else exact_bytes(bandwidth.budget)


def budget_used(bandwidth: Bandwidth) -> str:
    """`3.42 GB of 20 GB per month used, 16.6 GB left`; empty without a budget."""
    if bandwidth.budget is None:
        return ""
    period = "in total" if bandwidth.per is BudgetPeriod.TOTAL else f"per {bandwidth.per}"
    left = byte_count(max(0, bandwidth.budget - bandwidth.used))
    return f"{byte_count(bandwidth.used)} of {exact_bytes(bandwidth.budget)} {period} used, {left} left"


def budget_too_small(bandwidth: Bandwidth, left: int) -> str:
    """`The data budget has 300 MB left this month; 1.20 GB are still to be sent.`; empty where it is large enough."""
    if bandwidth.budget is None or bandwidth.used_up:
        return ""
    remaining = max(0, bandwidth.budget - bandwidth.used)
    if remaining >= left:
        return ""
    return (
        f"The data budget has {byte_count(remaining)} left{_PERIODS[bandwidth.per]}; {byte_count(left)} are to be sent."
    )


def in_force(bandwidth: Bandwidth) -> str:
    """The engine's words for the limit that applies now, and until when."""
    return printable(bandwidth.holds)


def limit_label(bandwidth: Bandwidth) -> str:
    """`limit 500 KB/s`, for a line that says more; empty without a limit."""
    if bandwidth.rate is None:
        return ""
    if bandwidth.rate:
        return f"limit {exact_bytes(bandwidth.rate)}/s"
    return "budget used up" if bandwidth.used_up else "sending paused"

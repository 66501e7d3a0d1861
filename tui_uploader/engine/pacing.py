"""How many streams, what part size, how far to read ahead: pure decisions over what was measured of the link."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tui_uploader.cloud.contract import MAX_PARTS, MIN_PART

MIB = 1024**2

FEWEST_STREAMS, FIRST_STREAMS, MOST_STREAMS = 2, 4, 64

_PART_SECONDS = 30.0
_UNMEASURED_PART = 16 * MIB
_LARGEST_PART = 512 * MIB

_WORTHWHILE_GAIN = 1.10
_GROWTH = 1.5
_WINDOWS_BETWEEN_PROBES = 10
_WINDOW_WHILE_GROWING, _WINDOW = 1.0, 3.0

_FAST_LINK = 30e6
_AHEAD_ON_FAST_LINK = 512 * MIB


def part_size(file_size: int, goodput: float | None) -> int:
    """Bytes of a part: about 30 s of the measured link (`goodput`, bytes a second), so that a cut costs no more.

    A file not larger than that goes as one PUT.
    """
    wanted = _UNMEASURED_PART if goodput is None else goodput * _PART_SECONDS
    bounded = min(max(wanted, MIN_PART), _LARGEST_PART)
    fits = math.ceil(file_size / MAX_PARTS)
    return math.ceil(max(bounded, fits) / MIB) * MIB


def may_read_ahead(ready_bytes: int, goodput: float | None) -> bool:
    """Whether another file should be read and checked now.

    Over a slow link everything is checked at once: a damaged photo is told while the card is still at hand. A fast link
    overtakes the reading, so reading stays close ahead of sending and the sender finds its bytes in the page cache.
    """
    fast = goodput is not None and goodput > _FAST_LINK
    return not fast or ready_bytes < _AHEAD_ON_FAST_LINK


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How many transfers run at once, and why."""

    streams: int = FIRST_STREAMS
    best_rate: float | None = None
    """Goodput that the last worthwhile number of streams reached."""
    windows_held: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen of the link since the last decision."""

    rate: float
    """Bytes a second."""
    all_in_use: bool
    """Every stream had something to send, all the time."""
    refusals: int = 0
    """How often the cloud said that it is too much (429, 503)."""


def window_seconds(plan: StreamPlan) -> float:
    """How long to look before the next decision: briefly while every look brings more, so that a fast link fills soon;
    longer once the number has been found, so that a gust does not change it."""
    return _WINDOW if plan.windows_held else _WINDOW_WHILE_GROWING


def next_plan(plan: StreamPlan, seen: Window) -> StreamPlan:
    """More streams as long as they bring at least a tenth more; half as many when the cloud says so."""
    if seen.refusals:
        return StreamPlan(max(FEWEST_STREAMS, plan.streams // 2), None, 0)
    if not seen.all_in_use or seen.rate <= 0:
        return plan
    if plan.best_rate is None or seen.rate >= plan.best_rate * _WORTHWHILE_GAIN:
        more = min(MOST_STREAMS, math.ceil(plan.streams * _GROWTH))
        return StreamPlan(more, seen.rate, 0)
    if plan.windows_held >= _WINDOWS_BETWEEN_PROBES:
        return StreamPlan(min(MOST_STREAMS, plan.streams + 1), seen.rate, 0)
    return replace(plan, windows_held=plan.windows_held + 1)

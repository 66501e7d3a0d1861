"""How many streams, what part size, how far to read ahead: pure decisions over what was measured of the link."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from tui_uploader.cloud.contract import MAX_PARTS, MIN_PART
from tui_uploader.cloud.net.tcp_info import Vitals

MIB = 1024**2

FEWEST_STREAMS, FIRST_STREAMS, MOST_STREAMS = 2, 4, 64
MOST_STREAMS_AGAINST_LOSS = 192
"""Where losses, and no queue, hold every stream back, and each step up to here brought more.

A stream of reno or cubic carries about 1.22 · MSS / (round trip · √loss) (Mathis et al., 1997): 34 kB/s at 300 ms and
3 %, so that 64 of them fill a third of 50 Mbit/s, and all together still send no more than the link takes. Each costs
the engine a thread and about 0.2 MiB, and the store a connection."""

_PART_SECONDS = 30.0
_UNMEASURED_PART = 16 * MIB
_LARGEST_PART = 512 * MIB

_WORTHWHILE_GAIN = 1.10
_GROWTH, _GROWTH_AGAINST_LOSS, _GROWTH_OF_SLOW_STREAMS, _PROBE = 1.5, 2.0, 4.0, 1.25
_FEW_SLOW_STREAMS = 16
"""Up to so many that carry little each because of losses, four times as many are tried next."""
_WINDOWS_BETWEEN_PROBES = 10
_WINDOW_WHILE_GROWING, _WINDOW = 1.0, 3.0
_ROUND_TRIPS_IN_WINDOW = 10
"""New streams shake hands for four, and find their pace in some more."""

_LOSSY = 0.003
_LOSS_BY_OURSELVES = 2.0
_QUEUE_SHARE, _QUEUE_SECONDS = 1.25, 0.02
_LEAST_OF_A_STREAM = 100e3

_ROUND_TRIPS_TO_SLACKEN = 6
_SHORTEST_SLACKENING = 1.0
_SLACKENED = 0.85
_FADING = 0.93

_FAST_LINK = 30e6
_AHEAD_ON_FAST_LINK = 512 * MIB


def part_size(file_size: int, goodput: float | None, streams: int) -> int:
    """Bytes of a part: what each of so many streams carries in about 30 s of the measured link (`goodput`, bytes a
    second), so that a cut costs no more, and a single large file has parts for all of them.

    A file not larger than that goes as one PUT.
    """
    wanted = _UNMEASURED_PART if goodput is None else goodput * _PART_SECONDS / streams
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
class Way:
    """How packets fare between us and the store."""

    round_trip: float
    """Seconds."""
    loss: float
    """Share of the packets that had to be sent again, of connections that slow down for it."""
    full: bool
    """They queue before the bottleneck: what the link can carry, it carries."""


def way_of(connections: Sequence[Vitals]) -> Way | None:
    """From those that send; None where nothing is known of any."""
    sending = [each for each in connections if each.segments and each.round_trip]
    if not sending:
        return None
    minding = [each for each in sending if each.minds_losses]
    round_trip = median(each.round_trip for each in sending)
    # One that was opened while there was a queue has never seen the way without it.
    least = min(each.least_round_trip for each in sending)
    return Way(
        round_trip=round_trip,
        loss=sum(each.repeated for each in minding) / max(1, sum(each.segments for each in minding)),
        full=round_trip > least * _QUEUE_SHARE + _QUEUE_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How many transfers run at once, and why."""

    streams: int = FIRST_STREAMS
    best_rate: float | None = None
    """Goodput that the last worthwhile number of streams reached."""
    windows_held: int = 0
    """For how many looks the number has been good enough; 0: another one is being tried."""
    before: int = FIRST_STREAMS
    """The number to go back to if the one that is tried brings nothing."""
    loss: float = 0.0
    """Of the way, when the number of streams was last changed."""
    own_losses: bool = False
    """More streams brought losses at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen of the link since the last decision."""

    rate: float
    """Bytes a second."""
    all_in_use: bool
    """Every stream had something to send, all the time."""
    refusals: int = 0
    """How often the cloud said that it is too much (429, 503)."""
    way: Way | None = None


def window_seconds(plan: StreamPlan, way: Way | None) -> float:
    """How long to look before the next decision: briefly while every look brings more, so that a fast link fills soon;
    longer once the number has been found, so that a gust does not change it."""
    briefest = _WINDOW if plan.windows_held else _WINDOW_WHILE_GROWING
    return briefest if way is None else max(briefest, way.round_trip * _ROUND_TRIPS_IN_WINDOW)


def next_plan(plan: StreamPlan, seen: Window) -> StreamPlan:
    """Half as many streams when the cloud says that it is too much; otherwise as many as bring something.

    A link that is full needs no more of them; a slow one fewer, so that each file is soon done and less of others'
    traffic waits behind ours. Where packets get lost and no queue tells that the link is full, it is the losses that
    hold each stream back, and twice as many carry twice as much: unless they cause the losses, as on a line whose rate
    is policed. Beyond `MOST_STREAMS` each step has to bring a tenth more; so it has where nothing is known of the way.
    """
    way = seen.way
    if seen.refusals:
        return StreamPlan(max(FEWEST_STREAMS, plan.streams // 2), before=FEWEST_STREAMS)
    if not seen.all_in_use or seen.rate <= 0:
        return plan
    gained = plan.best_rate is None or seen.rate >= plan.best_rate * _WORTHWHILE_GAIN
    if way is not None and way.full:
        if plan.streams > FIRST_STREAMS:
            return _held(plan, plan.streams)
        # Anew each time: the first look at a long way is mostly handshakes.
        enough = max(FEWEST_STREAMS, int(seen.rate / _LEAST_OF_A_STREAM))
        return _held(plan, min(FIRST_STREAMS, enough))
    loss = way.loss if way is not None else 0.0
    by_chance = plan.streams <= MOST_STREAMS and loss < plan.loss * _LOSS_BY_OURSELVES
    if loss >= _LOSSY and not plan.own_losses and (gained or by_chance):
        slow = plan.streams <= _FEW_SLOW_STREAMS and seen.rate < plan.streams * _LEAST_OF_A_STREAM
        return _tried(plan, _GROWTH_OF_SLOW_STREAMS if slow else _GROWTH_AGAINST_LOSS, seen)
    if not plan.windows_held:
        if gained:
            return _tried(plan, _GROWTH, seen)
        return replace(_held(plan, plan.before), own_losses=loss >= _LOSSY)
    if plan.windows_held >= _WINDOWS_BETWEEN_PROBES:
        return _tried(plan, _PROBE, seen)
    return _held(plan, plan.streams)


def _tried(plan: StreamPlan, factor: float, seen: Window) -> StreamPlan:
    loss = seen.way.loss if seen.way else 0.0
    most = MOST_STREAMS_AGAINST_LOSS if loss >= _LOSSY else MOST_STREAMS
    return StreamPlan(min(most, math.ceil(plan.streams * factor)), seen.rate, 0, plan.streams, loss)


def _held(plan: StreamPlan, streams: int) -> StreamPlan:
    return replace(plan, streams=streams, windows_held=plan.windows_held + 1, before=streams)


@dataclass(frozen=True, slots=True)
class Slack:
    """Whether streams leave room on the link that they used before.

    BBR takes losses of a fifth, as of a queue that it overflows itself beside others, for a policed line, and sends no
    faster than it did then for 48 round trips (`bbr_lt_bw` in Linux): over long ways that is half a minute, in which
    the queue has long been empty. And those that are left on the link when a fast one has sent its file take seconds to
    notice.
    """

    most: float = 0.0
    """Goodput of the best look, fading with every other: a link may have become slower for good."""
    found: bool = False


def slack_seconds(way: Way | None) -> float:
    """How long to look before the next `slack_after`."""
    return _SHORTEST_SLACKENING if way is None else max(_SHORTEST_SLACKENING, way.round_trip * _ROUND_TRIPS_TO_SLACKEN)


def slack_after(slack: Slack, seen: Window) -> Slack:
    most = max(seen.rate, slack.most * _FADING)
    room = seen.way is not None and not seen.way.full
    return Slack(most, room and seen.rate < most * _SLACKENED)

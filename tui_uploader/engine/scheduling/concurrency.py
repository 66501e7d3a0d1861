"""Choose the number of streams, the part size and the read-ahead from link measurements (pure decisions)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from tui_uploader.cloud.contract import MAX_PARTS, MIN_PART, TcpInfo

MIB = 1024**2

FEWEST_STREAMS, FIRST_STREAMS, MOST_STREAMS = 2, 4, 64
MOST_STREAMS_AGAINST_LOSS = 192
"""Limit where losses without a queue hold every stream back, and each step added goodput.

A stream of reno or cubic carries about 1.22 · MSS / (round trip · √loss) (Mathis et al., 1997): 34 kB/s at 300 ms and
3 %, so that 64 of them fill a third of 50 Mbit/s, and all together still send no more than the link takes. Each costs
the engine a thread and about 0.2 MiB, and the store a connection."""

_PART_SECONDS = 30.0
_UNMEASURED_PART = 16 * MIB
_LARGEST_PART = 512 * MIB

_WORTHWHILE_GAIN = 1.10
_GROWTH, _GROWTH_AGAINST_LOSS, _GROWTH_OF_SLOW_STREAMS, _PROBE = 1.5, 2.0, 4.0, 1.25
_FEW_SLOW_STREAMS = 16
"""Up to this many streams that losses keep slow, four times as many are tried next."""
_WINDOWS_BETWEEN_PROBES = 10
_WINDOW_WHILE_GROWING, _WINDOW = 1.0, 3.0
_ROUND_TRIPS_IN_WINDOW = 10
"""New streams take four for the handshakes and some more to reach their rate."""

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
    """Return the part size in bytes: about 30 s of one stream's share of `goodput` (bytes a second; None: unknown).

    A broken connection then costs at most 30 s, and one large file has parts for all streams. A file of at most this
    size is sent as one PUT.
    """
    wanted = _UNMEASURED_PART if goodput is None else goodput * _PART_SECONDS / streams
    bounded = min(max(wanted, MIN_PART), _LARGEST_PART)
    fits = math.ceil(file_size / MAX_PARTS)
    return math.ceil(max(bounded, fits) / MIB) * MIB


def may_read_ahead(ready_bytes: int, goodput: float | None) -> bool:
    """Whether another file should be read and checked now.

    On a slow link all files are checked at once, so that a damaged photo is reported while the card is at hand. On a
    fast link reading stays just ahead of sending, so that the sender finds the bytes in the page cache.
    """
    fast = goodput is not None and goodput > _FAST_LINK
    return not fast or ready_bytes < _AHEAD_ON_FAST_LINK


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """Round-trip time, packet loss and saturation of the path to the store."""

    round_trip: float
    """Seconds."""
    loss: float
    """Share of packets sent again, over connections whose congestion control slows down for losses."""
    full: bool
    """Packets queue before the bottleneck: the link carries all it can."""


def link_quality(connections: Sequence[TcpInfo]) -> LinkQuality | None:
    """Measure the link from the connections that send; None if there are none."""
    sending = [each for each in connections if each.segments and each.round_trip]
    if not sending:
        return None
    minding = [each for each in sending if each.loss_based]
    round_trip = median(each.round_trip for each in sending)
    # A connection opened while there was a queue has never measured the path without it.
    least = min(each.min_round_trip for each in sending)
    return LinkQuality(
        round_trip=round_trip,
        loss=sum(each.retransmitted for each in minding) / max(1, sum(each.segments for each in minding)),
        full=round_trip > least * _QUEUE_SHARE + _QUEUE_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """The number of concurrent transfers, and the history that the next decision needs."""

    streams: int = FIRST_STREAMS
    best_rate: float | None = None
    """Goodput at the last number of streams that was worth it, bytes a second."""
    windows_held: int = 0
    """Windows since the number was settled; 0: another number is being tried."""
    before: int = FIRST_STREAMS
    """The number to return to if the one being tried adds nothing."""
    loss: float = 0.0
    """Packet loss when the number of streams last changed."""
    own_losses: bool = False
    """More streams added only losses."""


@dataclass(frozen=True, slots=True)
class Window:
    """Measurements of the link since the last decision."""

    rate: float
    """Bytes a second."""
    all_in_use: bool
    """Every stream had something to send the whole time."""
    refusals: int = 0
    """Number of 429 and 503 replies."""
    quality: LinkQuality | None = None


def window_seconds(plan: StreamPlan, quality: LinkQuality | None) -> float:
    """Return the length of the next measurement window.

    Short while the number of streams grows, so that a fast link fills soon; longer once it is settled, so that a short
    fluctuation does not change it.
    """
    briefest = _WINDOW if plan.windows_held else _WINDOW_WHILE_GROWING
    return briefest if quality is None else max(briefest, quality.round_trip * _ROUND_TRIPS_IN_WINDOW)


def next_plan(plan: StreamPlan, seen: Window) -> StreamPlan:
    """Choose the number of streams: half as many when the cloud asks for less, otherwise as many as add goodput.

    A full link needs no more streams, and a slow one fewer: files complete sooner and other traffic queues less behind
    ours. Where packets are lost without a queue, the losses limit each stream, so twice as many carry twice as much,
    unless they cause the losses, as on a policed link. Beyond `MOST_STREAMS`, and where the link quality is unknown,
    each step has to add a tenth.
    """
    quality = seen.quality
    if seen.refusals:
        return StreamPlan(max(FEWEST_STREAMS, plan.streams // 2), before=FEWEST_STREAMS)
    if not seen.all_in_use or seen.rate <= 0:
        return plan
    gained = plan.best_rate is None or seen.rate >= plan.best_rate * _WORTHWHILE_GAIN
    if quality is not None and quality.full:
        if plan.streams > FIRST_STREAMS:
            return _held(plan, plan.streams)
        # Computed anew each time: the first window on a long path is mostly handshakes.
        enough = max(FEWEST_STREAMS, int(seen.rate / _LEAST_OF_A_STREAM))
        return _held(plan, min(FIRST_STREAMS, enough))
    loss = quality.loss if quality is not None else 0.0
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
    loss = seen.quality.loss if seen.quality else 0.0
    most = MOST_STREAMS_AGAINST_LOSS if loss >= _LOSSY else MOST_STREAMS
    return StreamPlan(min(most, math.ceil(plan.streams * factor)), seen.rate, 0, plan.streams, loss)


def _held(plan: StreamPlan, streams: int) -> StreamPlan:
    return replace(plan, streams=streams, windows_held=plan.windows_held + 1, before=streams)


@dataclass(frozen=True, slots=True)
class Slack:
    """Detection of unused capacity that the streams used before.

    BBR takes a loss of 20 %, as from a queue that it overflows together with other streams, for a policed link, and
    keeps its rate for 48 round trips (`bbr_lt_bw` in Linux): on long paths half a minute, in which the queue has long
    been empty. And streams that stay after a fast one has finished take seconds to speed up.
    """

    most: float = 0.0
    """Best goodput so far, decaying with every window: the link may have become slower for good."""
    found: bool = False


def slack_seconds(quality: LinkQuality | None) -> float:
    """Return the length of the window for the next `slack_after`."""
    return (
        _SHORTEST_SLACKENING
        if quality is None
        else max(_SHORTEST_SLACKENING, quality.round_trip * _ROUND_TRIPS_TO_SLACKEN)
    )


def slack_after(slack: Slack, seen: Window) -> Slack:
    most = max(seen.rate, slack.most * _FADING)
    spare = seen.quality is not None and not seen.quality.full
    return Slack(most, spare and seen.rate < most * _SLACKENED)

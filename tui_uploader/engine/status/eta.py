"""Rate and time left: pure.

The time left comes from the rates at which bytes were recently sent, and from what limit, timetable and data budget
allow from now on. Rates survive pauses and cuts: after those, the ones from before apply until there are new ones.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tui_uploader.engine.bandwidth.policy import Outlook, is_held_back
from tui_uploader.model.uploads import EtaRange

_RATE_SECONDS = 10.0
_SPAN_SECONDS = 120.0
_SLICE_SECONDS = 5.0
_SLICES = 24
_FIRST_SLICE_SECONDS = 2.0
"""A slice that has only begun counts from this age while there is no other."""
_LONGEST_GAP = 2.0
"""Seconds without a sample after which nothing was being sent."""
_FEW_SLICES, _DOUBT = 4, 1.3
"""With fewer slices, the range is wider by this factor at both ends."""
_LONGEST_LOOK = 60 * 86_400.0


@dataclass(slots=True)
class RateMeter:
    """Samples of the bytes sent, over the last seconds."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)
    """(monotonic seconds, bytes sent so far)."""

    def note(self, now: float, sent: int) -> None:
        if self.samples and sent < self.samples[-1][1]:
            # Bytes of a failed attempt no longer count; older samples would show a negative rate.
            self.samples.clear()
        if self.samples and now - self.samples[-1][0] < 0.2:
            return
        self.samples.append((now, sent))
        while now - self.samples[0][0] > _RATE_SECONDS:
            self.samples.popleft()

    def rate(self, now: float) -> float:
        """Bytes a second over the last ten seconds; 0 without samples."""
        recent = [sample for sample in self.samples if now - sample[0] <= _RATE_SECONDS]
        if len(recent) < 2:
            return 0.0
        (start, before), (end, after) = recent[0], recent[-1]
        return max(0.0, (after - before) / (end - start))


class _Slice(NamedTuple):
    rate: float
    cap: int | None
    """The limit that applied."""

    @property
    def held_back(self) -> bool:
        return is_held_back(self.rate, self.cap)


@dataclass(slots=True)
class RateMemory:
    """Mean rates of the last two minutes in which something was sent, in slices of about five seconds."""

    slices: deque[_Slice] = field(default_factory=lambda: deque(maxlen=_SLICES))
    _began: tuple[float, int] | None = None
    _last: tuple[float, int] | None = None
    _cap: int | None = None

    def note(self, now: float, sent: int, cap: int | None) -> None:
        """`sent`: bytes so far; `cap`: the limit that applies. To be called only while something is being sent."""
        gap = self._last is None or now - self._last[0] > _LONGEST_GAP or sent < self._last[1] or cap != self._cap
        if gap:
            self._keep(_FIRST_SLICE_SECONDS)
            self._began = (now, sent)
        self._last, self._cap = (now, sent), cap
        if self._keep(_SLICE_SECONDS):
            self._began = (now, sent)

    def _keep(self, seconds: float) -> bool:
        """Keep the current slice if it is that long."""
        if self._seconds < seconds:
            return False
        if self._sent > 0:  # otherwise the link was cut, which says nothing about its rate afterwards
            self.slices.append(_Slice(self._sent / self._seconds, self._cap))
        return True

    @property
    def _seconds(self) -> float:
        return self._last[0] - self._began[0] if self._last and self._began else 0.0

    @property
    def _sent(self) -> int:
        return self._last[1] - self._began[1] if self._last and self._began else 0

    def likely(self, cap: int | None) -> tuple[float, float] | None:
        """The range of the rate that the link will probably have under the limit `cap`; None: nothing was sent yet.

        What was measured under a lower limit tells little about a higher one, and is used only if there is nothing
        else.
        """
        free = [each.rate for each in self.slices if not each.held_back or (cap is not None and each.rate >= cap)]
        rates = free or [each.rate for each in self.slices]
        if not rates and self._seconds >= _FIRST_SLICE_SECONDS and self._sent > 0:
            rates = [self._sent / self._seconds]
        if not rates:
            return None
        ordered = sorted(rates)
        low, high = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
        return (low / _DOUBT, high * _DOUBT) if len(rates) < _FEW_SLICES else (low, high)


# ------------------------------------------------------------------------------------------------------ time left


def time_left(left: Mapping[int, int], link: tuple[float, float], outlook: Outlook) -> dict[int, EtaRange]:
    """The seconds until each upload has sent its bytes, by upload; without those that will not, as far as is known.

    `left`: the bytes of uploads that share the link fairly: until one is through, each other one has sent as much, or
    all it has. `link`: bytes a second that the link carries, worse and better.
    """
    targets = _bytes_until_done(left)
    amounts = sorted(set(targets.values()))
    slow, fast = (seconds_to_send(amounts, rate, outlook) for rate in link)
    return {
        upload: EtaRange(low=fast[amount], high=slow[amount])
        for upload, amount in targets.items()
        if amount in slow and amount in fast
    }


def last_of(etas: Mapping[int, EtaRange], uploads: Collection[int]) -> EtaRange | None:
    """Until all `uploads` are through; None while that of one is unknown."""
    if not uploads or any(upload not in etas for upload in uploads):
        return None
    return EtaRange(max(eta.low for eta in etas.values()), max(eta.high for eta in etas.values()))


def _bytes_until_done(left: Mapping[int, int]) -> dict[int, int]:
    """The bytes that are sent in all until each upload is through, by upload."""
    targets: dict[int, int] = {}
    through, ordered = 0, sorted(left, key=lambda upload: left[upload])
    for place, upload in enumerate(ordered):
        targets[upload] = through + left[upload] * (len(ordered) - place)
        through += left[upload]
    return targets


def seconds_to_send(amounts: Sequence[int], rate: float, outlook: Outlook) -> dict[int, float]:
    """The seconds after which each of the ascending `amounts` is sent at `rate`, as far as the outlook permits."""
    found: dict[int, float] = {}
    sent, at = 0.0, outlook.now
    budget = math.inf if outlook.budget_left is None else float(outlook.budget_left)
    renewals = iter(outlook.renewals)
    renewal = next(renewals, math.inf)
    spans = iter(outlook.spans)
    span = next(spans)
    waiting = deque(amounts)
    while waiting and at < outlook.now + _LONGEST_LOOK:
        until = math.inf if span.until is None else span.until
        allowed = rate if span.rate is None else min(rate, float(span.rate))
        end = min(until, renewal)
        possible = min(budget, allowed * (end - at) if allowed else 0.0)
        while waiting and waiting[0] <= sent + possible:
            seconds = at - outlook.now + ((waiting[0] - sent) / allowed if allowed else 0.0)
            found[waiting.popleft()] = seconds
        if end == math.inf:
            break
        sent, budget, at = sent + possible, budget - possible, end
        if at >= renewal:
            budget, renewal = float(outlook.budget), next(renewals, math.inf)
        if at >= until:
            span = next(spans, span._replace(until=None))
    return found

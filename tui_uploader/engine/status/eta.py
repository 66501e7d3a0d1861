"""Rate and time left, from samples of bytes sent: pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tui_uploader.model.uploads import EtaRange

_RATE_SECONDS = 10.0
_SPAN_SECONDS = 120.0
_TRUSTED_AFTER = 20.0
_SLICE_SECONDS = 5.0


@dataclass(slots=True)
class RateMeter:
    """Samples of the bytes sent, over two minutes."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)
    """(monotonic seconds, bytes sent so far)."""

    def note(self, now: float, sent: int) -> None:
        if self.samples and sent < self.samples[-1][1]:
            # Bytes of a failed attempt no longer count; older samples would show a negative rate.
            self.samples.clear()
        if self.samples and now - self.samples[-1][0] < 0.2:
            return
        self.samples.append((now, sent))
        while now - self.samples[0][0] > _SPAN_SECONDS:
            self.samples.popleft()

    def forget(self) -> None:
        self.samples.clear()

    def rate(self, now: float) -> float:
        """Bytes a second over the last ten seconds; 0 without samples."""
        recent = [sample for sample in self.samples if now - sample[0] <= _RATE_SECONDS]
        if len(recent) < 2:
            return 0.0
        (start, before), (end, after) = recent[0], recent[-1]
        return max(0.0, (after - before) / (end - start))

    def eta(self, left: int) -> EtaRange | None:
        """Range of seconds that `left` bytes will probably take, from the better and worse slices of the last minutes.

        None until there are samples of twenty seconds, and while nothing moves.
        """
        rates = _slice_rates(list(self.samples))
        if len(rates) * _SLICE_SECONDS < _TRUSTED_AFTER:
            return None
        ordered = sorted(rates)
        low_rate, high_rate = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
        if low_rate <= 0:
            return None
        return EtaRange(low=left / high_rate, high=left / low_rate)


def _slice_rates(samples: list[tuple[float, int]]) -> list[float]:
    """Mean rates of consecutive slices of about five seconds."""
    rates: list[float] = []
    if not samples:
        return rates
    start, before = samples[0]
    for now, sent in samples[1:]:
        if now - start >= _SLICE_SECONDS:
            rates.append((sent - before) / (now - start))
            start, before = now, sent
    return rates

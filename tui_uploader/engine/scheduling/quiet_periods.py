"""Uploads of watched folders stay open for a while after their newest file, because more may come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Period:
    ends: float
    """Monotonic time."""
    ends_at: float
    """The same by the wall clock, as it was when the period began."""


class QuietPeriods:
    """The quiet periods by upload. They are not kept: the watch begins them anew after a restart."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._periods: dict[int, _Period] = {}

    def begin(self, upload: int, seconds: float) -> None:
        """Keep the upload open for so long from now on, unless it is kept open for longer."""
        found = self._periods.get(upload)
        if found is None or found.ends < self._monotonic() + seconds:
            self._periods[upload] = _Period(self._monotonic() + seconds, self._wall() + seconds)

    def left(self, upload: int) -> float:
        """Seconds for which the upload is kept open; 0: it may be completed."""
        found = self._periods.get(upload)
        return 0.0 if found is None else max(0.0, found.ends - self._monotonic())

    def ends_at(self, upload: int) -> float | None:
        """When the period ends, by the wall clock; None: none runs."""
        found = self._periods.get(upload)
        return found.ends_at if found is not None and found.ends > self._monotonic() else None

    def was_waited_for(self, upload: int) -> bool:
        """Whether a period has run to its end."""
        found = self._periods.get(upload)
        return found is not None and found.ends <= self._monotonic()

    def end(self, upload: int) -> None:
        """The upload need not stay open any longer."""
        self._periods.pop(upload, None)

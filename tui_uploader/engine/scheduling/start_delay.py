"""The delay between the end of an upload and the automatic start of processing, in which the user can stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Delay:
    images: int
    ends: float
    """Monotonic time."""
    ends_at: float
    """The same by the wall clock, as it was when the delay began."""


class StartDelays:
    """The delays that run, by project. They are not kept: after a restart of the engine, each begins again."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float], seconds: float) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._seconds = seconds
        self._delays: dict[int, _Delay] = {}

    def left(self, project: int, images: int) -> float:
        """Return the seconds until the start may follow; 0 from then on.

        The first call begins the delay, and so does the first one with another number of `images`.
        """
        found = self._delays.get(project)
        if found is None or found.images != images:
            found = _Delay(images, self._monotonic() + self._seconds, self._wall() + self._seconds)
            self._delays[project] = found
        return max(0.0, found.ends - self._monotonic())

    def ends_at(self, project: int) -> float | None:
        """Return the time of the start by the wall clock; None: no delay runs or has run."""
        found = self._delays.get(project)
        return None if found is None else found.ends_at

    def cancel(self, project: int) -> None:
        """Forget the delay: the next one takes its whole time."""
        self._delays.pop(project, None)

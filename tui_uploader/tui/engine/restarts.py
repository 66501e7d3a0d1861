"""Whether an engine that ended without being stopped is started again, and after how long. Pure."""

from __future__ import annotations

PAUSES = (0.5, 2.0, 8.0)
"""Seconds before each start on its own; after these the user is asked."""
_LASTING = 60.0
"""Seconds after which an engine counts as one that runs: the next end is counted from the beginning."""


class Restarts:
    """Counts the ends of the engine."""

    def __init__(self) -> None:
        self._made = 0

    @property
    def made(self) -> int:
        """Starts in a row that did not last."""
        return self._made

    def forget(self) -> None:
        """The user starts the engine, or stopped it."""
        self._made = 0

    def pause(self, lasted: float) -> float | None:
        """The engine ended after so many seconds, 0 if it did not start: how long to wait before the next start.

        None: the user has to decide.
        """
        if lasted >= _LASTING:
            self._made = 0
        if self._made >= len(PAUSES):
            return None
        self._made += 1
        return PAUSES[self._made - 1]

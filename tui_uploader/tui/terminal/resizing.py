"""Waits until a window that is dragged has its last size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_PAUSE, _LONGEST = 0.15, 3.0
"""Seconds without another size until a window counts as resized, and that its sizes are waited out at most."""


class Resizing:
    """A window that is dragged has many sizes, and each would be a whole screen on a line that may be thin."""

    def __init__(self, done: Callable[[], None]) -> None:
        """`done` is called in the event loop, once for many sizes."""
        self._done = done
        self._timer: asyncio.TimerHandle | None = None
        self._ends = 0.0

    @property
    def goes_on(self) -> bool:
        return self._timer is not None

    def resized(self) -> None:
        """There is another size. In the event loop only."""
        now = time.monotonic()
        if self._timer is None:
            self._ends = now + _LONGEST
        else:
            self._timer.cancel()
        delay = min(_PAUSE, max(0.0, self._ends - now))
        self._timer = asyncio.get_running_loop().call_later(delay, self._end)

    def _end(self) -> None:
        self._timer = None
        self._done()

"""Handle resizes: one repaint for a dragged window, and one layout for the current size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual import events, on
from textual.message_pump import MessagePump

_QUIET_SECONDS, _MOST_SECONDS = 0.15, 3.0
"""Time without a further size after which the window counts as resized, and the longest wait for that."""


class ResizeDebounce:
    """Turns the many sizes of a window that is being dragged into one call: each would be a full repaint."""

    def __init__(self, done: Callable[[], None]) -> None:
        """`done` is called in the event loop."""
        self._done = done
        self._timer: asyncio.TimerHandle | None = None
        self._ends = 0.0

    @property
    def pending(self) -> bool:
        return self._timer is not None

    def resized(self) -> None:
        """Note another size. Call it in the event loop only."""
        now = time.monotonic()
        if self._timer is None:
            self._ends = now + _MOST_SECONDS
        else:
            self._timer.cancel()
        delay = min(_QUIET_SECONDS, max(0.0, self._ends - now))
        self._timer = asyncio.get_running_loop().call_later(delay, self._end)

    def _end(self) -> None:
        self._timer = None
        self._done()


class ResizeGuard(MessagePump):
    """A mixin for screens, first among the bases: ignores resize events that are out of date.

    Textual 8.2.8 lays a screen out for every `Resize` in its queue, and each layout of another size than the last posts
    one more: with two sizes in the queue, after a quick drag or on a slow machine, this never ends.
    """

    @on(events.Resize)
    def _ignore_outdated_size(self, event: events.Resize) -> None:
        """The app learns the size before its screens do, so any other size is out of date."""
        if event.size != self.app.size:
            event.prevent_default()

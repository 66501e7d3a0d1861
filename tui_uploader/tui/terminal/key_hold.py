"""Keep keys back, in their order, while an answer decides what they are about.

Typed-ahead keys reach the app while the engine still works on the key before them: `A` selects files that the engine
has to name, and an `x` behind it is meant for these.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from textual import events
from textual.app import App

from tui_uploader.text import counted
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.terminal.input_events import when_processed

DEADLINE = 10.0
"""Seconds after which keys are dropped rather than kept back any longer."""
_LOOK_EVERY = 0.01
_EFFECT_WAIT = 0.5
"""Longest time, in seconds, that a key delays the next one, as in the driver."""


class KeyHold:
    """The queue of the keys of one app."""

    def __init__(
        self,
        app: App[Any],
        waits: Callable[[events.Event], bool],
        *,
        deadline: float = DEADLINE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`waits`: whether an event must wait now."""
        self._app = app
        self._waits = waits
        self._deadline = deadline
        self._clock = clock
        self._queue: deque[events.Event] = deque()
        self._passing: events.Event | None = None

    def keeps(self, event: events.Event) -> bool:
        """Whether `event` is kept back, to be posted again later. Ask this for every key and paste that arrives."""
        if event is self._passing:
            self._passing = None
            return False
        if not self._queue and not self._waits(event):
            return False
        self._queue.append(event)
        if len(self._queue) == 1:
            self._app.run_worker(self._replay(), name="kept keys", group="kept keys", description="kept keys")
        return True

    async def _replay(self) -> None:
        while self._queue:
            until = self._clock() + self._deadline
            while self._waits(self._queue[0]) and self._clock() < until:  # noqa: ASYNC110 -- screens set no event
                await asyncio.sleep(_LOOK_EVERY)
            if self._waits(self._queue[0]):
                dropped = counted(len(self._queue), "key")
                self._queue.clear()
                text = f"The engine has not answered for {DEADLINE:.0f} s: {dropped} typed meanwhile dropped."
                self._app.post_message(Noticed(text, "warning", seconds=15.0))
                return
            await self._pass_on(self._queue[0])
            self._queue.popleft()

    async def _pass_on(self, event: events.Event) -> None:
        """Let the app handle `event`, and wait for its effect: it may be what the next one is about."""
        processed = asyncio.Event()
        self._passing = event
        self._app.post_message(event)
        self._app.call_later(partial(when_processed, self._app, processed.set))
        with suppress(TimeoutError):  # a widget on its way was removed
            await asyncio.wait_for(processed.wait(), _EFFECT_WAIT)

"""Measuring windows over the bytes that are sent: how many streams to use, and when a link has capacity to spare."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tui_uploader.engine.bandwidth.governor import BandwidthGovernor
from tui_uploader.engine.scheduling.concurrency import (
    LinkQuality,
    Slack,
    StreamPlan,
    Window,
    next_plan,
    slack_after,
    slack_seconds,
    window_seconds,
)

log = logging.getLogger(__name__)


class StreamPlanner:
    """Chooses the number of streams from the goodput of one window after another."""

    def __init__(self, governor: BandwidthGovernor, streams: int, now: float) -> None:
        self._governor = governor
        self._began = (now, 0)
        self._plan = StreamPlan(streams)

    @property
    def streams(self) -> int:
        return self._plan.streams

    def restart(self, now: float, sent: int) -> None:
        """Begin a new window: nothing was sent in the one before."""
        self._began = (now, sent)

    def measure(
        self, now: float, sent: int, all_in_use: bool, quality: LinkQuality | None, take_refusals: Callable[[], int]
    ) -> None:
        """Plan anew at the end of a window. `sent`: bytes since the start; `now`: monotonic seconds."""
        began, before = self._began
        if now - began < window_seconds(self._plan, quality):
            return
        self._began = (now, sent)
        seen = Window(max(0, sent - before) / (now - began), all_in_use, take_refusals(), quality)
        # Under a rate limit, more streams add nothing, and fewer would not show anything about the link.
        limited = self._governor.holds_back(seen.rate) or self._governor.most_streams < self._plan.streams
        if seen.refusals or not limited:
            self._plan = next_plan(self._plan, seen)
            log.debug("%s, so: %s", seen, self._plan)


class SlackDetector:
    """Finds out when the streams leave capacity of the link unused that they used before."""

    def __init__(self, governor: BandwidthGovernor, now: float) -> None:
        self._governor = governor
        self._began = (now, 0)
        self._slack = Slack()

    def restart(self, now: float, sent: int) -> None:
        self._began = (now, sent)

    def found(self, now: float, sent: int, all_in_use: bool, quality: LinkQuality | None) -> bool:
        """Whether a window ends now that showed unused capacity. `sent`: bytes since the start."""
        began, before = self._began
        if now - began < slack_seconds(quality):
            return False
        self._began = (now, sent)
        seen = Window(max(0, sent - before) / (now - began), all_in_use, quality=quality)
        self._slack = slack_after(self._slack, seen)
        return self._slack.found and not self._governor.holds_back(seen.rate)

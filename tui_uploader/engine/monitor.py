"""The engine's heartbeat while something moves: measures, sets the number of streams, and counts active time."""

from __future__ import annotations

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tui_uploader.cloud.contract import TcpInfo
from tui_uploader.engine.accounts.link_monitor import slept, stands_still
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import uploads
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.scheduling.concurrency import (
    LinkQuality,
    Slack,
    StreamPlan,
    Window,
    link_quality,
    next_plan,
    slack_after,
    slack_seconds,
    window_seconds,
)
from tui_uploader.engine.sources import threads
from tui_uploader.errors import LinkStalled

log = logging.getLogger(__name__)

_BEAT = 0.5
_SECONDS_BETWEEN_SAVES = 10.0


class Monitor:
    """Sleeps, and costs nothing, while nothing moves."""

    def __init__(self, context: EngineContext, sender: Sender) -> None:
        self._context = context
        self._sender = sender
        self.wakeup = context.notifier.subscribe(Topic.WORK, Topic.BANDWIDTH, Topic.TRANSFERS)
        self._plan = StreamPlan(context.streams.limit)
        self._window_began = (context.clocks.monotonic(), 0)
        self._slack = Slack()
        self._slack_began = self._window_began
        self._last_beat: float | None = None
        self._spent: dict[int, float] = defaultdict(float)
        self._saved_at = context.clocks.monotonic()
        self._held = context.governor.state.holds
        self._running = 0
        self._tcp_info: Mapping[str, Sequence[TcpInfo]] = {}
        self._looked = (context.clocks.wall(), context.clocks.monotonic())

    def active_seconds(self, upload: int) -> float:
        """Active time of the upload that is not in the journal yet."""
        return self._spent.get(upload, 0.0)

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        moving = self._context.progress.running > 0
        busy = self._busy_uploads()
        if self._last_beat is not None:
            for upload in busy:
                self._spent[upload] += now - self._last_beat
        self._last_beat = now if busy else None
        if now - self._looked[1] >= _BEAT:
            self._watch_links(now, moving)
            self._watch_disks()
        if moving:
            self._context.progress.measure(now)
            quality = link_quality([each for connections in self._tcp_info.values() for each in connections])
            self._plan_streams(now, quality)
            self._share_what_is_left()
            self._take_up_slack(now, quality)
        else:
            self._window_began = self._slack_began = (now, self._context.progress.sent_since_start)
        changes_in = self._obey_governor()
        unsaved = self._spent or self._context.governor.unsaved
        if unsaved and (not busy or now - self._saved_at > _SECONDS_BETWEEN_SAVES):
            await self.save()
        return _BEAT if busy else changes_in

    async def save(self) -> None:
        """Write down the active time, and what left this machine."""
        spent, self._spent = dict(self._spent), defaultdict(float)
        self._saved_at = self._context.clocks.monotonic()

        def add(connection: sqlite3.Connection) -> None:
            uploads.add_active_seconds(connection, spent)

        await self._context.journal.write(add)
        await self._context.governor.save()

    def _busy_uploads(self) -> list[int]:
        return [upload for upload in self._context.summary.uploads if self._context.summary.busy(upload)]

    def _obey_governor(self) -> float | None:
        """Let through what the user's settings allow now. Seconds until that changes by itself."""
        context, state = self._context, self._context.governor.state
        context.governor.apply()
        limit = min(self._plan.streams, context.governor.most_streams)
        if state.holds != self._held or limit != context.streams.limit:
            self._held = state.holds
            context.notifier.notify(Topic.BANDWIDTH)
        context.streams.limit = limit
        return None if state.until is None else max(_BEAT, state.until - context.clocks.wall())

    def _watch_disks(self) -> None:
        """Bodies are read by the threads that send them: only these know of a disk that does not answer."""
        accounts = self._context.accounts.all
        waiting = [each.cloud.connections.stalled_reads(threads.HANGS_AFTER) for each in accounts]
        self._context.sources.note_blocked(path for paths in waiting for path in paths)

    def _watch_links(self, now: float, moving: bool) -> None:
        """Packets may vanish without a word, and a machine that wakes up may be somewhere else."""
        self._tcp_info = (
            {one.login.account: one.cloud.connections.tcp_info() for one in self._context.accounts.all}
            if moving
            else {}
        )
        wall = self._context.clocks.wall()
        (wall_before, before), self._looked = self._looked, (wall, now)
        woke_up = slept(wall - wall_before, now - before)
        for signed_in in self._context.accounts.all:
            if woke_up:
                signed_in.link.try_now()
            connections = self._tcp_info.get(signed_in.login.account, ())
            if stands_still(connections) or (woke_up and connections):
                signed_in.link.doubt(LinkStalled("Nothing of what is sent arrives any more."))

    def _share_what_is_left(self) -> None:
        """At the end of an upload there are fewer and fewer transfers, and the link is to stay full to the last."""
        before, self._running = self._running, self._context.progress.running
        if self._running < before and self._context.streams.some_free:
            self._look_for_more()

    def _take_up_slack(self, now: float, quality: LinkQuality | None) -> None:
        context = self._context
        began, before = self._slack_began
        if now - began < slack_seconds(quality):
            return
        sent = context.progress.sent_since_start
        self._slack_began = (now, sent)
        seen = Window(
            rate=max(0, sent - before) / (now - began), all_in_use=context.streams.all_in_use, quality=quality
        )
        self._slack = slack_after(self._slack, seen)
        if self._slack.found and not context.governor.holds_back(seen.rate):
            self._look_for_more()

    def _look_for_more(self) -> None:
        for signed_in in self._context.accounts.all:
            signed_in.cloud.connections.remeasure_link()

    def _plan_streams(self, now: float, quality: LinkQuality | None) -> None:
        context = self._context
        began, before = self._window_began
        if now - began < window_seconds(self._plan, quality):
            return
        sent = context.progress.sent_since_start
        self._window_began = (now, sent)
        seen = Window(
            rate=max(0, sent - before) / (now - began),
            all_in_use=context.streams.all_in_use,
            refusals=self._sender.take_refusals(),
            quality=quality,
        )
        # Held by a cap, more streams bring nothing, and fewer would not tell of the link either.
        if seen.refusals or not (
            context.governor.holds_back(seen.rate) or context.governor.most_streams < self._plan.streams
        ):
            self._plan = next_plan(self._plan, seen)
            log.debug("%s, so: %s", seen, self._plan)

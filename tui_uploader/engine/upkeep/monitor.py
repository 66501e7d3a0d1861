"""Watches transfers while they run: measures them, sets the number of streams, and suspects links and disks."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tui_uploader.cloud.contract import TcpInfo
from tui_uploader.engine.accounts.link_monitor import is_stalled, was_suspended
from tui_uploader.engine.bandwidth.measuring import SlackDetector, StreamPlanner
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import uploads
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.scheduling.concurrency import link_quality
from tui_uploader.engine.sources import threads
from tui_uploader.errors import LinkStalled

_BEAT = 0.5
_SECONDS_BETWEEN_SAVES = 10.0


class Monitor:
    """Takes a step every half second while an upload has something to do; none while the engine is idle."""

    def __init__(self, context: EngineContext, sender: Sender) -> None:
        now = context.clocks.monotonic()
        self._context = context
        self._sender = sender
        self.wakeup = context.notifier.subscribe(Topic.WORK, Topic.BANDWIDTH, Topic.TRANSFERS)
        self._planner = StreamPlanner(context.governor, context.streams.limit, now)
        self._slack = SlackDetector(context.governor, now)
        self._last_beat: float | None = None
        self._active: dict[int, float] = defaultdict(float)
        self._saved_at = now
        self._last_words = context.governor.state.holds
        self._last_running = 0
        self._tcp_info: Mapping[str, Sequence[TcpInfo]] = {}
        self._last_look = (context.clocks.wall(), now)

    def active_seconds(self, upload: int) -> float:
        """Active time of the upload that is not in the journal yet."""
        return self._active.get(upload, 0.0)

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        moving = self._context.progress.running > 0
        busy = [upload for upload in self._context.summary.uploads if self._context.summary.busy(upload)]
        self._count_active_time(busy, now)
        if now - self._last_look[1] >= _BEAT:
            self._watch_links(now, moving)
            self._watch_disks()
        if moving:
            self._measure(now)
        else:
            for windows in (self._planner, self._slack):
                windows.restart(now, self._context.progress.sent_since_start)
        changes_in = self._apply_limits()
        unsaved = self._active or self._context.governor.unsaved
        if unsaved and (not busy or now - self._saved_at > _SECONDS_BETWEEN_SAVES):
            await self.save()
        return _BEAT if busy else changes_in

    async def save(self) -> None:
        """Write the active time and the bytes that were sent to the journal."""
        active, self._active = dict(self._active), defaultdict(float)
        self._saved_at = self._context.clocks.monotonic()

        def add(connection: sqlite3.Connection) -> None:
            uploads.add_active_seconds(connection, active)

        await self._context.journal.write(add)
        await self._context.governor.save()

    def _count_active_time(self, busy: Sequence[int], now: float) -> None:
        if self._last_beat is not None:
            for upload in busy:
                self._active[upload] += now - self._last_beat
        self._last_beat = now if busy else None

    def _apply_limits(self) -> float | None:
        """Set the rate and the number of streams that are allowed now. Returns the seconds until that changes."""
        context, state = self._context, self._context.governor.state
        context.governor.apply()
        limit = min(self._planner.streams, context.governor.most_streams)
        if state.holds != self._last_words or limit != context.streams.limit:
            self._last_words = state.holds
            context.notifier.notify(Topic.BANDWIDTH)
        context.streams.limit = limit
        return None if state.until is None else max(_BEAT, state.until - context.clocks.wall())

    def _watch_disks(self) -> None:
        """Bodies are read by the threads that send them: only these know of a disk that does not respond."""
        accounts = self._context.accounts.all
        waiting = [each.cloud.connections.stalled_reads(threads.HANGS_AFTER) for each in accounts]
        self._context.sources.note_blocked(path for paths in waiting for path in paths)

    def _watch_links(self, now: float, moving: bool) -> None:
        """Packets may be lost without an error, and a machine that wakes up may be in another network."""
        accounts = self._context.accounts.all
        self._tcp_info = {each.login.account: each.cloud.connections.tcp_info() for each in accounts} if moving else {}
        wall = self._context.clocks.wall()
        (wall_before, before), self._last_look = self._last_look, (wall, now)
        woke_up = was_suspended(wall - wall_before, now - before)
        for signed_in in accounts:
            if woke_up:
                signed_in.link.try_now()
            connections = self._tcp_info.get(signed_in.login.account, ())
            if is_stalled(connections) or (woke_up and connections):
                signed_in.link.doubt(LinkStalled("Connection lost: no acknowledgements for 2 s."))

    def _measure(self, now: float) -> None:
        progress, streams = self._context.progress, self._context.streams
        progress.measure(now, self._context.governor.state.rate)
        quality = link_quality([each for connections in self._tcp_info.values() for each in connections])
        sent, all_in_use = progress.sent_since_start, streams.all_in_use
        self._planner.measure(now, sent, all_in_use, quality, self._sender.take_refusals)
        # At the end of an upload there are fewer and fewer transfers, and the link should stay full to the last.
        fewer = progress.running < self._last_running and streams.some_free
        self._last_running = progress.running
        if self._slack.found(now, sent, all_in_use, quality) or fewer:
            for signed_in in self._context.accounts.all:
                signed_in.cloud.connections.remeasure_link()

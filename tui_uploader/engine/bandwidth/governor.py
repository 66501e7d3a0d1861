"""Keeps what the user set about bandwidth, counts what left this machine, and turns the throttle accordingly."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping

from tui_uploader.cloud.throttle import Throttle
from tui_uploader.engine.bandwidth.policy import (
    Pace,
    Preferences,
    admits,
    bandwidth,
    changed,
    checked,
    day_of,
    is_held_back,
    most_streams,
    pace_at,
    used_of,
)
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import preferences as sql
from tui_uploader.engine.scheduling.concurrency import MOST_STREAMS_AGAINST_LOSS
from tui_uploader.model import Bandwidth, BandwidthChange

_NAME = "bandwidth"
_PACE_SECONDS = 60.0
"""How long a look at the timetable is good for at most: somebody may set the machine's clock."""


class BandwidthGovernor:
    """One for the engine.

    What was sent is written down every ten seconds or so and at the end: a crash makes the budget miss what those few
    seconds sent. It counts the bytes of files, also those that are sent again; not what the protocols add, some 3 %.
    """

    def __init__(
        self,
        journal: Journal,
        throttle: Throttle,
        wall: Callable[[], float],
        set_before: Preferences,
        traffic: Mapping[str, int],
    ) -> None:
        self.throttle = throttle
        self._journal = journal
        self._wall = wall
        self._preferences = set_before
        self._traffic: defaultdict[str, int] = defaultdict(int, traffic)
        self._unsaved: defaultdict[str, int] = defaultdict(int)
        self._noted = throttle.passed
        self._pace = Pace()
        self._paced_at: float | None = None
        self._set_overdrawn = False
        self.apply()

    @classmethod
    async def open(cls, journal: Journal, throttle: Throttle, wall: Callable[[], float]) -> BandwidthGovernor:
        """As the engine before left it. Raises JournalDamaged."""
        set_before = await journal.read(lambda connection: sql.preference(connection, _NAME, Preferences(), checked))
        return cls(journal, throttle, wall, set_before, await journal.read(sql.traffic))

    # ------------------------------------------------------------------------------------------- what holds now

    @property
    def state(self) -> Bandwidth:
        now = self._wall()
        return bandwidth(self._preferences, self._pace_now(now), self._used(now), now)

    @property
    def closed(self) -> bool:
        """Nothing may begin."""
        return self.shut or not self.admits(0)

    @property
    def shut(self) -> bool:
        """Not even what is under way goes on: by cap or timetable, or because the user made the budget smaller than
        what is spent already."""
        return self._pace_now(self._wall()).rate == 0 or (self._set_overdrawn and not self.admits(0))

    @property
    def most_streams(self) -> int:
        return most_streams(self._pace_now(self._wall()).rate, MOST_STREAMS_AGAINST_LOSS)

    def holds_back(self, goodput: float) -> bool:
        """The cap, and not the link, is what ends at `goodput` (bytes a second)."""
        return is_held_back(goodput, self._pace_now(self._wall()).rate)

    def admits(self, promised: int) -> bool:
        """Whether the budget lets another body begin; `promised`: bytes that those under way have yet to send."""
        return admits(self._preferences, self._used(self._wall()), promised)

    def apply(self) -> None:
        """Set the throttle to what holds now."""
        self.throttle.rate = self._pace_now(self._wall()).rate

    def _pace_now(self, now: float) -> Pace:
        known = self._paced_at is not None and self._paced_at <= now < self._paced_at + _PACE_SECONDS
        if not known or (self._pace.until is not None and now >= self._pace.until):
            self._pace, self._paced_at = pace_at(self._preferences, now), now
        return self._pace

    # ----------------------------------------------------------------------------------------- what the user sets

    async def change(self, change: BandwidthChange) -> Bandwidth:
        """Holds at once, and is remembered. Raises UsageError, and then nothing changed."""
        self._note(self._wall())
        wanted = changed(self._preferences, change, self._traffic)
        await self._journal.write(lambda connection: sql.prefer(connection, _NAME, wanted))
        self._preferences, self._paced_at = wanted, None
        self._set_overdrawn = not self.admits(0)
        self.apply()
        return self.state

    # --------------------------------------------------------------------------------------------- what was sent

    @property
    def unsaved(self) -> int:
        """Bytes that left and are not written down."""
        self._note(self._wall())
        return sum(self._unsaved.values())

    async def save(self) -> None:
        self._note(self._wall())
        saved = dict(self._unsaved)

        def written() -> None:
            for day, count in saved.items():
                self._unsaved[day] -= count
                if not self._unsaved[day]:
                    del self._unsaved[day]

        if saved:

            def add(connection: sqlite3.Connection) -> None:
                sql.add_traffic(connection, saved)

            await self._journal.write(add, then=written)

    def _used(self, now: float) -> int:
        if self._preferences.budget is None:
            return 0
        self._note(now)
        return used_of(self._preferences, self._traffic, now)

    def _note(self, now: float) -> None:
        """Put what left since the last time to the account of the day."""
        passed = self.throttle.passed
        if passed > self._noted:
            day, more = day_of(now), passed - self._noted
            self._traffic[day] += more
            self._unsaved[day] += more
            self._noted = passed

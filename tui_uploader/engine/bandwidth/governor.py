"""Keep the bandwidth settings, count the bytes sent, and set the throttle accordingly."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from tui_uploader.cloud.throttle import Throttle
from tui_uploader.engine.bandwidth.policy import (
    AllowedRate,
    Outlook,
    Preferences,
    admits,
    allowed_rate,
    bandwidth,
    changed,
    checked,
    day_of,
    is_held_back,
    most_streams,
    outlook,
    used_of,
)
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import preferences as sql
from tui_uploader.engine.scheduling.concurrency import MOST_STREAMS_AGAINST_LOSS
from tui_uploader.model.engine import Bandwidth, BandwidthChange

_NAME = "bandwidth"
_VALID_SECONDS = 60.0
"""How long the allowed rate is kept before it is computed again: the machine's clock may have been set."""


class BandwidthGovernor:
    """One for the engine.

    The bytes sent are written to the journal about every ten seconds and at the end; a crash loses the count of those
    seconds. Bytes of files count, also those that are sent again, but not the 3 % or so that the protocols add.
    """

    def __init__(
        self,
        journal: Journal,
        throttle: Throttle,
        wall: Callable[[], float],
        preferences: Preferences,
        traffic: Mapping[str, int],
    ) -> None:
        self.throttle = throttle
        self._journal = journal
        self._wall = wall
        self._preferences = preferences
        self._traffic: defaultdict[str, int] = defaultdict(int, traffic)
        self._unsaved: defaultdict[str, int] = defaultdict(int)
        self._noted = throttle.passed
        self._allowed = AllowedRate()
        self._allowed_since: float | None = None
        self._set_overdrawn = False
        self._outlook: Outlook | None = None
        self._outlook_until = 0.0
        self.apply()

    @classmethod
    async def open(cls, journal: Journal, throttle: Throttle, wall: Callable[[], float]) -> BandwidthGovernor:
        """Load settings and counts from the journal. Raises JournalDamaged."""
        preferences = await journal.read(lambda connection: sql.preference(connection, _NAME, Preferences(), checked))
        return cls(journal, throttle, wall, preferences, await journal.read(sql.traffic))

    # ----------------------------------------------------------------------------------------------------- state

    @property
    def state(self) -> Bandwidth:
        now = self._wall()
        return bandwidth(self._preferences, self._allowed_at(now), self._used(now), now)

    @property
    def outlook(self) -> Outlook:
        """What may be sent from now on. The timetable is read again once a minute."""
        now = self._wall()
        if self._outlook is None or not self._outlook.now <= now < self._outlook_until:
            self._outlook = outlook(self._preferences, 0, now)
            changes = (self._outlook.spans[0].until, *self._outlook.renewals[:1])
            self._outlook_until = min([now + _VALID_SECONDS, *(at for at in changes if at is not None)])
        left = None if self._preferences.budget is None else max(0, self._preferences.budget - self._used(now))
        return replace(self._outlook, now=now, budget_left=left)

    @property
    def settings(self) -> Preferences:
        return self._preferences

    @property
    def closed(self) -> bool:
        """No transfer may begin."""
        return self.shut or not self.admits(0)

    @property
    def shut(self) -> bool:
        """Running transfers must stop too: by limit or timetable, or because the user set a budget that is already
        exceeded."""
        return self._allowed_at(self._wall()).rate == 0 or (self._set_overdrawn and not self.admits(0))

    @property
    def most_streams(self) -> int:
        return most_streams(self._allowed_at(self._wall()).rate, MOST_STREAMS_AGAINST_LOSS)

    def holds_back(self, goodput: float) -> bool:
        """Whether the rate limit, and not the link, is the bottleneck at `goodput` (bytes a second)."""
        return is_held_back(goodput, self._allowed_at(self._wall()).rate)

    def admits(self, promised: int) -> bool:
        """Whether the budget lets another transfer begin. `promised`: bytes that running ones have yet to send."""
        return admits(self._preferences, self._used(self._wall()), promised)

    def apply(self) -> None:
        """Set the throttle to the rate that is allowed now."""
        self.throttle.rate = self._allowed_at(self._wall()).rate

    def _allowed_at(self, now: float) -> AllowedRate:
        known = self._allowed_since is not None and self._allowed_since <= now < self._allowed_since + _VALID_SECONDS
        if not known or (self._allowed.until is not None and now >= self._allowed.until):
            self._allowed, self._allowed_since = allowed_rate(self._preferences, now), now
        return self._allowed

    # -------------------------------------------------------------------------------------------------- changes

    async def change(self, change: BandwidthChange) -> Bandwidth:
        """Apply a change at once, and keep it. Raises UsageError; then nothing changes."""
        self._note(self._wall())
        wanted = changed(self._preferences, change, self._traffic)
        await self._journal.write(lambda connection: sql.prefer(connection, _NAME, wanted))
        self._preferences, self._allowed_since, self._outlook = wanted, None, None
        self._set_overdrawn = not self.admits(0)
        self.apply()
        return self.state

    # --------------------------------------------------------------------------------------------- traffic

    @property
    def unsaved(self) -> int:
        """Bytes sent that are not in the journal yet."""
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
        """Add the bytes that passed since the last call to the count of the day."""
        passed = self.throttle.passed
        if passed > self._noted:
            day, more = day_of(now), passed - self._noted
            self._traffic[day] += more
            self._unsaved[day] += more
            self._noted = passed

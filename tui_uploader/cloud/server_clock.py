"""The server's time, for signatures and lifetimes: the clocks of field machines are often wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EARLIEST, _LATEST = 1.6e9, 7.2e9
"""2020 to 2198. Stores refuse requests signed for a time far from their own, so other times are ignored."""


class ServerClock:
    """This machine's clock, corrected by the time in the service's replies."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.offset = 0.0
        """Seconds by which this machine's clock is slow."""

    def now(self) -> float:
        return self._clock() + self.offset

    def learn(self, text: str | None) -> bool:
        """Set the time from a `Date` header or an ISO 8601 text; False if it is missing or implausible."""
        moment = moment_of(text)
        if moment is None or not _EARLIEST < moment < _LATEST:
            return False
        self.offset = moment - self._clock()
        return True


def moment_of(text: str | None) -> float | None:
    """An HTTP date or an ISO 8601 text in seconds since the epoch, or None; without a zone, it is UTC."""
    if not text:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            continue
    return None

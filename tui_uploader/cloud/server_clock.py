"""The server's time, which signatures and lifetimes go by: clocks of field machines are often wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EARLIEST, _LATEST = 1.6e9, 7.2e9
"""Between 2020 and 2198: a request signed for another time is refused by every store."""


class ServerClock:
    """This machine's clock, corrected by what the service says the time is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.offset = 0.0
        """Seconds by which this machine is late."""

    def now(self) -> float:
        return self._clock() + self.offset

    def learn(self, text: str | None) -> bool:
        """Take the time from a `Date` header or an ISO 8601 text; False where it tells none that there can be."""
        moment = moment_of(text)
        if moment is None or not _EARLIEST < moment < _LATEST:
            return False
        self.offset = moment - self._clock()
        return True


def moment_of(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date or an ISO 8601 text; one without a zone means UTC."""
    if not text:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            continue
    return None

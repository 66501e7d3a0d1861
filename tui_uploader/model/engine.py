"""The state of the engine: link, bandwidth, and everything that front ends show all the time."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tui_uploader.model.hooks import HookFailure
from tui_uploader.model.uploads import EtaRange, Notice, UploadStatus
from tui_uploader.model.verification import VerificationStatus
from tui_uploader.model.watches import Watch


class LinkState(StrEnum):
    UNKNOWN = "unknown"
    """Not tried yet."""
    UP = "up"
    DOWN = "down"


class Link(msgspec.Struct, frozen=True):
    state: LinkState = LinkState.UNKNOWN
    since: float | None = None
    next_try: float | None = None
    reason: str | None = None


class AccountLink(msgspec.Struct, frozen=True):
    """The connection of one account."""

    account: str
    link: Link
    problem: Notice | None = None
    """Why the account cannot be used until the user acts, such as a refused login."""


class BudgetPeriod(StrEnum):
    """The period of a data budget, by the local calendar; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"
    """Since it was set, without end."""


class Bandwidth(msgspec.Struct, frozen=True):
    """The bandwidth settings, and the limit that results from them now."""

    limit: int | None = None
    """The cap; 0: nothing is sent; None: no cap."""
    schedule: str | None = None
    """The timetable, in the notation of the settings."""
    budget: int | None = None
    """Bytes that may be sent in a period."""
    per: BudgetPeriod = BudgetPeriod.MONTH
    used: int = 0
    """Bytes of the budget used in this period."""
    rate: int | None = None
    """The limit now; 0: nothing is sent; None: no limit."""
    until: float | None = None
    """When that changes, by the timetable or a new period."""
    holds: str = "no limit"
    """The same in words; the reason why files wait while nothing is sent."""
    used_up: bool = False
    """The budget is used up."""


class EngineStatus(msgspec.Struct, frozen=True):
    """Everything that front ends show all the time, as one value. Contains no secret."""

    version: str
    pid: int
    since: float
    link: Link
    streams: int
    """Running transfers."""
    rate: float
    uploads: tuple[UploadStatus, ...]
    bandwidth: Bandwidth = Bandwidth()
    links: tuple[AccountLink, ...] = ()
    """Of the accounts that are signed in."""
    left: int = 0
    """Bytes that all running uploads have still to send."""
    eta: EtaRange | None = None
    """Until all of them are uploaded, as far as the limit, the timetable and the budget are known."""
    history: int = 0
    """Number of the newest event in the history."""
    verifications: tuple[VerificationStatus, ...] = ()
    """Those that run, and the newest of each card."""
    watches: tuple[Watch, ...] = ()
    hook_failures: tuple[HookFailure, ...] = ()
    """The newest of each hook, until it works again."""


class BandwidthChange(msgspec.Struct, frozen=True):
    """New settings as typed by the user; None keeps a setting, `off` removes it."""

    limit: str | None = None
    schedule: str | None = None
    budget: str | None = None
    per: BudgetPeriod | None = None

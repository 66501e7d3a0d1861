"""Commands and web addresses of the user that are told what happens."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class HookEvent(StrEnum):
    """What a hook can be told."""

    COMPLETE = "complete"
    FAILED = "failed"
    """Files failed."""
    NEEDS_YOU = "needs_you"
    """The upload or processing waits for a person."""
    PROCESSING_DONE = "processing_done"
    PROCESSING_FAILED = "processing_failed"
    CARD_SAFE = "card_safe"
    CARD_NOT_SAFE = "card_not_safe"


class HookFailure(msgspec.Struct, frozen=True):
    """A hook that could not be told something."""

    at: float
    hook: str
    """Name of the command, host of the web address, or service; contains no secret."""
    event: HookEvent
    reason: str
    """A sentence."""

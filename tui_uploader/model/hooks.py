"""Commands, web addresses and services of the user that are told what happens."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class HookEvent(StrEnum):
    """What a hook can be told."""

    COMPLETE = "complete"
    FAILED = "failed"
    """Files failed."""
    NEEDS_YOU = "needs_you"
    """An upload, processing or the account waits for a person."""
    PROCESSING_DONE = "processing_done"
    PROCESSING_FAILED = "processing_failed"
    CARD_SAFE = "card_safe"
    """Everything on the card is in the cloud: it may be wiped."""
    CARD_IMAGES_SAFE = "card_images_safe"
    """Every image is, other files on the card are not."""
    CARD_NOT_SAFE = "card_not_safe"


class HookKind(StrEnum):
    COMMAND = "command"
    WEBHOOK = "webhook"
    SERVICE = "service"
    """A mail or chat service, by `apprise`."""


class HookFailure(msgspec.Struct, frozen=True):
    """A hook that could not be told something."""

    at: float
    hook: str
    """Name of the command, host of the web address, or service; contains no secret."""
    event: HookEvent
    reason: str
    """A sentence that names the hook."""


class Hook(msgspec.Struct, frozen=True):
    """A hook, as front ends show it; contains no secret."""

    name: str
    """As in `HookFailure`; with a number if several have the same."""
    kind: HookKind
    events: tuple[HookEvent, ...]
    seconds: float
    """Time limit."""
    failure: HookFailure | None = None
    """Until it works again."""


class HookTest(msgspec.Struct, frozen=True):
    """How a hook took a sample."""

    hook: str
    event: HookEvent
    answer: str = ""
    """Last line of the command's output, or status of the web server's reply; safe for a terminal."""
    failure: str | None = None
    """A sentence; None: it worked."""

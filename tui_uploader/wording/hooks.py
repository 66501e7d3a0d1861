"""Words about hooks: which of the user's commands and web addresses could not be told something, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_uploader.model.hooks import HookEvent, HookFailure
from tui_uploader.text import counted, printable

_LONGEST_NAME, _LONGEST_REASON = 60, 300
_EVENTS: Mapping[HookEvent, str] = {
    HookEvent.COMPLETE: "an upload is complete",
    HookEvent.FAILED: "files failed",
    HookEvent.NEEDS_YOU: "an upload needs you",
    HookEvent.PROCESSING_DONE: "processing is done",
    HookEvent.PROCESSING_FAILED: "processing failed",
    HookEvent.CARD_SAFE: "a card may be wiped",
    HookEvent.CARD_NOT_SAFE: "a card must not be wiped",
}


def hook_name(failure: HookFailure) -> str:
    return printable(failure.hook, _LONGEST_NAME)


def hook_failure(failure: HookFailure) -> str:
    """`The hook notify.sh could not be told that an upload is complete: it did not end within 30 s.`"""
    reason = printable(failure.reason, _LONGEST_REASON).rstrip(".")
    return f"The hook {hook_name(failure)} could not be told that {_EVENTS[failure.event]}: {reason}."


def failing(failures: Sequence[HookFailure]) -> str:
    """`hook notify.sh fails`, `2 hooks fail`; empty if none does."""
    if not failures:
        return ""
    return f"hook {hook_name(failures[0])} fails" if len(failures) == 1 else f"{counted(len(failures), 'hook')} fail"

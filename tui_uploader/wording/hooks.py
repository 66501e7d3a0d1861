"""Words about hooks: the user's commands, web addresses and services that are told what happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_uploader.model.hooks import Hook, HookEvent, HookFailure, HookTest
from tui_uploader.text import counted, printable

NO_HOOKS = "No hooks: nothing is told to commands, web addresses or services."

_LONGEST_NAME, _LONGEST_REASON = 60, 300
_EVENTS: Mapping[HookEvent, str] = {
    HookEvent.COMPLETE: "an upload is complete",
    HookEvent.FAILED: "files failed",
    HookEvent.NEEDS_YOU: "an upload needs you",
    HookEvent.PROCESSING_DONE: "processing is done",
    HookEvent.PROCESSING_FAILED: "processing failed",
    HookEvent.CARD_SAFE: "a card may be wiped",
    HookEvent.CARD_IMAGES_SAFE: "the images of a card are safe, and other files on it are not",
    HookEvent.CARD_NOT_SAFE: "a card must not be wiped",
}


def hook_name(failure: HookFailure) -> str:
    return printable(failure.hook, _LONGEST_NAME)


def hook_failure(failure: HookFailure) -> str:
    """`The hook told.sh could not be told that an upload is complete: told.sh ended with exit code 3: disk full.`"""
    reason = printable(failure.reason, _LONGEST_REASON).rstrip(".")
    return f"The hook {hook_name(failure)} could not be told that {_EVENTS[failure.event]}: {reason}."


def failing(failures: Sequence[HookFailure]) -> str:
    """`hook notify.sh fails`, `2 hooks fail`; empty if none does."""
    if not failures:
        return ""
    return f"hook {hook_name(failures[0])} fails" if len(failures) == 1 else f"{counted(len(failures), 'hook')} fail"


def hook_words(hook: Hook) -> str:
    """`told.sh: command, told complete and card_safe, at most 30 s.`"""
    return f"{printable(hook.name)}: {hook.kind}, told {_listed(hook)}, at most {hook.seconds:g} s."


def hook_answer(test: HookTest) -> str:
    """`told.sh was told card_safe as a test, and answered: done`"""
    if test.failure is not None:
        return printable(test.failure)
    answer = f", and answered: {printable(test.answer)}" if test.answer else "."
    return f"{printable(test.hook)} was told {test.event} as a test{answer}"


def _listed(hook: Hook) -> str:
    if len(hook.events) == len(HookEvent):
        return "everything"
    *some, last = hook.events
    return f"{', '.join(some)} and {last}" if some else last

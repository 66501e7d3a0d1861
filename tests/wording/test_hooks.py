"""Words about hooks."""

from __future__ import annotations

import pytest

from tui_uploader.model.hooks import Hook, HookEvent, HookFailure, HookKind, HookTest
from tui_uploader.wording.hooks import hook_answer, hook_failure, hook_words


def test_a_failure_names_what_was_not_told() -> None:
    failure = HookFailure(0.0, "told.sh", HookEvent.CARD_IMAGES_SAFE, "told.sh ended with exit code 3: \x1b[31m.")
    assert hook_failure(failure) == (
        "The hook told.sh could not be told that the images of a card are safe, and other files on it are not:"
        " told.sh ended with exit code 3: \\x1b[31m."
    )


@pytest.mark.parametrize("event", HookEvent)
def test_every_event_has_words(event: HookEvent) -> None:
    assert hook_failure(HookFailure(0.0, "x", event, "x refused it.")).endswith(": x refused it.")


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (tuple(HookEvent), "everything"),
        ((HookEvent.COMPLETE,), "complete"),
        ((HookEvent.COMPLETE, HookEvent.FAILED, HookEvent.CARD_SAFE), "complete, failed and card_safe"),
    ],
)
def test_a_hook_with_what_it_is_told(events: tuple[HookEvent, ...], words: str) -> None:
    hook = Hook("told.sh", HookKind.COMMAND, events, 2.5)
    assert hook_words(hook) == f"told.sh: command, told {words}, at most 2.5 s."


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (HookTest("told.sh", HookEvent.FAILED), "told.sh was told failed as a test."),
        (HookTest("a.org", HookEvent.FAILED, "HTTP 204"), "a.org was told failed as a test, and answered: HTTP 204"),
        (HookTest("a.org", HookEvent.FAILED, failure="a.org refused it."), "a.org refused it."),
    ],
)
def test_how_a_hook_took_a_test(test: HookTest, words: str) -> None:
    assert hook_answer(test) == words

"""The decision for each error and history."""

from __future__ import annotations

import itertools
import math

import pytest

from tui_uploader.engine.scheduling.retry import MOST_ATTEMPTS, RetryAction, RetryDecision, backoff, decide
from tui_uploader.errors import (
    ChecksumRefused,
    ClockSkewed,
    CloudBusy,
    CloudFault,
    CloudRefused,
    LinkDown,
    LinkError,
    LinkStalled,
    MultipartGone,
    NotSignedIn,
    Remedy,
    SignInError,
    SignInRefused,
    SourceChanged,
    SourceRefused,
    SourceVanished,
    StorageKeyExpired,
    StorageRefused,
    TokenExpired,
    TrustFailed,
    UploaderError,
)


def half() -> float:
    return 0.5


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (LinkDown("x"), 0, RetryDecision(RetryAction.AWAIT_LINK)),
        (LinkDown("x"), 10_000, RetryDecision(RetryAction.AWAIT_LINK)),
        (LinkStalled("x"), 3, RetryDecision(RetryAction.AWAIT_LINK)),
        (TrustFailed("x"), 0, RetryDecision(RetryAction.AWAIT_LINK)),
        (NotSignedIn("x"), 0, RetryDecision(RetryAction.AWAIT_SIGN_IN)),
        (SignInRefused("x"), 0, RetryDecision(RetryAction.AWAIT_SIGN_IN)),
        (TokenExpired("x"), 0, RetryDecision(RetryAction.AGAIN, 0.5)),
        (StorageKeyExpired("x"), 1, RetryDecision(RetryAction.AWAIT_STORAGE)),
        (StorageKeyExpired("x"), 200, RetryDecision(RetryAction.AWAIT_STORAGE)),
        (ClockSkewed("x"), 0, RetryDecision(RetryAction.AWAIT_STORAGE)),
        (CloudBusy("x"), 0, RetryDecision(RetryAction.AGAIN, 0.5)),
        (CloudBusy("x", retry_after=7.0), 0, RetryDecision(RetryAction.AGAIN, 7.5)),
        (CloudBusy("x", retry_after=1e9), 0, RetryDecision(RetryAction.AGAIN, 3600.5)),
        (CloudBusy("x", retry_after=-5.0), 0, RetryDecision(RetryAction.AGAIN, 0.5)),
        (CloudFault("x"), 3, RetryDecision(RetryAction.AGAIN, 4.0)),
        (CloudFault("x"), MOST_ATTEMPTS - 1, RetryDecision(RetryAction.GIVE_UP)),
        (ChecksumRefused("x"), 0, RetryDecision(RetryAction.CHECK_FILE, 0.5)),
        (SourceChanged("x"), 1, RetryDecision(RetryAction.CHECK_FILE, 1.0)),
        (SourceChanged("x"), 2, RetryDecision(RetryAction.GIVE_UP)),
        (MultipartGone("x"), 0, RetryDecision(RetryAction.RESTART_FILE, 0.5)),
        (SourceVanished("x"), 0, RetryDecision(RetryAction.GIVE_UP)),
        (SourceRefused("x"), 0, RetryDecision(RetryAction.GIVE_UP)),
        (CloudRefused("x"), 0, RetryDecision(RetryAction.GIVE_UP)),
    ],
)
def test_decisions(error: UploaderError, attempts: int, expected: RetryDecision) -> None:
    assert decide(error, attempts, half) == expected


def tree(root: type[UploaderError] = UploaderError) -> list[type[UploaderError]]:
    return [root, *(error for child in root.__subclasses__() for error in tree(child))]


ATTEMPTS = (0, 1, 2, MOST_ATTEMPTS - 2, MOST_ATTEMPTS - 1, 1000, 10**6)
WISHES = (None, -1e99, 0.0, 7.0, 1e99, math.inf)
CHANCES = (0.0, 0.5, 1.0 - 2**-53)


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_rules_for_every_error_and_history(kind: type[UploaderError]) -> None:
    for attempts, wish, chance in itertools.product(ATTEMPTS, WISHES, CHANCES):
        error = kind("why", retry_after=wish)
        found = decide(error, attempts, lambda chance=chance: chance)  # type: ignore[misc]
        asked = 0.0 if wish is None else min(max(0.0, wish), 3600.0)
        ceiling = min(60.0, 2.0 ** min(attempts, 16))
        if found.action in (RetryAction.AGAIN, RetryAction.CHECK_FILE, RetryAction.RESTART_FILE):
            assert found.after == pytest.approx(asked + chance * ceiling), "full jitter on top of Retry-After"
        else:
            assert found.after == 0.0
        if isinstance(error, LinkError):
            assert found.action is RetryAction.AWAIT_LINK, "a dead link costs no attempt, however often it dies"
        elif isinstance(error, SignInError):
            waits = {Remedy.PERSON: RetryAction.AWAIT_SIGN_IN, Remedy.NEW_CREDENTIALS: RetryAction.AWAIT_STORAGE}
            assert found.action is waits.get(error.remedy, RetryAction.AGAIN)
        elif isinstance(error, StorageRefused):
            assert found.action is RetryAction.AWAIT_SIGN_IN, "every other file of the account would fail as well"
        elif error.remedy is Remedy.PERSON:
            assert found.action is RetryAction.GIVE_UP
        elif attempts == 0:
            assert found.action is not RetryAction.GIVE_UP, "temporary errors are retried"


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_the_number_of_attempts_never_turns_giving_up_into_a_retry(kind: type[UploaderError]) -> None:
    actions = [decide(kind("why"), attempts, half).action for attempts in range(20)]
    given_up = [action is RetryAction.GIVE_UP for action in actions]
    assert given_up == sorted(given_up)
    assert len(set(actions) - {RetryAction.GIVE_UP}) <= 1, "the number of attempts decides whether to retry, not how"


def test_backoff_doubles_up_to_a_minute_and_is_spread_over_the_whole_interval() -> None:
    assert [backoff(attempts, lambda: 1.0) for attempts in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(5, lambda: 0.0) == 0
    assert backoff(10**6, lambda: 1.0) == 60

"""The table: error and history on the left, decision on the right."""

from __future__ import annotations

import pytest

from tui_uploader.engine.retry import MOST_ATTEMPTS, Decision, Verdict, backoff, decide
from tui_uploader.errors import (
    ChecksumRefused,
    ClockSkewed,
    CloudBusy,
    CloudFault,
    CloudRefused,
    LinkDown,
    LinkStalled,
    MultipartGone,
    NotSignedIn,
    SignInRefused,
    SourceChanged,
    SourceRefused,
    SourceVanished,
    StorageKeyExpired,
    TokenExpired,
    TrustFailed,
    UploaderError,
)


def half() -> float:
    return 0.5


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (LinkDown("x"), 0, Decision(Verdict.AWAIT_LINK)),
        (LinkDown("x"), 10_000, Decision(Verdict.AWAIT_LINK)),
        (LinkStalled("x"), 3, Decision(Verdict.AWAIT_LINK)),
        (TrustFailed("x"), 0, Decision(Verdict.AWAIT_LINK)),
        (NotSignedIn("x"), 0, Decision(Verdict.AWAIT_SIGN_IN)),
        (SignInRefused("x"), 0, Decision(Verdict.AWAIT_SIGN_IN)),
        (TokenExpired("x"), 0, Decision(Verdict.AGAIN, 0.5)),
        (StorageKeyExpired("x"), 1, Decision(Verdict.AGAIN, 1.0)),
        (StorageKeyExpired("x"), 200, Decision(Verdict.AGAIN, 30.0)),
        (ClockSkewed("x"), 0, Decision(Verdict.AGAIN, 0.5)),
        (CloudBusy("x"), 0, Decision(Verdict.AGAIN, 0.5)),
        (CloudBusy("x", retry_after=7.0), 0, Decision(Verdict.AGAIN, 7.5)),
        (CloudBusy("x", retry_after=1e9), 0, Decision(Verdict.AGAIN, 3600.5)),
        (CloudBusy("x", retry_after=-5.0), 0, Decision(Verdict.AGAIN, 0.5)),
        (CloudFault("x"), 3, Decision(Verdict.AGAIN, 4.0)),
        (CloudFault("x"), MOST_ATTEMPTS - 1, Decision(Verdict.GIVE_UP)),
        (ChecksumRefused("x"), 0, Decision(Verdict.CHECK_FILE, 0.5)),
        (SourceChanged("x"), 1, Decision(Verdict.CHECK_FILE, 1.0)),
        (SourceChanged("x"), 2, Decision(Verdict.GIVE_UP)),
        (MultipartGone("x"), 0, Decision(Verdict.RESTART_FILE, 0.5)),
        (SourceVanished("x"), 0, Decision(Verdict.GIVE_UP)),
        (SourceRefused("x"), 0, Decision(Verdict.GIVE_UP)),
        (CloudRefused("x"), 0, Decision(Verdict.GIVE_UP)),
    ],
)
def test_decisions(error: UploaderError, attempts: int, expected: Decision) -> None:
    assert decide(error, attempts, half) == expected


def test_every_error_of_the_tree_has_a_decision_and_none_waits_for_ever() -> None:
    def tree(root: type[UploaderError]) -> list[type[UploaderError]]:
        return [root, *(error for child in root.__subclasses__() for error in tree(child))]

    for kind in tree(UploaderError):
        for attempts in (0, 1, 7, 1000):
            assert 0 <= decide(kind("x", retry_after=1e12), attempts, half).after <= 3660


def test_backoff_doubles_up_to_a_minute_and_is_spread_over_the_whole_interval() -> None:
    assert [backoff(attempts, lambda: 1.0) for attempts in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(5, lambda: 0.0) == 0
    assert backoff(10**6, lambda: 1.0) == 60

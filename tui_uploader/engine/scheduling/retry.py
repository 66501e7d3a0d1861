"""Decide what to do after a failed attempt, from the error and the number of failures before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tui_uploader.errors import LinkError, Remedy, SignInError, StorageRefused, UploaderError

MOST_ATTEMPTS = 8
"""Attempts in a row for one file if the cloud is at fault; a dead link costs none."""

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_LONGEST_ASKED_WAIT = 3600.0
_MOST_CHECKS = 3
_NO_LIMIT = 10**9


class RetryAction(StrEnum):
    AGAIN = "again"
    AWAIT_LINK = "await_link"
    AWAIT_SIGN_IN = "await_sign_in"
    AWAIT_STORAGE = "await_storage"
    """The storage refuses the credentials that the service issued: all files of the project wait."""
    CHECK_FILE = "check_file"
    RESTART_FILE = "restart_file"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class RetryDecision:
    action: RetryAction
    after: float = 0.0
    """Seconds to wait before."""


def backoff(attempts: int, random: Callable[[], float]) -> float:
    """Return a delay with full jitter: between 0 and a ceiling that doubles with each attempt.

    Machines that lost the cloud at the same moment thus do not return at the same moment.
    """
    return random() * min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempts, 16))


def decide(
    error: UploaderError, attempts: int, random: Callable[[], float], *, failures: int | None = None
) -> RetryDecision:
    """Decide what to do after `error`.

    `attempts`: earlier failures in a row that count towards giving up the file. `failures`: all earlier failures in a
    row, which determine the delay; None: as many. `random` returns a number in [0, 1).
    """
    if isinstance(error, LinkError):
        return RetryDecision(RetryAction.AWAIT_LINK)
    if isinstance(error, SignInError) and error.remedy is Remedy.PERSON:
        return RetryDecision(RetryAction.AWAIT_SIGN_IN)
    if isinstance(error, StorageRefused):
        return RetryDecision(RetryAction.AWAIT_SIGN_IN)  # concerns the account: every other file would fail as well
    match error.remedy:
        case Remedy.WAIT:
            most = MOST_ATTEMPTS
            again = RetryAction.AGAIN
        case Remedy.NEW_CREDENTIALS | Remedy.CORRECT_CLOCK:
            return RetryDecision(
                RetryAction.AWAIT_STORAGE
            )  # renewed credentials and the corrected time have failed already
        case Remedy.NEW_TOKEN:
            most = _NO_LIMIT  # expired credentials are not the file's fault
            again = RetryAction.AGAIN
        case Remedy.CHECK_FILE:
            most = _MOST_CHECKS
            again = RetryAction.CHECK_FILE
        case Remedy.RESTART_FILE:
            most = _MOST_CHECKS
            again = RetryAction.RESTART_FILE
        case _:
            return RetryDecision(RetryAction.GIVE_UP)
    if attempts + 1 >= most:
        return RetryDecision(RetryAction.GIVE_UP)
    wait = backoff(attempts if failures is None else failures, random)
    if error.retry_after is not None:
        wait += min(max(0.0, error.retry_after), _LONGEST_ASKED_WAIT)
    return RetryDecision(again, wait)

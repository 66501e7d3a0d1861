"""What to do after a failed attempt: a pure decision over the error and the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tui_uploader.errors import LinkError, Remedy, SignInError, StorageRefused, UploaderError

MOST_ATTEMPTS = 8
"""Of one file in a row, where the cloud itself is at fault; a dead link costs none."""

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_LONGEST_ASKED_WAIT = 3600.0
_MOST_CHECKS = 3
_NO_LIMIT = 10**9


class RetryAction(StrEnum):
    AGAIN = "again"
    AWAIT_LINK = "await_link"
    AWAIT_SIGN_IN = "await_sign_in"
    AWAIT_STORAGE = "await_storage"
    """The storage does not take what the service issued: all files of the project wait for it."""
    CHECK_FILE = "check_file"
    RESTART_FILE = "restart_file"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class RetryDecision:
    action: RetryAction
    after: float = 0.0
    """Seconds to wait first."""


def backoff(attempts: int, random: Callable[[], float]) -> float:
    """Full jitter: anything from nothing to a ceiling that doubles with every attempt, so that a fleet of machines that
    lost the cloud together does not come back together."""
    return random() * min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempts, 16))


def decide(
    error: UploaderError, attempts: int, random: Callable[[], float], *, failures: int | None = None
) -> RetryDecision:
    """`attempts`: failures in a row before this one that count against this file. `failures`: those that do not count
    among them, where they are more; the waits grow with them. `random`: a number in [0, 1)."""
    if isinstance(error, LinkError):
        return RetryDecision(RetryAction.AWAIT_LINK)
    if isinstance(error, SignInError) and error.remedy is Remedy.PERSON:
        return RetryDecision(RetryAction.AWAIT_SIGN_IN)
    if isinstance(error, StorageRefused):
        return RetryDecision(RetryAction.AWAIT_SIGN_IN)  # about the account as well: no other file would fare better
    match error.remedy:
        case Remedy.WAIT:
            most = MOST_ATTEMPTS
            again = RetryAction.AGAIN
        case Remedy.NEW_CREDENTIALS | Remedy.CORRECT_CLOCK:
            return RetryDecision(RetryAction.AWAIT_STORAGE)  # a renewal and the right time were tried already
        case Remedy.NEW_TOKEN:
            most = _NO_LIMIT  # dead credentials are never a file's fault
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

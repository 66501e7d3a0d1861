"""Recent failures of files: their number, and the back-off until the next attempt. In memory only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tui_uploader.engine.scheduling.retry import RetryAction, RetryDecision, backoff, decide
from tui_uploader.errors import UploaderError

_SHORTEST_PAUSE = 0.2


class FileFailures:
    """Counts failures by file until a success, or until the file is given up."""

    def __init__(self, monotonic: Callable[[], float], random: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._random = random
        self._attempts: dict[int, int] = {}
        """Failures in a row that count towards giving up the file."""
        self._failures: dict[int, int] = {}
        """All failures in a row, including those of an outage."""
        self._successes: Counter[str] = Counter()
        """Files that were sent, by account: a cloud that works says nothing about another one."""
        self._successes_before: dict[int, int] = {}
        self._broken_connections: dict[int, int] = {}
        self._postponed: dict[int, tuple[float, str]] = {}

    def record_failure(self, file: int, account: str, error: UploaderError) -> RetryDecision:
        """Decide what to do after a failed attempt, and postpone the file if it has to wait."""
        attempts = self._attempts.get(file, 0)
        failures = self._failures.get(file, 0)
        successes = self._successes[account]
        decision = decide(error, attempts, self._random, failures=failures)
        match decision.action:
            case RetryAction.AWAIT_LINK:
                # The service may answer while the storage does not: then the file waits longer each time.
                broken = self._broken_connections.get(file, 0)
                self._broken_connections[file] = broken + 1
                self.postpone(file, max(_SHORTEST_PAUSE, backoff(broken, self._random)), str(error))
            case RetryAction.AWAIT_SIGN_IN | RetryAction.AWAIT_STORAGE:
                pass
            case RetryAction.GIVE_UP:
                self.forget(file)
            case RetryAction.AGAIN | RetryAction.CHECK_FILE | RetryAction.RESTART_FILE:
                outage = decision.action is RetryAction.AGAIN and self._successes_before.get(file) == successes
                if not outage:
                    # Counts only if other files of the account succeeded since: an outage costs no attempts.
                    self._attempts[file] = attempts + 1
                self._failures[file] = failures + 1
                self._successes_before[file] = successes
                self.postpone(file, decision.after, str(error))
        return decision

    def record_success(self, file: int, account: str) -> None:
        self._successes[account] += 1
        self.forget(file)

    def postpone(self, file: int, seconds: float, reason: str) -> None:
        self._postponed[file] = (self._monotonic() + seconds, reason)

    def forget(self, file: int) -> None:
        for counts in (self._attempts, self._failures, self._successes_before, self._broken_connections):
            counts.pop(file, None)
        self._postponed.pop(file, None)

    def end_pauses(self) -> None:
        """Let all postponed files be tried at once."""
        self._postponed.clear()

    @property
    def postponed(self) -> dict[int, tuple[float, str]]:
        """Until when (monotonic) each file is postponed, and the failure behind it."""
        now = self._monotonic()
        self._postponed = {file: rest for file, rest in self._postponed.items() if rest[0] > now}
        return self._postponed

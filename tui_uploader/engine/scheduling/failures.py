"""What went wrong with files lately: how often, and until when each rests. In memory only."""

from __future__ import annotations

from collections.abc import Callable

from tui_uploader.engine.scheduling.retry import RetryAction, RetryDecision, backoff, decide
from tui_uploader.errors import UploaderError

_SHORTEST_REST = 0.2


class FileFailures:
    """Forgets a file with its success, or when it is given up."""

    def __init__(self, monotonic: Callable[[], float], random: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._random = random
        self._attempts: dict[int, int] = {}
        """Failures in a row that count against the file."""
        self._failures: dict[int, int] = {}
        """All of them, those of an outage as well."""
        self._successes = 0
        self._successes_before: dict[int, int] = {}
        self._broken_connections: dict[int, int] = {}
        self._postponed: dict[int, tuple[float, str]] = {}

    def record_failure(self, file: int, error: UploaderError) -> RetryDecision:
        """What to do about the failure of an attempt; if that is to wait, the file rests from now on."""
        attempts = self._attempts.get(file, 0)
        failures = self._failures.get(file, 0)
        decision = decide(error, attempts, self._random, failures=failures)
        match decision.action:
            case RetryAction.AWAIT_LINK:
                # The service may answer while the store's host does not: then this file waits longer every time.
                broken = self._broken_connections.get(file, 0)
                self._broken_connections[file] = broken + 1
                self.postpone(file, max(_SHORTEST_REST, backoff(broken, self._random)), str(error))
            case RetryAction.AWAIT_SIGN_IN | RetryAction.AWAIT_STORAGE:
                pass
            case RetryAction.GIVE_UP:
                self.forget(file)
            case RetryAction.AGAIN | RetryAction.CHECK_FILE | RetryAction.RESTART_FILE:
                outage = decision.action is RetryAction.AGAIN and self._successes_before.get(file) == self._successes
                if not outage:
                    # An outage of the service is no file's fault: only while others get through, it counts.
                    self._attempts[file] = attempts + 1
                self._failures[file] = failures + 1
                self._successes_before[file] = self._successes
                self.postpone(file, decision.after, str(error))
        return decision

    def record_success(self, file: int) -> None:
        self._successes += 1
        self.forget(file)

    def postpone(self, file: int, seconds: float, reason: str) -> None:
        self._postponed[file] = (self._monotonic() + seconds, reason)

    def forget(self, file: int) -> None:
        for counts in (self._attempts, self._failures, self._successes_before, self._broken_connections):
            counts.pop(file, None)
        self._postponed.pop(file, None)

    def end_pauses(self) -> None:
        """Whatever rests may go at once."""
        self._postponed.clear()

    @property
    def postponed(self) -> dict[int, tuple[float, str]]:
        """Until when (monotonic) each file rests, and after which failure."""
        now = self._monotonic()
        self._postponed = {file: rest for file, rest in self._postponed.items() if rest[0] > now}
        return self._postponed

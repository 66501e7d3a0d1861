"""Back-off for failing workers, and the errors that the user is shown: pure, but for the counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from tui_uploader.errors import UnforeseenFailure, UploaderError

Key = TypeVar("Key")

QUIET_TRIES = 2
"""Unexpected failures in a row that are only logged, because the next attempt often succeeds."""

_WORK = {
    "walk": "look through folders",
    "check": "check files",
    "send": "send files",
    "register": "register stored files",
    "process": "start or follow processing",
    "finish": "complete uploads",
    "multipart gc": "look for stale multipart uploads",
    "clean up": "abort stale multipart uploads",
    "media return": "look for files that were missing",
    "monitor": "measure transfers",
    "retain": "condense old uploads",
    "record": "write the history",
    "hooks": "follow the history for hooks",
    "hook": "tell a hook",
}
"""The work of each worker, for the sentence about a failure."""

UPLOADING_WORKERS = frozenset({"walk", "path walk", "check", "file check", "send", "register", "finish"})
"""Workers that every upload needs."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


def pause_after(failures: int) -> float:
    """Seconds until the next attempt after this many failures in a row: doubled each time, up to a minute."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 16))


def unforeseen(error: Exception, doing: str) -> UnforeseenFailure:
    """`doing`: the failed work, such as `look through /media/card`."""
    return UnforeseenFailure(
        f"The engine could not {doing}: unexpected error ({cause_of(error)}). It will retry. "
        "If this stays, stop the engine with `tui-uploader engine stop` and repeat your command; nothing is lost. "
        "The engine's log has the details for a bug report."
    )


def unforeseen_in(name: str, error: Exception) -> UnforeseenFailure:
    return unforeseen(error, _WORK.get(name, f"do its work ({name})"))


def given_up(error: Exception, doing: str) -> UnforeseenFailure:
    """The error of a single file that is given up; other files are not affected."""
    return UnforeseenFailure(
        f"The engine could not {doing}: unexpected error ({cause_of(error)}), {QUIET_TRIES + 1} times. "
        "Retry the file; the engine's log has the details for a bug report."
    )


def cause_of(error: Exception) -> str:
    """The type of the exception, also of one that the journal has translated."""
    original = error.__cause__ if isinstance(error, UnforeseenFailure) and error.__cause__ else error
    return type(original).__name__


def is_quiet(error: UploaderError, failures: int) -> bool:
    """Whether the failure is not shown to the user yet."""
    return isinstance(error, UnforeseenFailure) and failures <= QUIET_TRIES


class WorkerKey(NamedTuple):
    """A worker, in its work for one project or for all."""

    name: str
    project: int | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    failures: int
    until: float


class FailureCounts(Generic[Key]):
    """Failures in a row and pauses, by key."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._rows: dict[Key, _Row] = {}

    def failed(self, key: Key) -> int:
        """Count a failure, and return the number in a row; failures during one pause count once."""
        now = self._monotonic()
        row = self._rows.get(key, _Row(0, now))
        if row.until <= now:
            failures = row.failures + 1
            row = _Row(failures, now + pause_after(failures))
            self._rows[key] = row
        return row.failures

    def rest(self, key: Key) -> float:
        """Seconds until the next attempt; 0: now."""
        row = self._rows.get(key)
        return max(0.0, row.until - self._monotonic()) if row else 0.0

    @property
    def resting(self) -> dict[Key, float]:
        """Until when each key pauses (monotonic); without those that may be tried now."""
        now = self._monotonic()
        return {key: row.until for key, row in self._rows.items() if row.until > now}

    def passed(self, key: Key) -> None:
        self._rows.pop(key, None)

    def end_pauses(self) -> None:
        """End all pauses; the counts stay."""
        now = self._monotonic()
        self._rows = {key: _Row(row.failures, now) for key, row in self._rows.items()}

"""What a worker of the engine does about failures: it pauses longer with each, and tells of those that last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from tui_uploader.errors import UnforeseenFailure, UploaderError

Key = TypeVar("Key")

QUIET_TRIES = 2
"""Unforeseen failures in a row that are only logged: the next try often succeeds."""

_WORK = {
    "walk": "look through folders",
    "check": "check files",
    "send": "send files",
    "register": "register stored files",
    "process": "start or follow processing",
    "finish": "close uploads that are done",
    "multipart gc": "look for what was left in the store",
    "clean up": "remove what was left in the store",
    "returns": "look for files that were gone",
    "monitor": "keep its counts",
}
"""The work of each worker, for the sentence about a failure."""

UPLOADING_WORKERS = frozenset({"walk", "path walk", "check", "file check", "send", "register", "finish"})
"""Those without which files do not get uploaded."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


def pause_after(failures: int) -> float:
    """Seconds before the next try after so many failures in a row: twice as long each time, up to a minute."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 16))


def unforeseen(error: Exception, doing: str) -> UnforeseenFailure:
    """`doing`: what the engine could not do, such as `look through /media/card`."""
    return UnforeseenFailure(
        f"The engine could not {doing}: it met an unforeseen error ({cause_of(error)}). It tries again by itself. "
        "If this stays, stop the engine with `tui-uploader engine stop` and repeat your command; nothing is lost. "
        "The engine's log has the details for a bug report."
    )


def unforeseen_in(name: str, error: Exception) -> UnforeseenFailure:
    return unforeseen(error, _WORK.get(name, f"do its work ({name})"))


def given_up(error: Exception, doing: str) -> UnforeseenFailure:
    """The same of a single file, which then waits for the user: it keeps nothing else from being uploaded."""
    return UnforeseenFailure(
        f"The engine could not {doing}: it met an unforeseen error ({cause_of(error)}) {QUIET_TRIES + 1} times. "
        "Retry the file; the engine's log has the details for a bug report."
    )


def cause_of(error: Exception) -> str:
    """The kind of the exception, also of one that the journal has translated."""
    original = error.__cause__ if isinstance(error, UnforeseenFailure) and error.__cause__ else error
    return type(original).__name__


def is_quiet(error: UploaderError, failures: int) -> bool:
    """Whether the user need not hear of it yet."""
    return isinstance(error, UnforeseenFailure) and failures <= QUIET_TRIES


class WorkerKey(NamedTuple):
    """What the engine does side by side: one part of its work, for all projects or for one."""

    name: str
    project: int | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    failures: int
    until: float


class FailureCounts(Generic[Key]):
    """How often in a row each of several things failed, and until when it pauses."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._rows: dict[Key, _Row] = {}

    def failed(self, key: Key) -> int:
        """The number of failures in a row; those that come during one pause count once."""
        now = self._monotonic()
        row = self._rows.get(key, _Row(0, now))
        if row.until <= now:
            failures = row.failures + 1
            row = _Row(failures, now + pause_after(failures))
            self._rows[key] = row
        return row.failures

    def rest(self, key: Key) -> float:
        """Seconds until the next try; 0: now."""
        row = self._rows.get(key)
        return max(0.0, row.until - self._monotonic()) if row else 0.0

    @property
    def resting(self) -> dict[Key, float]:
        """Until when each pauses (monotonic), those that may be tried now left out."""
        now = self._monotonic()
        return {key: row.until for key, row in self._rows.items() if row.until > now}

    def passed(self, key: Key) -> None:
        self._rows.pop(key, None)

    def end_pauses(self) -> None:
        """No pause has to be waited for; the counts stay."""
        now = self._monotonic()
        self._rows = {key: _Row(row.failures, now) for key, row in self._rows.items()}

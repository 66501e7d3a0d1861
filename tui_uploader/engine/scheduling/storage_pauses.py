"""Back-off for projects whose storage refuses the credentials or the time that the service has just issued.

Every file of the project would be refused in the same way, so the whole project pauses, longer each time. After a pause
one file is tried, and the others follow once the storage accepts it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui_uploader.errors import ClockSkewed, UploaderError
from tui_uploader.model.uploads import Notice

QUIET_REFUSALS = 3
"""Refusals in a row after which the user is asked to act."""

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 900.0


def pause_after(refusals: int, random: Callable[[], float]) -> float:
    """Return the pause in seconds after `refusals` in a row: doubled each time, up to 15 minutes.

    The upper half is random; `random` returns a number in [0, 1).
    """
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(refusals - 1, 16)) * (1.0 + random()) / 2


def notice_of(error: UploaderError, refusals: int) -> Notice:
    """Return the notice about refusals by the storage."""
    if isinstance(error, ClockSkewed):
        why = "The storage rejects the time of requests, although it is the time of the service"
    else:
        why = "The storage refuses the credentials that the service has just issued"
    message = (
        f"{why}. {error} The files wait, and the engine retries one of them from time to time. If this persists, check "
        "the permissions of this account with your organisation or the service; `r` in the app retries at once."
    )
    return Notice(error.kind, message, needs_person=refusals > QUIET_REFUSALS)


@dataclass(frozen=True, slots=True)
class _Refusals:
    error: UploaderError
    refusals: int
    until: float


class StoragePauses:
    """Pauses by project. In memory only: after a restart the first file shows whether the storage still refuses."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        random: Callable[[], float],
        accepts_again: Callable[[], None] = lambda: None,
    ) -> None:
        """`accepts_again` is called when the storage of a project accepts a file after it refused others."""
        self._monotonic = monotonic
        self._random = random
        self._accepts_again = accepts_again
        self._refused: dict[int, _Refusals] = {}

    def refused(self, project: int, error: UploaderError) -> None:
        """Note that the storage refused a file's credentials.

        Refusals during a pause count once, because their requests were sent before it began.
        """
        now = self._monotonic()
        before = self._refused.get(project)
        if before is not None and before.until > now:
            return
        refusals = 1 if before is None else before.refusals + 1
        self._refused[project] = _Refusals(error, refusals, now + pause_after(refusals, self._random))

    def accepted(self, project: int) -> None:
        """Note that the storage accepted a request."""
        if self._refused.pop(project, None) is not None:
            self._accepts_again()

    def end_pauses(self) -> None:
        """End all pauses, so that one file of each project is tried."""
        now = self._monotonic()
        self._refused = {
            project: _Refusals(found.error, found.refusals, now) for project, found in self._refused.items()
        }

    def rest(self, project: int) -> tuple[float, str] | None:
        """Return until when (monotonic) no file of the project is sent, and why; None: no pause."""
        found = self._refused.get(project)
        return None if found is None or found.until <= self._monotonic() else (found.until, str(found.error))

    def on_trial(self, project: int) -> bool:
        """Whether only one file of the project may be sent, to find out if the storage accepts files again."""
        return project in self._refused

    def notice(self, project: int) -> Notice | None:
        found = self._refused.get(project)
        return None if found is None else notice_of(found.error, found.refusals)

    @property
    def ends(self) -> list[float]:
        """The ends of all pauses (monotonic)."""
        now = self._monotonic()
        return [found.until for found in self._refused.values() if found.until > now]

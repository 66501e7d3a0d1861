"""Projects whose storage refuses what the service has just issued for it: their files wait, longer each time.

Fresh credentials that are refused, or the service's own time, are no file's fault, and the next file would fare the
same. So the whole project pauses; then one file goes ahead, and the others follow once it is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui_uploader.errors import ClockSkewed, UploaderError
from tui_uploader.model import Notice

QUIET_REFUSALS = 3
"""In a row; after more than these, a person is asked to act."""

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 900.0


def pause_after(refusals: int, random: Callable[[], float]) -> float:
    """Seconds after so many refusals in a row: twice as long each time up to 15 minutes, the upper half of it left to
    chance. `random`: a number in [0, 1)."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(refusals - 1, 16)) * (1.0 + random()) / 2


def told(error: UploaderError, refusals: int) -> Notice:
    """What the user reads of it."""
    if isinstance(error, ClockSkewed):
        why = "The storage refuses requests for their time, although they carry the time of the service"
    else:
        why = "The storage refuses the credentials that the service has just issued"
    message = (
        f"{why}. {error} The files wait, and one of them is tried again from time to time. If this stays, check with "
        "your organisation or with the service what this account may do; `r` in the app tries at once."
    )
    return Notice(error.kind, message, needs_person=refusals > QUIET_REFUSALS)


@dataclass(frozen=True, slots=True)
class _Refused:
    error: UploaderError
    refusals: int
    until: float


class StoragePauses:
    """By project. In memory only: an engine that starts anew finds out with its first file."""

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
        self._refused: dict[int, _Refused] = {}

    def refused(self, project: int, error: UploaderError) -> None:
        """The storage did not take a file's credentials. Those of one pause count as one refusal: they were under way
        when it began."""
        now = self._monotonic()
        before = self._refused.get(project)
        if before is not None and before.until > now:
            return
        refusals = 1 if before is None else before.refusals + 1
        self._refused[project] = _Refused(error, refusals, now + pause_after(refusals, self._random))

    def accepted(self, project: int) -> None:
        """The storage took something."""
        if self._refused.pop(project, None) is not None:
            self._accepts_again()

    def end_pauses(self) -> None:
        """End all pauses; one file of each project may go ahead."""
        now = self._monotonic()
        self._refused = {
            project: _Refused(found.error, found.refusals, now) for project, found in self._refused.items()
        }

    def rest(self, project: int) -> tuple[float, str] | None:
        """Until when (monotonic) no file of the project is sent, and why; None: some may be."""
        found = self._refused.get(project)
        return None if found is None or found.until <= self._monotonic() else (found.until, str(found.error))

    def on_trial(self, project: int) -> bool:
        """Only one file of the project may be under way: what its storage refused before is not known to be mended."""
        return project in self._refused

    def notice(self, project: int) -> Notice | None:
        found = self._refused.get(project)
        return None if found is None else told(found.error, found.refusals)

    @property
    def ends(self) -> list[float]:
        """Of the pauses (monotonic)."""
        now = self._monotonic()
        return [found.until for found in self._refused.values() if found.until > now]

"""What happened while this app was attached, from the engine's history: how retries ended, and what the user missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tui_uploader.errors import UploaderError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.messages import Noticed

MOST_EVENTS = 1000
_AWAY_SECONDS = 60.0
"""A shorter absence needs no summary."""
_OUTCOME_SECONDS, _SUMMARY_SECONDS = 30.0, 60.0
_ATTEMPTS = (EventKind.RETRIED, EventKind.RESTORED)
_RESULTS = (EventKind.FAILED, EventKind.UPLOADED, EventKind.COMPLETE)


def outcomes(events: Sequence[PastEvent], settled: frozenset[int]) -> dict[int, str]:
    """How the retries of these uploads ended, in a sentence each; only of uploads in which nothing moves any more.

    `events`: oldest first. Files that the user put back into the queue count as retried.
    """
    from tui_uploader.wording.history import retry_outcome  # not needed for the first frame

    attempts = [replace(event, kind=EventKind.RETRIED) if event.kind in _ATTEMPTS else event for event in events]
    tried = {event.upload for event in attempts if event.kind is EventKind.RETRIED and event.upload in settled}
    found = {upload: retry_outcome(attempts, upload) for upload in tried if upload is not None}
    return {upload: sentence for upload, sentence in found.items() if sentence}


class PastEvents:
    """Asks for the events that are new whenever the engine reports that there are some."""

    def __init__(self, session: EngineSession, tell: Callable[[Noticed], object], wall: Callable[[], float]) -> None:
        self._session = session
        self._tell = tell
        self._wall = wall
        self._last: int | None = None
        """Number of the newest event that is known; None before the first status."""
        self._asking = False
        self._open: list[PastEvent] = []
        """Events since the oldest retry whose end is not known."""

    def follow(self, status: EngineStatus, *, away_since: float | None) -> None:
        """`away_since`: when the user last saw the screen; None: never."""
        if self._last is None:
            self._last = status.history
            if away_since is not None and self._wall() - away_since >= _AWAY_SECONDS:
                self._session.call("history", lambda engine: self._tell_missed(away_since))
        elif status.history < self._last:  # another journal
            self._last = status.history
        elif status.history > self._last and not self._asking:
            self._asking = True
            self._session.call("history", lambda engine: self._fetch())
        elif self._open:
            self._tell_outcomes(status)

    async def _tell_missed(self, since: float) -> None:
        from tui_uploader.wording.history import away_summary  # not needed for the first frame

        events = await self._session.ask(lambda engine: engine.history(limit=MOST_EVENTS, since=since))
        line = away_summary(events, since, self._wall())
        if line is not None:
            self._tell(Noticed(line, seconds=_SUMMARY_SECONDS))

    async def _fetch(self) -> None:
        try:
            last, status = self._last or 0, self._session.status
            events = await self._session.ask(lambda engine: engine.history(after=last))
        except UploaderError:
            return  # the engine has ended, which the session reports
        finally:
            self._asking = False
        self._last = max((event.id for event in events), default=last)
        if any(event.kind in _ATTEMPTS for event in events) or self._open:
            self._open += [event for event in events if event.kind in (*_ATTEMPTS, *_RESULTS)]
            self._tell_outcomes(status)

    def _tell_outcomes(self, status: EngineStatus | None) -> None:
        settled = frozenset(upload.upload for upload in status.uploads if upload.settled) if status else frozenset()
        found = outcomes(self._open, settled)
        known = {upload.upload for upload in status.uploads} if status else set()
        self._open = [event for event in self._open if event.upload not in found and event.upload in known][
            -MOST_EVENTS:
        ]
        if found:
            failed = any(" failed" in sentence for sentence in found.values())
            self._tell(Noticed(" ".join(found.values()), "warning" if failed else "information", _OUTCOME_SECONDS))

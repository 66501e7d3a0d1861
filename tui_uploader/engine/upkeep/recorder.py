"""Writes the events of the history that no change of the journal shows: of links, logins, limits and workers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from tui_uploader.engine.bandwidth.policy import closed_notice
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import history
from tui_uploader.engine.notifier import Topic
from tui_uploader.errors import SignInError
from tui_uploader.model.engine import Link
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.states import FileStage

SECONDS_BETWEEN_FLUSHES = 300.0
"""Longest time for which files that were uploaded are in no event."""
SECONDS_AFTER_FAILURE = 2.0
"""The same for files that failed, of which the user wants to know soon; failures that follow wait a minute."""
_SECONDS_BETWEEN_FAILURES = 60.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What lasts, by account or worker: an event is written when it begins."""

    offline: Mapping[str, Link] = field(default_factory=dict)
    problems: Mapping[str, tuple[EventKind, str]] = field(default_factory=dict)
    """A kind of event, and its detail, by account or worker."""
    closed: str = ""
    """Why nothing may be sent although files are waiting."""


class Recorder:
    """Woken by changes only."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(
            FileStage.REGISTERED,
            FileStage.FAILED,
            Topic.ACCOUNTS,
            Topic.BANDWIDTH,
            Topic.STATUS,
            Topic.UPLOADS,  # a dismissed one is counted no more
            Topic.WORK,
        )
        self._facts = Facts()
        self._open: dict[str, int] = {}
        """Numbers of the events that last: by account, and of the limit by an empty name."""
        self._run: int | None = None
        self._outcomes = (0, 0)
        """Files that were registered, and that failed, when `_due` was set."""
        self._due: float | None = None
        self._failed_at: float | None = None

    async def step(self) -> float | None:
        if self._run is None:
            await self._begin_run()
        await self._note_facts()
        return await self._flush_when_due()

    async def close(self) -> None:
        """Write what is not written yet, and that the engine stops."""
        now, run = self._context.clocks.wall(), self._run

        def end(connection: sqlite3.Connection) -> None:
            for number in self._open.values():
                history.end(connection, number, now)
            if run is not None:
                history.end_run(connection, run, now)

        await self._context.journal.write(end)

    async def flush(self) -> None:
        now = self._context.clocks.wall()
        await self._context.journal.write(lambda connection: history.flush(connection, now))

    def expect_outcome(self) -> None:
        """The user retries files, and wants to know soon how that ends."""
        self._failed_at = None
        self._outcomes = (self._outcomes[0], 0)

    def awaits_login(self, account: str) -> bool:
        """Whether files wait for a login of the account."""
        signed_in = self._context.accounts.of(account)
        if signed_in is not None:
            return signed_in.problem is not None
        summary = self._context.summary
        return any(
            summary.busy(upload.id) and summary.projects[upload.project].account == account
            for upload in summary.uploads.values()
        )

    async def _begin_run(self) -> None:
        now, begun = self._context.clocks.wall(), list[int]()
        lost = await self._context.journal.read(lambda connection: history.untold(connection, now))

        def begin(connection: sqlite3.Connection) -> None:
            begun.append(history.begin_run(connection, now, lost))

        def keep() -> None:
            (self._run,) = begun

        await self._context.journal.write(begin, then=keep)

    async def _note_facts(self) -> None:
        before, after = self._facts, self._current_facts()
        if after == before:
            return
        now, lasting = self._context.clocks.wall(), dict(self._open)

        def note(connection: sqlite3.Connection) -> None:
            for ended in lasting.keys() - _lasting(after).keys():
                history.end(connection, lasting.pop(ended), now)
            for name, event in _lasting(after).items():
                if name not in lasting:
                    lasting[name] = history.begin(connection, event if event.at else replace(event, at=now))
            begun = [
                PastEvent(0, now, kind, account=name, detail=detail)
                for name, (kind, detail) in sorted(after.problems.items())
                if before.problems.get(name) != (kind, detail)
            ]
            if begun:
                history.record(connection, now, begun)

        def keep() -> None:
            self._open, self._facts = lasting, after

        await self._context.journal.write(note, then=keep)

    def _current_facts(self) -> Facts:
        context = self._context
        problems: dict[str, tuple[EventKind, str]] = {}
        for each in context.accounts.all:
            if (problem := each.needs_person) is not None:
                kind = EventKind.SIGN_IN_FAILED if isinstance(problem, SignInError) else EventKind.PROBLEM
                problems[each.login.account] = (kind, str(problem))
        for worker, fault in context.faults.current.items():
            problems[worker.name] = (EventKind.PROBLEM, str(fault))
        closed = closed_notice(context.governor.state)
        if not any(map(context.summary.busy, context.summary.uploads)) and "" not in self._open:
            closed = None  # there is nothing to send
        return Facts(
            {each.login.account: each.link.link for each in context.accounts.all if each.link.down},
            problems,
            closed.message if closed is not None else "",
        )

    async def _flush_when_due(self) -> float | None:
        """Write the events of files from time to time. Returns the seconds until the next time."""
        summary, now = self._context.summary, self._context.clocks.monotonic()
        registered, failed = (
            sum(summary.files(upload, stage) for upload in summary.uploads)
            for stage in (FileStage.REGISTERED, FileStage.FAILED)
        )
        if (registered, failed) != self._outcomes:
            wait = SECONDS_BETWEEN_FLUSHES
            if failed > self._outcomes[1]:
                again = self._failed_at is not None and now - self._failed_at < _SECONDS_BETWEEN_FAILURES
                wait = _SECONDS_BETWEEN_FAILURES if again else SECONDS_AFTER_FAILURE
            self._outcomes = (registered, failed)
            self._due = min(now + wait, self._due or now + wait)
        if self._due is None:
            return None
        if now < self._due:
            return self._due - now
        self._due, self._failed_at = None, now
        await self.flush()
        return None


def _lasting(facts: Facts) -> dict[str, PastEvent]:
    """The events that last, by name; those of links are dated."""
    events = {
        account: PastEvent(0, link.since or 0.0, EventKind.OFFLINE, account=account, detail=link.reason or "")
        for account, link in facts.offline.items()
    }
    if facts.closed:
        events[""] = PastEvent(0, 0.0, EventKind.SENDING_STOPPED, detail=facts.closed)
    return events

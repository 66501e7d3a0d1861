"""Decide when a file that a program may still be writing is read.

A file that was modified long ago is read at once. One that was modified within the last seconds, or is dated in the
future, is read when two observations of it are equal; one that looks like an unfinished copy has to stay unchanged for
longer. Clocks are wrong on cameras and on computers, so a file's date only decides whether to observe it twice; how
long it has been unchanged is measured by the monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePath

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.errors import SourceChanged
from tui_uploader.intake.observation import Observation
from tui_uploader.intake.scan import Candidate
from tui_uploader.text import byte_count, duration, printable

_MAX_REMEMBERED = 20_000
_MAX_OBSERVATION_SECONDS = 5.0
"""A file whose observation was due this long ago, and was not made, is no longer reported as waiting."""
_CHECKS_PER_LONG_WAIT = 6
"""A long wait is divided into so many: the copy may be finished at any moment."""

_YOUNG = "it was modified a moment ago"
_BEING_WRITTEN = "it is still being written"
_OPEN = "another program has it open for writing"
_ZERO_TAIL = "it ends in zeros, like an unfinished copy"
_HOLES = "parts of it have not been written, like an unfinished copy"
_INCOMPLETE = "it is not complete yet"


@dataclass(frozen=True, slots=True)
class SettleTimes:
    """How long files are waited for, in seconds."""

    young: float = 60.0
    """A file modified less than this ago is observed twice: many times the usual difference between the clock of this
    machine and that of a file server."""
    recent: float = 600.0
    """A file modified longer ago than this is not searched for signs of an unfinished copy."""
    unchanged: float = 2.0
    """Between two observations of a file; doubled with every change."""
    refused: float = 5.0
    """How long a recent file that is refused has to stay unchanged before it fails."""
    suspicious: float = 30.0
    """How long a recent file with holes, or that ends in zeros, has to stay unchanged."""
    written: float = 2.0
    """A verification reads a file this long after its last change: no file system dates changes in longer steps."""
    max_pause: float = 30.0
    max_seconds: float = 600.0
    max_changes: int = 12


class ZeroTailRule(StrEnum):
    """How a file that ends in zeros is treated, see `Observation.has_zero_tail`."""

    REFUSE = "refuse"
    """If it stays unchanged for a while, it is an interrupted copy."""
    WAIT = "wait"
    """If it stays unchanged for a while, it is taken: maps have zeros where nothing was measured."""
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class ObservedFile:
    """What is remembered of a file between observations. Times are those of the monotonic clock."""

    first_seen: float
    unchanged_since: float
    latest: Observation | None = None
    """None: the file changed while it was read."""
    changes: int = 0


@dataclass(frozen=True, slots=True)
class ReadNow:
    """Nothing indicates that a program is still writing the file."""


@dataclass(frozen=True, slots=True)
class ObserveAgain:
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The file did not stop changing in time."""

    reason: str


@dataclass(frozen=True, slots=True)
class HasZeroTail:
    """The file stopped changing, and a large part of its end is zeros."""

    zeros: int


Readiness = ReadNow | ObserveAgain | GiveUp | HasZeroTail


def after_observation(before: ObservedFile | None, latest: Observation, now: float) -> ObservedFile:
    """What is known of the file after this observation."""
    if before is None:
        return ObservedFile(now, now, latest)
    if before.latest is None:
        return replace(before, latest=latest, unchanged_since=now)
    if _content_signs(before.latest) == _content_signs(latest):
        return replace(before, latest=latest)
    return ObservedFile(before.first_seen, now, latest, before.changes + 1)


def after_change(before: ObservedFile | None, now: float) -> ObservedFile:
    """What is known of a file that changed after it was observed, or while it was read."""
    return ObservedFile(before.first_seen if before else now, now, None, before.changes + 1 if before else 1)


def readiness(file: ObservedFile, wall: float, now: float, times: SettleTimes, zero_tail: ZeroTailRule) -> Readiness:
    """What to do with a file that was just observed."""
    latest = file.latest
    assert latest is not None, "observe before deciding"
    unchanged = now - file.unchanged_since
    needed, sign = _required_quiet(latest, wall, times, zero_tail)
    if file.changes:
        needed = max(needed, times.unchanged)
    if unchanged >= needed:
        refused = latest.has_zero_tail and zero_tail is ZeroTailRule.REFUSE
        return HasZeroTail(latest.trailing_zeros) if refused else ReadNow()
    if is_overdue(file, now, times):
        return GiveUp(sign or _BEING_WRITTEN)
    pause = max(pause_after(file.changes, times), min(unchanged, times.max_pause, needed / _CHECKS_PER_LONG_WAIT))
    return ObserveAgain(pause, sign or (_BEING_WRITTEN if file.changes else _YOUNG))


def _required_quiet(
    latest: Observation, wall: float, times: SettleTimes, zero_tail: ZeroTailRule
) -> tuple[float, str | None]:
    """Seconds that the file has to be unchanged before it is read, and the sign that a program is writing it."""
    if not _is_recent(latest.mtime_ns, latest.ctime_ns, wall, times):
        return 0.0, None
    if latest.open_for_writing:
        return float("inf"), _OPEN
    if latest.has_zero_tail and zero_tail is not ZeroTailRule.IGNORE:
        return times.suspicious, _ZERO_TAIL
    if latest.holes:
        return times.suspicious, _HOLES
    return (times.unchanged, None) if _age(latest.mtime_ns, wall) < times.young else (0.0, None)


def _is_recent(mtime_ns: int, ctime_ns: int | None, wall: float, times: SettleTimes) -> bool:
    """Copying programs restore the original's date, some of them before they have written everything."""
    last_ns = mtime_ns if ctime_ns is None else max(mtime_ns, ctime_ns)
    return _age(last_ns, wall) < times.recent


def _age(time_ns: int, wall: float) -> float:
    """Seconds; negative for a file dated in the future."""
    return wall - time_ns / 1e9


def pause_after(changes: int, times: SettleTimes) -> float:
    return float(min(times.max_pause, times.unchanged * 2 ** min(changes, 16)))


def is_overdue(file: ObservedFile, now: float, times: SettleTimes) -> bool:
    return file.changes >= times.max_changes or now - file.first_seen >= times.max_seconds


def _never_finished(path: str, sign: str, file: ObservedFile, now: float) -> GiveUp:
    """With the sentence for the user about a file that did not stop changing in time."""
    keeps = "keeps changing" if file.changes else "is not finished"
    return GiveUp(
        f"{printable(PurePath(path).name)} {keeps}: after {duration(now - file.first_seen)} {sign}. "
        "It will be retried automatically once it stops changing."
    )


def changed_too_often(path: str) -> SourceChanged:
    """For a file that changed every time it was sent."""
    return SourceChanged(
        f"{printable(PurePath(path).name)} keeps changing: it changed every time it was sent. "
        "It will be retried automatically once it stops changing."
    )


def zero_tail_reason(path: str, zeros: int) -> str:
    """The sentence for the user about a file that is refused because it ends in zeros."""
    name = printable(PurePath(path).name)
    return (
        f"{name} ends in at least {byte_count(zeros)} of zeros, like an interrupted copy. Copy it again. If the image "
        "is meant to be black there, retry this file by name to upload it as it is."
    )


def _content_signs(seen: Observation) -> tuple[int | None, ...]:
    return seen.size, seen.mtime_ns, seen.ctime_ns, seen.samples


@dataclass(frozen=True, slots=True)
class DeferredFile:
    """A file that will be observed again."""

    upload: int
    path: str
    until: float
    """By the monotonic clock."""
    reason: str


class UnfinishedFiles:
    """Files that may still be written, by id. In memory only: after a restart every file is observed afresh."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float], times: SettleTimes) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._times = times
        self._observed: dict[int, ObservedFile] = {}
        self._deferred: dict[int, DeferredFile] = {}

    @property
    def deferred(self) -> Mapping[int, DeferredFile]:
        now = self._monotonic()
        return {file: deferred for file, deferred in self._deferred.items() if deferred.until > now}

    def deferred_in(self, upload: int) -> list[DeferredFile]:
        """In the order in which the files were found; with those that are being observed right now."""
        if not self._deferred:
            return []
        now = self._monotonic()
        self._deferred = {
            file: deferred
            for file, deferred in self._deferred.items()
            if deferred.until + _MAX_OBSERVATION_SECONDS > now
        }
        return [deferred for _, deferred in sorted(self._deferred.items()) if deferred.upload == upload]

    def needs_observation(self, row: FileRecord) -> bool:
        """Whether the file was observed before, or its date says that it may still be written."""
        facts = row.candidate
        return row.id in self._observed or _is_recent(facts.mtime_ns, facts.ctime_ns, self._wall(), self._times)

    def is_young(self, found: Candidate) -> bool:
        """Whether the file was modified a moment ago, or is dated in the future."""
        last_ns = found.mtime_ns if found.ctime_ns is None else max(found.mtime_ns, found.ctime_ns)
        return _age(last_ns, self._wall()) < self._times.young

    @property
    def unchanged_seconds(self) -> float:
        """How long a young file has to stay as it is."""
        return self._times.unchanged

    def note_observation(self, row: FileRecord, latest: Observation, zero_tail: ZeroTailRule) -> Readiness:
        """Remember an observation, and decide. A file that is to be observed again is deferred."""
        now = self._monotonic()
        file = self._keep(row.id, after_observation(self._observed.get(row.id), latest, now))
        decision = readiness(file, self._wall(), now, self._times, zero_tail)
        match decision:
            case ObserveAgain(seconds, reason):
                self._defer(row, seconds, reason)
            case GiveUp(sign):
                self.forget(row.id)
                return _never_finished(row.path, sign, file, now)
        return decision

    def note_change(self, row: FileRecord) -> GiveUp | None:
        """The file changed after it was observed: defer it, or give up if it has changed too often."""
        now = self._monotonic()
        file = self._keep(row.id, after_change(self._observed.get(row.id), now))
        if is_overdue(file, now, self._times):
            self.forget(row.id)
            return _never_finished(row.path, _BEING_WRITTEN, file, now)
        self._defer(row, pause_after(file.changes - 1, self._times), _BEING_WRITTEN)
        return None

    def has_observed(self, row: FileRecord, found: Candidate) -> bool:
        """Whether the latest observation already showed the file as `found` rather than as in `row`."""
        file = self._observed.get(row.id)
        latest = file.latest if file is not None else None
        now = (found.size, found.mtime_ns)
        return latest is not None and (latest.size, latest.mtime_ns) == now and (row.size, row.mtime_ns) != now

    def defer_refused(self, row: FileRecord) -> bool:
        """Defer a refused file that may still be written; False if it is final."""
        if _age(row.mtime_ns, self._wall()) >= self._times.recent:
            return False
        now = self._monotonic()
        file = self._keep(row.id, self._observed.get(row.id) or ObservedFile(now, now))
        unchanged = now - file.unchanged_since
        if unchanged >= self._times.refused or is_overdue(file, now, self._times):
            return False
        self._defer(row, self._times.refused - unchanged, _INCOMPLETE)
        return True

    def note_read(self, file: int) -> None:
        """The file was read. Its number of changes is kept, in case it changes again while it is sent."""
        self._deferred.pop(file, None)
        observed = self._observed.get(file)
        if observed is not None and observed.changes == 0:
            del self._observed[file]
        elif observed is not None:
            now = self._monotonic()
            self._observed[file] = replace(observed, first_seen=now, unchanged_since=now)

    def forget(self, file: int) -> None:
        self._observed.pop(file, None)
        self._deferred.pop(file, None)

    def _keep(self, file: int, observed: ObservedFile) -> ObservedFile:
        self._observed[file] = observed
        while len(self._observed) > _MAX_REMEMBERED:
            del self._observed[next(iter(self._observed))]
        return observed

    def _defer(self, row: FileRecord, seconds: float, reason: str) -> None:
        self._deferred[row.id] = DeferredFile(row.upload, row.path, self._monotonic() + seconds, reason)

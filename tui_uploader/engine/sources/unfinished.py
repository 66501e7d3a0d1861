"""Decides when a file that a program may still be writing is read.

Pure, but for the memory of what was seen. A file that was changed long ago is read at once. One that was changed
within the last seconds, or is dated in the future, is read when it has not changed between two looks; one that shows
signs of an unfinished copy has to stay unchanged for longer. Wall clocks are wrong on cameras and on computers, so the
date of a file only decides whether to look twice; how long it has been unchanged is measured by the monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePath

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.errors import SourceChanged
from tui_uploader.intake.observation import Look
from tui_uploader.intake.scan import Candidate
from tui_uploader.text import byte_count, duration, printable

_MOST_REMEMBERED = 20_000
_LONGEST_LOOK = 5.0
"""Seconds after which a file that was to be looked at again, and was not, is no longer waited for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long files are waited for, in seconds."""

    young: float = 60.0
    """A file whose last change is no longer ago than this is looked at twice: many times the difference that is usual
    between the clock of this machine and that of a file server."""
    recent: float = 600.0
    """A file whose last change is longer ago than this is not searched for signs of a program that writes it."""
    rest: float = 2.0
    """Between two looks at a file; doubled with every change."""
    refused_rest: float = 5.0
    """How long a recent file that is refused has to stay unchanged before it fails."""
    doubtful_rest: float = 30.0
    """How long a recent file with holes, or that ends in zeros, has to stay unchanged."""
    longest_rest: float = 30.0
    most_seconds: float = 600.0
    most_changes: int = 12


class GapRule(StrEnum):
    """What becomes of a file whose end is zeros, see `Look.has_gap`."""

    FAILS = "fails"
    """It stays unchanged for a while, and then it is a copy that was broken off."""
    RESTS = "rests"
    """It stays unchanged for a while, and then it is taken: zeros are what it is about where nothing was measured."""
    COUNTS_NOT = "counts_not"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of a file between looks. Times are those of the monotonic clock."""

    began: float
    """When it was looked at first."""
    since: float
    """When it was first seen as it is now."""
    look: Look | None = None
    """The latest; None: it changed while it was read."""
    changes: int = 0


@dataclass(frozen=True, slots=True)
class ReadNow:
    """Nothing tells that a program still writes the file."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The file did not come to rest in time."""

    reason: str


@dataclass(frozen=True, slots=True)
class HasGap:
    """The file came to rest, and a large part of its end is zeros."""

    zeros: int


Decision = ReadNow | LookAgain | GiveUp | HasGap


def watched(before: Watch | None, look: Look, now: float) -> Watch:
    """What is known of the file after this look at it."""
    if before is None:
        return Watch(now, now, look)
    if before.look is None:
        return replace(before, look=look, since=now)
    if _state(before.look) == _state(look):
        return replace(before, look=look)
    return Watch(before.began, now, look, before.changes + 1)


def changed(before: Watch | None, now: float) -> Watch:
    """The file turned out to have changed between looks, or while it was read."""
    return Watch(before.began if before else now, now, None, before.changes + 1 if before else 1)


def decide(watch: Watch, wall: float, now: float, patience: Patience, gaps: GapRule) -> Decision:
    """What to do with a file after a look at it."""
    look = watch.look
    assert look is not None, "a look comes before the decision"
    unchanged = now - watch.since
    needed, sign = _needed(look, wall, patience, gaps)
    if watch.changes:
        needed = max(needed, patience.rest)
    if unchanged >= needed:
        return HasGap(look.zeros) if look.has_gap and gaps is GapRule.FAILS else ReadNow()
    if out_of_patience(watch, now, patience):
        return GiveUp(sign or _AT_WORK)
    rest = max(rest_after(watch.changes, patience), min(unchanged, patience.longest_rest, needed / _LOOKS_OF_DOUBT))
    return LookAgain(rest, sign or (_AT_WORK if watch.changes else _YOUNG))


_LOOKS_OF_DOUBT = 6
"""Into how many rests a longer one is divided: the copy may be finished any moment."""
_YOUNG, _AT_WORK = "it was changed a moment ago", "it is still being written"


def _needed(look: Look, wall: float, patience: Patience, gaps: GapRule) -> tuple[float, str | None]:
    """For how long the file has to be unchanged before it is read, and what speaks for a program that writes it."""
    if not _is_recent(look.mtime_ns, look.ctime_ns, wall, patience):
        return 0.0, None
    if look.written:
        return float("inf"), "another program has it open for writing"
    if look.has_gap and gaps is not GapRule.COUNTS_NOT:
        return patience.doubtful_rest, "its end is zeros, as in a copy that is not finished"
    if look.holes:
        return patience.doubtful_rest, "parts of it were never written, as in a copy that is not finished"
    return (patience.rest, None) if _age(look.mtime_ns, wall) < patience.young else (0.0, None)


def _is_recent(mtime_ns: int, ctime_ns: int | None, wall: float, patience: Patience) -> bool:
    """Programs that copy files date them back, some of them before they have written all."""
    last_ns = mtime_ns if ctime_ns is None else max(mtime_ns, ctime_ns)
    return _age(last_ns, wall) < patience.recent


def _age(time_ns: int, wall: float) -> float:
    """Seconds; less than none for a file of the future."""
    return wall - time_ns / 1e9


def rest_after(changes: int, patience: Patience) -> float:
    return float(min(patience.longest_rest, patience.rest * 2 ** min(changes, 16)))


def out_of_patience(watch: Watch, now: float, patience: Patience) -> bool:
    return watch.changes >= patience.most_changes or now - watch.began >= patience.most_seconds


def _not_at_rest(path: str, cause: str, watch: Watch, now: float) -> GiveUp:
    """With what the user reads of a file that did not come to rest in time."""
    keeps = "keeps changing" if watch.changes else "is not finished"
    return GiveUp(
        f"{printable(PurePath(path).name)} {keeps}; after {duration(now - watch.began)} {cause}. "
        "It is tried again by itself once it has stopped changing."
    )


def changed_too_often(path: str) -> SourceChanged:
    """With what the user reads of a file that changed whenever it was sent."""
    return SourceChanged(
        f"{printable(PurePath(path).name)} keeps changing; it changed whenever it was sent. "
        "It is tried again by itself once it has stopped changing."
    )


def gap(path: str, zeros: int) -> str:
    """What the user reads of a file whose end is missing."""
    name = printable(PurePath(path).name)
    return (
        f"{name} ends in at least {byte_count(zeros)} of zeros, as a copy does that was broken off. Copy it again; "
        f"if the image is meant to be black there, retry this file by its name, and it is taken as it is."
    )


def _state(look: Look) -> tuple[int | None, ...]:
    return look.size, look.mtime_ns, look.ctime_ns, look.samples


@dataclass(frozen=True, slots=True)
class Rest:
    """A file that is looked at again."""

    upload: int
    path: str
    until: float
    """By the monotonic clock."""
    reason: str


class Watches:
    """The files that are being waited for, by id. In memory only: after a restart every file is looked at afresh."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float], patience: Patience) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._patience = patience
        self._watches: dict[int, Watch] = {}
        self._resting: dict[int, Rest] = {}

    @property
    def resting(self) -> Mapping[int, Rest]:
        now = self._monotonic()
        return {file: rest for file, rest in self._resting.items() if rest.until > now}

    def resting_of(self, upload: int) -> list[Rest]:
        """In the order in which the files were found; with those that are looked at just now."""
        if not self._resting:
            return []
        now = self._monotonic()
        self._resting = {file: rest for file, rest in self._resting.items() if rest.until + _LONGEST_LOOK > now}
        return [rest for _, rest in sorted(self._resting.items()) if rest.upload == upload]

    def wants_look(self, row: FileRecord) -> bool:
        """A file that was watched before, or whose date says that it may still be written."""
        facts = row.candidate
        return row.id in self._watches or _is_recent(facts.mtime_ns, facts.ctime_ns, self._wall(), self._patience)

    def seen(self, row: FileRecord, look: Look, gaps: GapRule) -> Decision:
        """Note a look, and decide. A file that is to be looked at again rests from now on."""
        now = self._monotonic()
        watch = self._keep(row.id, watched(self._watches.get(row.id), look, now))
        decision = decide(watch, self._wall(), now, self._patience, gaps)
        match decision:
            case LookAgain(seconds, reason):
                self._rest(row, seconds, reason)
            case GiveUp(cause):
                self.forget(row.id)
                return _not_at_rest(row.path, cause, watch, now)
        return decision

    def changed(self, row: FileRecord) -> GiveUp | None:
        """The file is not what it was when it was looked at: it rests, or has changed too often."""
        now = self._monotonic()
        watch = self._keep(row.id, changed(self._watches.get(row.id), now))
        if out_of_patience(watch, now, self._patience):
            self.forget(row.id)
            return _not_at_rest(row.path, _AT_WORK, watch, now)
        self._rest(row, rest_after(watch.changes - 1, self._patience), _AT_WORK)
        return None

    def has_seen_change(self, row: FileRecord, found: Candidate) -> bool:
        """Whether the latest look already showed that the file is no longer as in `row` but, at rest, as `found`."""
        watch = self._watches.get(row.id)
        look = watch.look if watch is not None else None
        now = (found.size, found.mtime_ns)
        return look is not None and (look.size, look.mtime_ns) == now and (row.size, row.mtime_ns) != now

    def may_get_better(self, row: FileRecord) -> bool:
        """Whether a file that is of no use as it is may still be written: then it rests."""
        if _age(row.mtime_ns, self._wall()) >= self._patience.recent:
            return False
        now = self._monotonic()
        watch = self._keep(row.id, self._watches.get(row.id) or Watch(now, now))
        unchanged = now - watch.since
        if unchanged >= self._patience.refused_rest or out_of_patience(watch, now, self._patience):
            return False
        self._rest(row, self._patience.refused_rest - unchanged, "it is not whole yet")
        return True

    def settled(self, file: int) -> None:
        """The file was read. How often it changed is remembered, should it change again while it is sent."""
        self._resting.pop(file, None)
        watch = self._watches.get(file)
        if watch is not None and watch.changes == 0:
            del self._watches[file]
        elif watch is not None:
            now = self._monotonic()
            self._watches[file] = replace(watch, began=now, since=now)

    def forget(self, file: int) -> None:
        self._watches.pop(file, None)
        self._resting.pop(file, None)

    def _keep(self, file: int, watch: Watch) -> Watch:
        self._watches[file] = watch
        while len(self._watches) > _MOST_REMEMBERED:
            del self._watches[next(iter(self._watches))]
        return watch

    def _rest(self, row: FileRecord, seconds: float, reason: str) -> None:
        self._resting[row.id] = Rest(row.upload, row.path, self._monotonic() + seconds, reason)

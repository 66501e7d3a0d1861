"""Has a new file come to rest, so that it can be added? Pure.

Adding a file too early does no harm, because it is observed again before it is read (see `sources.unfinished`); but the
user would see it wait, and fail when its copy takes very long.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui_uploader.intake.scan import Candidate


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that is not at rest. `since`: when these facts were first seen, by the monotonic clock."""

    size: int
    mtime_ns: int
    since: float


def at_rest(before: SeenFile | None, found: Candidate, *, young: bool, now: float, unchanged: float) -> bool:
    """Whether the file can be added now.

    `before`: as it was seen at the last look. `young`: it was modified a moment ago, or is dated in the future.
    `unchanged`: seconds that it then has to stay as it is.
    """
    if before is None:
        return not young
    same = (before.size, before.mtime_ns) == (found.size, found.mtime_ns)
    return same and now - before.since >= unchanged


def seen(before: SeenFile | None, found: Candidate, now: float) -> SeenFile:
    """What to remember of a file that is not at rest."""
    if before is not None and (before.size, before.mtime_ns) == (found.size, found.mtime_ns):
        return before
    return SeenFile(found.size, found.mtime_ns, now)

"""Whether a file that was read before is still the same: a pure decision over what the system tells of it."""

from __future__ import annotations

from enum import StrEnum

from tui_uploader.intake.scan import Candidate

_SECOND = 10**9
_QUARTER_HOUR = 900 * _SECOND
_LARGEST_SHIFT = 26 * 3600 * _SECOND
_FAT_RESOLUTION = 2 * _SECOND


class Sameness(StrEnum):
    """What it takes to know that the content is the one that was read."""

    SAME = "same"
    """Nothing: it is certain."""
    LOOK = "look"
    """A look at samples: nothing speaks against it, and nothing proves it."""
    READ = "read"
    """Reading all of it: something was written, or made to look as if nothing were."""


def sameness(remembered: Candidate, found: Candidate) -> Sameness:
    """`remembered`: the file when it was read. `found`: what is at its path now."""
    if was_written(remembered, found):
        return Sameness.READ
    if remembered.ctime_ns is None or found.ctime_ns is None:
        return Sameness.LOOK
    if (found.ctime_ns, found.inode) != (remembered.ctime_ns, remembered.inode):
        return Sameness.READ
    # Another disk, made from an image of the first, has the same inodes with the same times.
    return Sameness.SAME if found.mount and found.mount == remembered.mount else Sameness.LOOK


def was_written(before: Candidate, now: Candidate) -> bool:
    """Whether size and time of change tell that something was written to the file."""
    if now.size != before.size:
        return True
    if before.ctime_ns is None or now.ctime_ns is None:
        return not same_time(before.mtime_ns, now.mtime_ns)
    return now.mtime_ns != before.mtime_ns


def same_time(one_ns: int, other_ns: int) -> bool:
    """Whether two times of change may be one, read twice from a file system that keeps local time in steps of 2 s.

    FAT does; its times move by whole quarters of an hour with time zones and summer time, by 26 hours at most.
    """
    apart = abs(one_ns - other_ns)
    beside = apart % _QUARTER_HOUR
    near = min(beside, _QUARTER_HOUR - beside) <= _FAT_RESOLUTION
    return near and apart <= _LARGEST_SHIFT + _FAT_RESOLUTION

"""Decide whether a file still has the content that was read before. Pure: compares what the system reports of it."""

from __future__ import annotations

from enum import StrEnum

from tui_uploader.intake.scan import Candidate

_SECOND = 10**9
_QUARTER_HOUR = 900 * _SECOND
_MAX_ZONE_SHIFT = 26 * 3600 * _SECOND
_FAT_RESOLUTION = 2 * _SECOND


class FileComparison(StrEnum):
    """Whether the content is the one that was read, and what it takes to be sure."""

    SAME = "same"
    """Certain, without reading."""
    LIKELY_SAME = "likely_same"
    """Nothing suggests a change and nothing rules it out: compare samples."""
    CHANGED = "changed"
    """The file was written to, or may have been replaced: read all of it."""


def compare(remembered: Candidate, found: Candidate) -> FileComparison:
    """Compare the file as it was when it was read with what is at its path now."""
    if was_modified(remembered, found):
        return FileComparison.CHANGED
    if remembered.ctime_ns is None or found.ctime_ns is None:
        return FileComparison.LIKELY_SAME
    if (found.ctime_ns, found.inode) != (remembered.ctime_ns, remembered.inode):
        return FileComparison.CHANGED
    # A disk cloned from an image of the first has the same inodes with the same times.
    return FileComparison.SAME if found.mount and found.mount == remembered.mount else FileComparison.LIKELY_SAME


def was_modified(before: Candidate, now: Candidate) -> bool:
    """Whether size or modification time show that the file was written to."""
    if now.size != before.size:
        return True
    if before.ctime_ns is None or now.ctime_ns is None:
        return not same_mtime(before.mtime_ns, now.mtime_ns)
    return now.mtime_ns != before.mtime_ns


def is_on_other_card(before: Candidate, now: Candidate) -> bool:
    """Whether the file at the path was modified and its volume mounted anew: it is probably of another card.

    Where inode numbers are stable, an equal one shows that the same file was modified. False where mounts cannot be
    identified, see `mounts`.
    """
    if not before.mount or not now.mount or before.mount == now.mount:
        return False
    same_file = before.ctime_ns is not None and now.ctime_ns is not None and before.inode == now.inode
    return not same_file and was_modified(before, now)


def same_mtime(one_ns: int, other_ns: int) -> bool:
    """Whether two modification times can be one, read twice from a file system that stores local time in 2 s steps.

    FAT does; its times move by whole quarters of an hour with time zones and summer time, by 26 hours at most.
    """
    apart = abs(one_ns - other_ns)
    beside = apart % _QUARTER_HOUR
    near = min(beside, _QUARTER_HOUR - beside) <= _FAT_RESOLUTION
    return near and apart <= _MAX_ZONE_SHIFT + _FAT_RESOLUTION

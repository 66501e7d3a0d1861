"""Counters of received bytes and injected faults that survive a kill of the process.

The storage knows its objects, but not how often their bytes were sent. Both counts are in a small file that is mapped
into memory: the kernel keeps every write, even when the process is killed right after it.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "meter"
_COUNTS = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class TrafficCounts:
    """Totals since the root was created."""

    received: int = 0
    """Bytes of objects and parts, stored or not."""
    faults: int = 0
    """Requests that a fault hit."""


class TrafficMeter:
    """The counters of a root, for the one server that serves it. No call blocks."""

    def __init__(self, root: Path) -> None:
        descriptor = os.open(root / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _COUNTS.size)
            self._mapped = mmap.mmap(descriptor, _COUNTS.size)
        finally:
            os.close(descriptor)

    def count(self, *, received: int = 0, faults: int = 0) -> None:
        before = _COUNTS.unpack_from(self._mapped)
        _COUNTS.pack_into(self._mapped, 0, before[0] + received, before[1] + faults)

    def close(self) -> None:
        self._mapped.close()


def traffic_counts(root: Path) -> TrafficCounts:
    """The counts of a root, served or not; zero for one that was never served."""
    try:
        return TrafficCounts(*_COUNTS.unpack((root / FILE_NAME).read_bytes()))
    except (FileNotFoundError, struct.error):
        return TrafficCounts()

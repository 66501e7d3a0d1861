"""Counters of received bytes and injected faults that survive a kill of the process.

The storage knows its objects, but not how often their bytes were sent. Both counts are in a small file that is mapped
into memory: the kernel keeps every write, even when the process is killed right after it.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

FILE_NAME = "meter"
COUNTS = struct.Struct("<QQ")
"""Bytes of objects and parts, stored or not; requests that a fault hit. Both since the root was created."""


class TrafficMeter:
    """The counters of a root, for the one server that serves it. No call blocks."""

    def __init__(self, root: Path) -> None:
        descriptor = os.open(root / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, COUNTS.size)
            self._mapped = mmap.mmap(descriptor, COUNTS.size)
        finally:
            os.close(descriptor)

    def count(self, *, received: int = 0, faults: int = 0) -> None:
        before = COUNTS.unpack_from(self._mapped)
        COUNTS.pack_into(self._mapped, 0, before[0] + received, before[1] + faults)

    def close(self) -> None:
        self._mapped.close()

"""Generate photos for benchmarks, of any size and number, with different contents, quickly.

A real header with EXIF, followed by noise instead of pixels: nothing decodes them.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from tui_uploader.demo import write_sample_flight

_START_OF_SCAN, _END = b"\xff\xda", b"\xff\xd9"


def write_photos(folder: Path, count: int, size: int) -> None:
    """Write `count` JPEG files of `size` bytes, last modified an hour ago, for the engine waits for files that were
    modified just now."""
    folder.mkdir(parents=True)
    header = _header()
    hour_ago = time.time() - 3600
    for number in range(count):
        # Pixel data has no byte 0xff that could begin a marker.
        pixels = os.urandom(size - len(header) - len(_END)).replace(b"\xff", b"\xfe")
        photo = folder / f"DJI_{number:04}.JPG"
        photo.write_bytes(header + pixels + _END)
        os.utime(photo, (hour_ago, hour_ago))


def _header() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        flight = write_sample_flight(Path(folder), 6)
        photo = next(flight.folder.rglob("DJI_0001.JPG")).read_bytes()
    scan_at = photo.index(_START_OF_SCAN)
    length = int.from_bytes(photo[scan_at + 2 : scan_at + 4], "big")
    return photo[: scan_at + 2 + length]


def scratch_folder() -> str | None:
    """A folder in memory, so that no disk affects the results; None for the default."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

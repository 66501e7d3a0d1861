"""Small complete images, all different, of about the size that a test needs."""

from __future__ import annotations

import io
import os
import time
from functools import cache
from pathlib import Path

from PIL import Image

_LONGEST_COMMENT = 65_533
_DAY_NS = 24 * 3600 * 10**9


@cache
def _smallest() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 120, 60)).save(made, "JPEG")
    return made.getvalue()


def jpeg(size: int = 2_000) -> bytes:
    """A JPEG of about `size` bytes, filled with random comments and so unlike any other."""
    smallest = _smallest()
    start, rest = smallest[:2], smallest[2:]
    left = max(16, size - len(smallest))
    comments = []
    while left > 0:
        length = min(left, _LONGEST_COMMENT)
        comments.append(b"\xff\xfe" + (length + 2).to_bytes(2, "big") + os.urandom(length))
        left -= length + 4
    return start + b"".join(comments) + rest


def another_of_equal_size(photo: bytes) -> bytes:
    """Another photo of the same size as `photo`."""
    length = int.from_bytes(photo[4:6], "big") - 2
    return photo[:6] + os.urandom(length) + photo[6 + length :]


def tiff(width: int = 640, height: int = 512) -> bytes:
    """A TIFF of grey pixels, as thermal cameras write them, unlike any other. Its directory comes first."""
    made = io.BytesIO()
    Image.frombytes("L", (width, height), os.urandom(width * height)).save(made, "TIFF")
    content = made.getvalue()
    assert int.from_bytes(content[4:8], "little") < 1000, "Pillow writes the directory elsewhere now"
    return content


def write_photo(path: Path, size: int = 2_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(size))
    return of_yesterday(path)


def of_yesterday(path: Path) -> Path:
    """Date the file back: the engine waits for files of the last minute, which may still be written."""
    yesterday = time.time_ns() - _DAY_NS
    os.utime(path, ns=(yesterday, yesterday))
    return path


def write_flight(folder: Path, photos: int, size: int = 2_000) -> list[Path]:
    """Write `DJI_0001.JPG` and so on."""
    return [write_photo(folder / f"DJI_{number:04}.JPG", size) for number in range(1, photos + 1)]

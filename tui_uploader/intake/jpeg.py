"""Reads the markers of a JPEG file, never its pixels, and tells whether its end is there.

Source: ITU-T T.81, annex B; EXIF 2.32 for the block that holds a TIFF structure.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

START = b"\xff\xd8\xff"
"""The start marker, and the first byte of whatever marker comes next."""

_END_MARKER = b"\xff\xd9"
_START_OF_SCAN, _EXIF_SEGMENT = 0xDA, 0xE1
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF_NAME = b"Exif\0\0"
_TAIL = 1 << 16
_CHUNK = 1 << 20


class NotJpeg(ValueError):
    """The markers before the pixels make no sense."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    width: int
    height: int
    """0 where only the end of the pixels tells (T.81, B.2.5)."""
    pixels_at: int
    """Offset of the first scan."""
    exif_at: int | None
    """Offset of the TIFF structure in the first EXIF block."""
    exif_size: int = 0


def read_header(file: BinaryIO) -> JpegHeader:
    """Walk the markers up to the first scan. Raises NotJpeg."""
    file.seek(2)
    frame: bytes = b""
    exif_at, exif_size = None, 0
    while (marker := _next_marker(file)) != _START_OF_SCAN:
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(_read(file, 2), "big") - 2
        if length < 0:
            raise NotJpeg("a segment shorter than its own length")
        body_at = file.tell()
        if marker in _FRAMES and not frame:
            frame = _read(file, 5)
        elif marker == _EXIF_SEGMENT and exif_at is None and length > 6 and _read(file, 6) == _EXIF_NAME:
            exif_at, exif_size = body_at + 6, length - 6
        file.seek(body_at + length)
    if not frame:
        raise NotJpeg("pixels without a frame")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return JpegHeader(width, height, file.tell(), exif_at, exif_size)


def has_end(file: BinaryIO, pixels_at: int) -> bool:
    """Whether the image's end marker follows its pixels.

    Within pixels no byte pair looks like it (T.81, B.1.1.5), while the small previews before the pixels have ends of
    their own: so only what follows `pixels_at` counts. Padding, previews or films appended after the end do no
    harm, and zeros where a file system lost the end are no end.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(pixels_at, size - _TAIL))
    if _END_MARKER in file.read(_TAIL):
        return True
    file.seek(pixels_at)
    last = b""
    while chunk := file.read(_CHUNK):
        if _END_MARKER in last + chunk:
            return True
        last = chunk[-1:]
    return False


def _next_marker(file: BinaryIO) -> int:
    if _read(file, 1) != b"\xff":
        raise NotJpeg("no marker where one has to be")
    while (code := _read(file, 1)[0]) == 0xFF:  # any number of fill bytes
        pass
    return code


def _read(file: BinaryIO, length: int) -> bytes:
    found = file.read(length)
    if len(found) != length:
        raise NotJpeg("the file ends before its pixels")
    return found

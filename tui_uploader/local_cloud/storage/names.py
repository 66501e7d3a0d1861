"""The bucket's name, and which object keys the storage accepts.

A key becomes a path below `objects/<bucket>/`, so it must never lead out of that folder. It is kept byte for byte:
no Unicode normalisation.
"""

from __future__ import annotations

from tui_uploader.local_cloud.storage.errors import KeyTooLong, KeyUnusable

BUCKET = "pix4d-local-cloud"

LONGEST_KEY = 1024
"""Bytes of UTF-8 (Amazon S3 user guide, "Naming Amazon S3 objects")."""
LONGEST_SEGMENT = 255
"""Bytes that file systems allow between two slashes."""


def check_key(key: str) -> None:
    """Raises KeyTooLong or KeyUnusable for a key that cannot become a path, although S3 might accept it."""
    if len(key.encode()) > LONGEST_KEY:
        raise KeyTooLong("Your key is too long")
    segments = key.split("/")
    if any(segment in ("", ".", "..") for segment in segments) or "\0" in key:
        raise KeyUnusable("The key has an empty segment, a `.` or `..`, or a NUL.")
    if any(len(segment.encode()) > LONGEST_SEGMENT for segment in segments):
        raise KeyTooLong(f"A segment of the key has more than {LONGEST_SEGMENT} bytes.")

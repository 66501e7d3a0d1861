"""Object keys: which are taken, and where their bytes lie.

A key becomes a path below `objects/<bucket>/`, so it must never lead out of there, and it is kept byte for byte:
no Unicode normalisation, one percent-decoding, a plus is a plus.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from tui_uploader.local_cloud.s3.errors import S3Refusal

BUCKET = "pix4d-local-cloud"

LONGEST_KEY = 1024
"""Bytes of UTF-8 (Amazon S3 user guide, "Naming Amazon S3 objects")."""
LONGEST_SEGMENT = 255
"""Bytes that file systems allow between two slashes."""

# A percent sign that starts no escape would be taken literally by some decoders and refused by others.
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def split_path(raw_path: bytes) -> tuple[str, str]:
    """Bucket and key of a path-style address, as it came over the wire; both may be empty.

    Raises S3Refusal where the path is not one of decodable text.
    """
    if not raw_path.startswith(b"/") or _BROKEN_ESCAPE.search(raw_path):
        raise S3Refusal("InvalidURI", "Couldn't parse the specified URI.")
    bucket, _, key = raw_path[1:].partition(b"/")
    try:
        return unquote_to_bytes(bucket).decode(), unquote_to_bytes(key).decode()
    except UnicodeDecodeError as error:
        raise S3Refusal("InvalidURI", "The object key is not UTF-8.") from error


def check_key(key: str) -> None:
    """Raises S3Refusal for a key that this store does not take, although S3 might."""
    if len(key.encode()) > LONGEST_KEY:
        raise S3Refusal("KeyTooLongError", "Your key is too long")
    segments = key.split("/")
    if any(segment in ("", ".", "..") for segment in segments) or "\0" in key:
        raise S3Refusal("InvalidArgument", "The key has an empty segment, a `.` or `..`, or a NUL.")
    if any(len(segment.encode()) > LONGEST_SEGMENT for segment in segments):
        raise S3Refusal("KeyTooLongError", f"A segment of the key has more than {LONGEST_SEGMENT} bytes.")

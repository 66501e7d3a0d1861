"""Decide whether an object in the store is the one we sent, after the reply to our request was lost.

A connection may break between the store's success and its reply. The repeated request then meets our own object: a
write finds the name taken, a completion finds its upload gone. The reply to a HEAD request decides.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tui_uploader.cloud.contract import ByteRange, Part, StoredObject
from tui_uploader.cloud.http.source_files import FileRead, md5_of
from tui_uploader.model.files import Proof

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object as HEAD reports it."""

    stored: StoredObject
    checksum: str
    """The CRC32 as the store writes it, composite ones of multipart objects included (`…-3`); empty if missing."""


class ObjectMatch(StrEnum):
    """How an object in the store compares with the one we sent."""

    UNKNOWN = "unknown"
    """The store does not let us see objects."""
    MISSING = "missing"
    """There is no such object."""
    DIFFERENT = "different"
    SAME = "same"
    """Proven by a checksum."""
    SAME_SIZE = "same_size"
    """The sizes are equal; nothing else can be compared."""


class CompletionOutcome(StrEnum):
    """The outcome of a refused completion."""

    STORED = "stored"
    """Our object is there: an earlier completion succeeded, and its reply was lost."""
    GONE = "gone"
    """The parts are gone and the name is free: the file has to be sent again."""
    TAKEN = "taken"
    """Another object has the name."""


def completion_outcome(match: ObjectMatch, *, name_taken: bool, unanswered: bool) -> CompletionOutcome:
    """The outcome of a refused completion. `name_taken`: refused with 412; otherwise the upload is gone (404).

    `unanswered`: an earlier request to complete this upload got no reply. If the upload is gone since, an object of the
    same size is ours. A taken name is no evidence of that: raw images all have the same size.
    """
    if match is ObjectMatch.SAME:
        return CompletionOutcome.STORED
    if name_taken or match is ObjectMatch.DIFFERENT:
        return CompletionOutcome.TAKEN
    return CompletionOutcome.STORED if match is ObjectMatch.SAME_SIZE and unanswered else CompletionOutcome.GONE


def match_parts(found: FoundObject, parts: Sequence[Part], size: int) -> ObjectMatch:
    """Compare an object with the one that `parts` make."""
    if found.stored.size != size:
        return ObjectMatch.DIFFERENT
    checksum, etag = multipart_checksum(parts), multipart_etag(parts)
    if checksum is not None and "-" in found.checksum:
        return ObjectMatch.SAME if found.checksum == checksum else ObjectMatch.DIFFERENT
    if etag is not None and "-" in found.stored.etag:
        return ObjectMatch.SAME if found.stored.etag == etag else ObjectMatch.DIFFERENT
    return ObjectMatch.SAME_SIZE


def prove_same(stored: StoredObject, body: ByteRange, reading: FileRead) -> Proof:
    """The proof that an object is the one that a single PUT of `body` makes, or NONE.

    Reads the file if only the ETag can prove it (the MD5 in buckets without KMS), so call it in a thread. Raises
    SourceUnreadable, SourceChanged.
    """
    if stored.size != body.length:
        return Proof.NONE
    if stored.crc32 is not None:
        return Proof.CRC32 if stored.crc32 == body.crc32 else Proof.NONE
    if _MD5.fullmatch(stored.etag) is None or stored.etag != md5_of(body, reading).hex():
        return Proof.NONE
    return Proof.MD5


def multipart_etag(parts: Sequence[Part]) -> str | None:
    """The ETag of an object of these parts, if theirs are MD5s: the MD5 of the MD5s, and their count."""
    if not parts or not all(_MD5.fullmatch(part.etag) for part in parts):
        return None
    ordered = sorted(parts, key=lambda part: part.number)
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in ordered), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(ordered)}"


def multipart_checksum(parts: Sequence[Part]) -> str | None:
    """The composite CRC32 of an object of these parts: the CRC32 of their CRC32s, and their count.

    Unlike the ETag, it is the same in all kinds of buckets (Amazon S3 user guide, "Checking object integrity").
    """
    known = [(part.number, part.crc32) for part in parts if part.crc32 is not None]
    if not parts or len(known) < len(parts):
        return None
    raw = b"".join(struct.pack(">I", crc32) for _, crc32 in sorted(known))
    return f"{base64.b64encode(struct.pack('>I', zlib.crc32(raw))).decode('ascii')}-{len(known)}"

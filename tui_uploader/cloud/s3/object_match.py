"""Whether the object that lies in the store is the one that we sent, when the answer to our request was lost.

A connection may break between the store's success and its answer. The request, sent once more, then meets our own
object: a write finds the name taken, a completion finds its upload gone. What HEAD tells of the object decides.
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
from tui_uploader.model import Proof

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class FoundObject:
    """What HEAD tells."""

    stored: StoredObject
    checksum: str
    """CRC32 as the store writes it, that of an object in parts included (`…-3`); empty where it tells none."""


class ObjectMatch(StrEnum):
    HIDDEN = "hidden"
    """The store does not let us look."""
    NOTHING = "nothing"
    """There is no such object."""
    OTHER = "other"
    SAME = "same"
    """By a checksum."""
    ALIKE = "alike"
    """Of the same size; nothing else can be compared."""


class CompletionOutcome(StrEnum):
    """What a completion that was refused came to."""

    STORED = "stored"
    """Our object is there: an earlier completion succeeded, and its answer was lost."""
    GONE = "gone"
    """The parts are gone and the name is free: the file has to be sent again."""
    TAKEN = "taken"
    """Somebody else's object has the name."""


def completion_outcome(match: ObjectMatch, *, name_taken: bool, unanswered: bool) -> CompletionOutcome:
    """The outcome on a refused completion. `name_taken`: 412 was the refusal, else the upload is gone (404).

    `unanswered`: an earlier request to complete this upload got no answer. Together with an upload that is gone since,
    that makes an object that is merely alike ours. A taken name proves no such thing: raw images are all of one size.
    """
    if match is ObjectMatch.SAME:
        return CompletionOutcome.STORED
    if name_taken or match is ObjectMatch.OTHER:
        return CompletionOutcome.TAKEN
    return CompletionOutcome.STORED if match is ObjectMatch.ALIKE and unanswered else CompletionOutcome.GONE


def match_parts(found: FoundObject, parts: Sequence[Part], size: int) -> ObjectMatch:
    """How an object compares with the one that `parts` make."""
    if found.stored.size != size:
        return ObjectMatch.OTHER
    checksum, etag = multipart_checksum(parts), multipart_etag(parts)
    if checksum is not None and "-" in found.checksum:
        return ObjectMatch.SAME if found.checksum == checksum else ObjectMatch.OTHER
    if etag is not None and "-" in found.stored.etag:
        return ObjectMatch.SAME if found.stored.etag == etag else ObjectMatch.OTHER
    return ObjectMatch.ALIKE


def prove_same(stored: StoredObject, body: ByteRange, reading: FileRead) -> Proof:
    """How it is proven that an object is the one that a single PUT of `body` makes; NONE: it is not.

    Reads the file, so call it in a thread, where the ETag alone can tell: it is the MD5 in buckets without KMS. Raises
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
    """The ETag that S3 gives an object of these parts, where theirs are MD5s: the MD5 of the MD5s, and their count."""
    if not parts or not all(_MD5.fullmatch(part.etag) for part in parts):
        return None
    ordered = sorted(parts, key=lambda part: part.number)
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in ordered), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(ordered)}"


def multipart_checksum(parts: Sequence[Part]) -> str | None:
    """The composite CRC32 that S3 gives an object of these parts: the CRC32 of their CRC32s, and their count.

    Unlike the ETag it is the same in every kind of bucket (Amazon S3 user guide, "Checking object integrity").
    """
    known = [(part.number, part.crc32) for part in parts if part.crc32 is not None]
    if not parts or len(known) < len(parts):
        return None
    raw = b"".join(struct.pack(">I", crc32) for _, crc32 in sorted(known))
    return f"{base64.b64encode(struct.pack('>I', zlib.crc32(raw))).decode('ascii')}-{len(known)}"

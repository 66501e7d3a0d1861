"""Whether an existing object is ours: the complete tables."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.stores import byte_range
from tui_uploader.cloud.contract import ByteRange, Part, StoredObject
from tui_uploader.cloud.http.source_files import FileRead
from tui_uploader.cloud.s3.object_match import (
    CompletionOutcome,
    FoundObject,
    ObjectMatch,
    completion_outcome,
    match_parts,
    multipart_checksum,
    multipart_etag,
    prove_same,
)
from tui_uploader.errors import SourceUnreadable
from tui_uploader.model.files import Proof

PARTS = (Part(1, 1000, hashlib.md5(b"1").hexdigest(), 7), Part(2, 10, hashlib.md5(b"2").hexdigest(), 8))
OPAQUE = tuple(replace(part, etag="opaque") for part in PARTS)
UNCHECKED = tuple(replace(part, crc32=None) for part in PARTS)
ETAG, CHECKSUM = multipart_etag(PARTS), multipart_checksum(PARTS)

UNKNOWN, MISSING, DIFFERENT, SAME, SAME_SIZE = ObjectMatch
STORED, GONE, TAKEN = CompletionOutcome


@pytest.mark.parametrize(
    ("match", "name_taken", "unanswered", "outcome"),
    [
        (UNKNOWN, False, False, GONE),
        (UNKNOWN, False, True, GONE),
        (UNKNOWN, True, False, TAKEN),
        (UNKNOWN, True, True, TAKEN),
        (MISSING, False, False, GONE),
        (MISSING, False, True, GONE),
        (MISSING, True, False, TAKEN),
        (MISSING, True, True, TAKEN),
        (DIFFERENT, False, False, TAKEN),
        (DIFFERENT, False, True, TAKEN),
        (DIFFERENT, True, False, TAKEN),
        (DIFFERENT, True, True, TAKEN),
        (SAME, False, False, STORED),
        (SAME, False, True, STORED),
        (SAME, True, False, STORED),
        (SAME, True, True, STORED),
        (SAME_SIZE, False, False, GONE),
        (SAME_SIZE, False, True, STORED),
        (SAME_SIZE, True, False, TAKEN),
        (SAME_SIZE, True, True, TAKEN),
    ],
)
def test_after_a_refused_completion(
    match: ObjectMatch, name_taken: bool, unanswered: bool, outcome: CompletionOutcome
) -> None:
    assert completion_outcome(match, name_taken=name_taken, unanswered=unanswered) is outcome


@pytest.mark.parametrize(
    ("parts", "size", "etag", "checksum", "match"),
    [
        (PARTS, 1010, ETAG, CHECKSUM, SAME),
        (PARTS, 1010, ETAG, "", SAME),
        (PARTS, 1011, ETAG, CHECKSUM, DIFFERENT),
        (PARTS, 1010, "0" * 32 + "-2", "", DIFFERENT),
        # A bucket with KMS: no ETag is an MD5, but the checksum still counts.
        (PARTS, 1010, "0" * 32 + "-2", CHECKSUM, SAME),
        (PARTS, 1010, ETAG, "AAAAAA==-2", DIFFERENT),
        (OPAQUE, 1010, "opaque-2", CHECKSUM, SAME),
        (OPAQUE, 1010, "opaque-2", "", SAME_SIZE),
        (UNCHECKED, 1010, ETAG, CHECKSUM, SAME),
        (UNCHECKED, 1010, "0" * 32 + "-2", CHECKSUM, DIFFERENT),
        (PARTS, 1010, "opaque", "", SAME_SIZE),
        # One PUT made it: its checksum is that of the whole, which parts do not tell.
        (PARTS, 1010, "0" * 32, "AAAAAA==", SAME_SIZE),
    ],
)
def test_an_object_and_parts(parts: tuple[Part, ...], size: int, etag: str, checksum: str, match: ObjectMatch) -> None:
    assert match_parts(FoundObject(StoredObject(size, etag), checksum), parts, 1010) is match


def test_the_etag_and_checksum_of_joined_parts() -> None:
    digests = hashlib.md5(b"1").digest() + hashlib.md5(b"2").digest()
    for order in itertools.permutations(PARTS):
        assert multipart_etag(order) == f"{hashlib.md5(digests).hexdigest()}-2"
        assert multipart_checksum(order) == CHECKSUM
    assert multipart_etag(OPAQUE) is None and multipart_checksum(UNCHECKED) is None
    assert multipart_checksum((PARTS[0], UNCHECKED[1])) is None
    assert multipart_etag(()) is None and multipart_checksum(()) is None


CONTENT = bytes(range(256)) * 9000


@pytest.mark.parametrize(
    ("size", "etag", "crc32_off_by", "proof"),
    [
        (0, "opaque", 0, Proof.CRC32),
        (0, "opaque", 1, Proof.NONE),
        (1, "opaque", 0, Proof.NONE),
        (0, hashlib.md5(CONTENT).hexdigest(), None, Proof.MD5),
        (0, hashlib.md5(CONTENT).hexdigest(), 1, Proof.NONE),
        (1, hashlib.md5(CONTENT).hexdigest(), None, Proof.NONE),
        (0, hashlib.md5(b"other").hexdigest(), None, Proof.NONE),
        (0, "opaque", None, Proof.NONE),
        (0, hashlib.md5(CONTENT).hexdigest() + "-1", None, Proof.NONE),
    ],
)
def test_an_object_and_a_byte_range(
    tmp_path: Path, size: int, etag: str, crc32_off_by: int | None, proof: Proof
) -> None:
    with (
        byte_range(tmp_path / "a.jpg", b"before" + CONTENT + b"behind") as whole,
        byte_range(tmp_path / "b", CONTENT) as alone,
    ):
        body = ByteRange(whole.file, 6, len(CONTENT), alone.crc32)
        crc32 = None if crc32_off_by is None else body.crc32 ^ crc32_off_by
        assert prove_same(StoredObject(len(CONTENT) + size, etag, crc32), body, FileRead()) is proof


def test_a_file_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "write-only"
    with path.open("wb", buffering=0) as file, pytest.raises(SourceUnreadable, match="write-only"):
        prove_same(StoredObject(1, "0" * 32), ByteRange(file, 0, 1, 0), FileRead())

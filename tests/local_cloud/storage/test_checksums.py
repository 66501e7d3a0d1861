"""Digests of bodies, and checksums of objects made of parts."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local_cloud.clouds import crc32, cut_at
from tui_uploader.local_cloud.storage.checksums import (
    Algorithm,
    Checksum,
    ChecksumType,
    Digests,
    multipart_checksum,
    multipart_etag,
)


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=4))
def test_digests_do_not_depend_on_how_the_body_was_split(body: bytes, cuts: list[int]) -> None:
    digests = Digests((Algorithm.SHA256, Algorithm.CRC32))
    for piece in cut_at(body, cuts):
        digests.update(piece)
    assert digests.md5 == hashlib.md5(body).digest()
    assert digests.raw(Algorithm.SHA256) == hashlib.sha256(body).digest()
    assert digests.value(Algorithm.CRC32) == crc32(body)


def test_a_digest_that_was_not_requested_is_an_error() -> None:
    with pytest.raises(LookupError):
        Digests().value(Algorithm.CRC32)


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=4))
def test_the_crc_of_an_object_is_combined_from_those_of_its_parts(body: bytes, cuts: list[int]) -> None:
    parts = [(crc32(piece), len(piece)) for piece in cut_at(body, cuts)]
    whole = multipart_checksum(Algorithm.CRC32, ChecksumType.FULL_OBJECT, parts)
    assert whole == Checksum(Algorithm.CRC32, crc32(body), ChecksumType.FULL_OBJECT)


def test_composite_checksums_and_etags_count_their_parts() -> None:
    pieces = [b"one", b"two", b"three"]
    raw = b"".join(zlib.crc32(piece).to_bytes(4, "big") for piece in pieces)
    composite = multipart_checksum(Algorithm.CRC32, ChecksumType.COMPOSITE, [(crc32(p), len(p)) for p in pieces])
    assert composite.value == f"{crc32(raw)}-3"
    md5s = [hashlib.md5(piece).hexdigest() for piece in pieces]
    assert multipart_etag(md5s) == hashlib.md5(bytes.fromhex("".join(md5s))).hexdigest() + "-3"
    sha = [(base64.b64encode(hashlib.sha256(piece).digest()).decode(), len(piece)) for piece in pieces]
    joined = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    expected = base64.b64encode(hashlib.sha256(joined).digest()).decode()
    assert multipart_checksum(Algorithm.SHA256, ChecksumType.COMPOSITE, sha).value == f"{expected}-3"

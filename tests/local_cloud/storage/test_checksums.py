"""Checksums of bodies, and of objects made of parts."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local_cloud.clouds import crc32, cut_at
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.storage.checksums import (
    Algorithm,
    Announced,
    Checksum,
    ChecksumType,
    Digests,
    algorithm_of,
    announced,
    check,
    multipart_checksum,
    multipart_etag,
)

BODY = b"what was sent"
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
SHA1 = base64.b64encode(hashlib.sha1(BODY).digest()).decode()
SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
UNSIGNED = "UNSIGNED-PAYLOAD"


def checked(headers: Mapping[str, str], payload: str, trailers: Mapping[str, str], body: bytes = BODY) -> None:
    expected = announced(headers, payload)
    digests = Digests(expected)
    digests.update(body)
    check(expected, digests, trailers)


@pytest.mark.parametrize(
    ("headers", "payload", "trailers"),
    [
        ({}, UNSIGNED, {}),
        ({"content-md5": MD5}, UNSIGNED, {}),
        ({"x-amz-checksum-crc32": crc32(BODY)}, UNSIGNED, {}),
        ({"x-amz-checksum-sha1": SHA1}, UNSIGNED, {}),
        ({"x-amz-checksum-sha256": SHA256}, UNSIGNED, {}),
        ({}, hashlib.sha256(BODY).hexdigest(), {}),
        ({"x-amz-trailer": "x-amz-checksum-crc32"}, UNSIGNED, {"x-amz-checksum-crc32": crc32(BODY)}),
        ({"x-amz-trailer": "X-Amz-Checksum-Sha256"}, UNSIGNED, {"x-amz-checksum-sha256": SHA256}),
    ],
)
def test_what_a_request_says_of_its_body_is_checked(
    headers: dict[str, str], payload: str, trailers: dict[str, str]
) -> None:
    checked(headers, payload, trailers)
    if headers or payload != UNSIGNED:
        with pytest.raises(S3Refusal) as refused:
            checked(headers, payload, trailers, BODY + b"!")
        assert refused.value.code in ("BadDigest", "XAmzContentSHA256Mismatch")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-md5": "not base64!"}, "InvalidDigest"),
        ({"content-md5": ""}, "InvalidDigest"),
        ({"content-md5": "ä"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAA"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": crc32(BODY), "x-amz-checksum-sha256": SHA256}, "InvalidRequest"),
        ({"x-amz-checksum-crc32c": "AAAAAA=="}, "NotImplemented"),
        ({"x-amz-trailer": "x-amz-checksum-crc64nvme"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_understood_is_refused(headers: dict[str, str], code: str) -> None:
    with pytest.raises(S3Refusal) as refused:
        announced(headers, UNSIGNED)
    assert refused.value.code == code


def test_headers_about_checksums_are_none() -> None:
    headers = {
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-checksum-type": "COMPOSITE",
        "x-amz-checksum-algorithm": "CRC32",
    }
    assert announced(headers, UNSIGNED) == Announced()


def test_a_promised_trailer_has_to_come() -> None:
    with pytest.raises(S3Refusal, match="trailer"):
        checked({"x-amz-trailer": "x-amz-checksum-crc32"}, UNSIGNED, {})


def test_algorithms_by_both_their_names() -> None:
    assert algorithm_of("CRC32") is algorithm_of("x-amz-checksum-crc32") is Algorithm.CRC32


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=4))
def test_sums_do_not_depend_on_how_the_body_was_cut(body: bytes, cuts: list[int]) -> None:
    digests = Digests(Announced(payload_sha256="x"), Algorithm.CRC32)
    for piece in cut_at(body, cuts):
        digests.update(piece)
    assert digests.md5 == hashlib.md5(body).digest()
    assert digests.raw(Algorithm.SHA256) == hashlib.sha256(body).digest()
    assert digests.value(Algorithm.CRC32) == crc32(body)


def test_a_sum_that_was_not_asked_for_is_not_made_up() -> None:
    with pytest.raises(LookupError):
        Digests(Announced()).value(Algorithm.CRC32)


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=4))
def test_the_crc_of_an_object_follows_from_those_of_its_parts(body: bytes, cuts: list[int]) -> None:
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

"""Checksums that requests announce for their bodies."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import pytest

from tests.local_cloud.clouds import crc32
from tui_uploader.local_cloud.s3.announced_checksums import AnnouncedChecksums, algorithm_of, announced, check
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.storage.checksums import Algorithm

BODY = b"the bytes that were sent"
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
SHA1 = base64.b64encode(hashlib.sha1(BODY).digest()).decode()
SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
UNSIGNED = "UNSIGNED-PAYLOAD"


def checked(headers: Mapping[str, str], payload: str, trailers: Mapping[str, str], body: bytes = BODY) -> None:
    expected = announced(headers, payload)
    digests = expected.digests()
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
def test_announced_checksums_are_verified(headers: dict[str, str], payload: str, trailers: dict[str, str]) -> None:
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
def test_malformed_and_unknown_checksums_are_refused(headers: dict[str, str], code: str) -> None:
    with pytest.raises(S3Refusal) as refused:
        announced(headers, UNSIGNED)
    assert refused.value.code == code


def test_headers_about_checksums_carry_none() -> None:
    headers = {
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-checksum-type": "COMPOSITE",
        "x-amz-checksum-algorithm": "CRC32",
    }
    assert announced(headers, UNSIGNED) == AnnouncedChecksums()


def test_a_missing_trailer_is_refused() -> None:
    with pytest.raises(S3Refusal, match="trailer"):
        checked({"x-amz-trailer": "x-amz-checksum-crc32"}, UNSIGNED, {})


def test_algorithms_by_value_and_by_header() -> None:
    assert algorithm_of("CRC32") is algorithm_of("x-amz-checksum-crc32") is Algorithm.CRC32

"""Checksums that a request announces for its body, and their check once the body has arrived.

SDKs send CRC32 by default, older ones Content-MD5 and a SHA-256 of the payload. CRC32C and CRC64NVME are refused
rather than ignored.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.storage.checksums import Algorithm, Digests

# Headers that begin like a checksum but carry none.
_NOT_CHECKSUMS = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})


@dataclass(frozen=True, slots=True)
class AnnouncedChecksums:
    """Checksums of one request, known before its body arrives."""

    md5: bytes | None = None
    payload_sha256: str | None = None
    """Hexadecimal, from the signature."""
    checksum: tuple[Algorithm, str] | None = None
    trailer: Algorithm | None = None
    """The checksum follows the body."""

    @property
    def algorithm(self) -> Algorithm | None:
        return self.checksum[0] if self.checksum else self.trailer

    def digests(self, also: Algorithm | None = None) -> Digests:
        """Digests that `check` needs, and one more."""
        wanted = (self.algorithm, also, Algorithm.SHA256 if self.payload_sha256 else None)
        return Digests(filter(None, wanted))


def announced(headers: Mapping[str, str], payload: str) -> AnnouncedChecksums:
    """Read the checksums of a request; `payload` is the value of x-amz-content-sha256.

    Raises S3Refusal for more than one x-amz-checksum- header, and for malformed ones.
    """
    sums = {name: value for name, value in headers.items() if name.startswith("x-amz-checksum-")}
    sums = {name: value for name, value in sums.items() if name not in _NOT_CHECKSUMS}
    if len(sums) > 1:
        raise S3Refusal("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    checksum = next(((algorithm_of(name), value) for name, value in sums.items()), None)
    if checksum and len(_decoded(checksum[1])) != checksum[0].digest_size:
        raise S3Refusal("InvalidRequest", f"Value for {checksum[0].header} header is invalid.")
    md5 = headers.get("content-md5")
    if md5 is not None and len(_decoded(md5)) != 16:
        raise S3Refusal("InvalidDigest", "The Content-MD5 you specified was invalid.")
    trailer = headers.get("x-amz-trailer")
    return AnnouncedChecksums(
        md5=None if md5 is None else _decoded(md5),
        payload_sha256=payload if len(payload) == 64 else None,
        checksum=checksum,
        trailer=None if trailer is None else algorithm_of(trailer.strip().lower()),
    )


def algorithm_of(name: str) -> Algorithm:
    """The algorithm by the name of its header, or by its value in x-amz-checksum-algorithm. Raises S3Refusal."""
    word = name.lower().removeprefix("x-amz-checksum-")
    try:
        return Algorithm(word)
    except ValueError:
        known = ", ".join(algorithm.value.upper() for algorithm in Algorithm)
        raise S3Refusal(
            "NotImplemented", f"The checksum {word.upper()} is not implemented here; use one of {known}."
        ) from None


def check(announced: AnnouncedChecksums, digests: Digests, trailers: Mapping[str, str]) -> None:
    """Raises S3Refusal unless the digests of the body equal the announced checksums."""
    if announced.payload_sha256 and digests.raw(Algorithm.SHA256).hex() != announced.payload_sha256:
        raise S3Refusal(
            "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    if announced.md5 is not None and announced.md5 != digests.md5:
        raise S3Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.")
    expected = announced.checksum
    if announced.trailer:
        if announced.trailer.header not in trailers:
            raise S3Refusal("InvalidRequest", f"The trailer {announced.trailer.header} is missing.")
        expected = (announced.trailer, trailers[announced.trailer.header])
    if expected and digests.value(expected[0]) != expected[1]:
        raise S3Refusal(
            "BadDigest", f"The {expected[0].value.upper()} you specified did not match the calculated checksum."
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error, or not ASCII
        return b""

"""Checksums of bodies: which a request announces, and whether the bytes keep what it says.

SDKs send CRC32 by default, older ones Content-MD5 and a SHA-256 of the payload; all are checked in the one pass
that writes the bytes. CRC32C and CRC64NVME are refused aloud rather than passed over.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zlib_ng import zlib_ng

from tui_uploader.local_cloud.s3.errors import S3Refusal


class Algorithm(StrEnum):
    """Additional checksums of S3 that this store knows, by the end of their header's name."""

    CRC32 = "crc32"
    SHA1 = "sha1"
    SHA256 = "sha256"

    @property
    def header(self) -> str:
        return f"x-amz-checksum-{self.value}"

    @property
    def xml_name(self) -> str:
        """As elements of replies call it."""
        return f"Checksum{self.value.upper()}"

    @property
    def digest_size(self) -> int:
        """Bytes."""
        return {Algorithm.CRC32: 4, Algorithm.SHA1: 20, Algorithm.SHA256: 32}[self]


class ChecksumType(StrEnum):
    """What the checksum of an object made of parts is taken over."""

    COMPOSITE = "COMPOSITE"
    """The parts' checksums, one after the other."""
    FULL_OBJECT = "FULL_OBJECT"
    """The bytes of the object."""


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: Algorithm
    value: str
    """Base64; of a composite one with `-N` behind it."""
    type: ChecksumType = ChecksumType.FULL_OBJECT


# Headers that begin like a checksum and are none.
_ABOUT_CHECKSUMS = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})


@dataclass(frozen=True, slots=True)
class Announced:
    """What a request says of its body, before the body has come."""

    md5: bytes | None = None
    payload_sha256: str | None = None
    """Hexadecimal, from the signature."""
    checksum: tuple[Algorithm, str] | None = None
    trailer: Algorithm | None = None
    """The checksum comes behind the body."""

    @property
    def algorithm(self) -> Algorithm | None:
        return self.checksum[0] if self.checksum else self.trailer


def announced(headers: Mapping[str, str], payload: str) -> Announced:
    """`payload` is the value of x-amz-content-sha256. Raises S3Refusal for what cannot be understood."""
    sums = {name: value for name, value in headers.items() if name.startswith("x-amz-checksum-")}
    sums = {name: value for name, value in sums.items() if name not in _ABOUT_CHECKSUMS}
    if len(sums) > 1:
        raise S3Refusal("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    checksum = next(((algorithm_of(name), value) for name, value in sums.items()), None)
    if checksum and len(_decoded(checksum[1])) != checksum[0].digest_size:
        raise S3Refusal("InvalidRequest", f"Value for {checksum[0].header} header is invalid.")
    md5 = headers.get("content-md5")
    if md5 is not None and len(_decoded(md5)) != 16:
        raise S3Refusal("InvalidDigest", "The Content-MD5 you specified was invalid.")
    trailer = headers.get("x-amz-trailer")
    return Announced(
        md5=None if md5 is None else _decoded(md5),
        payload_sha256=payload if len(payload) == 64 else None,
        checksum=checksum,
        trailer=None if trailer is None else algorithm_of(trailer.strip().lower()),
    )


def algorithm_of(name: str) -> Algorithm:
    """By the name of a header, or by the word of x-amz-checksum-algorithm.

    Raises S3Refusal.
    """
    word = name.lower().removeprefix("x-amz-checksum-")
    try:
        return Algorithm(word)
    except ValueError:
        known = ", ".join(algorithm.value.upper() for algorithm in Algorithm)
        raise S3Refusal(
            "NotImplemented", f"The checksum {word.upper()} is not implemented here; use one of {known}."
        ) from None


class Digests:
    """All the sums of one body that somebody will ask for, in one pass. MD5 is always among them: it is the ETag."""

    def __init__(self, announced: Announced, also: Algorithm | None = None) -> None:
        wanted = {announced.algorithm, also, Algorithm.SHA256 if announced.payload_sha256 else None}
        self._crc32: int | None = 0 if Algorithm.CRC32 in wanted else None
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha1 = hashlib.sha1(usedforsecurity=False) if Algorithm.SHA1 in wanted else None
        self._sha256 = hashlib.sha256() if Algorithm.SHA256 in wanted else None

    def update(self, data: bytes) -> None:
        self._md5.update(data)
        if self._crc32 is not None:
            self._crc32 = zlib_ng.crc32(data, self._crc32)
        if self._sha1:
            self._sha1.update(data)
        if self._sha256:
            self._sha256.update(data)

    @property
    def md5(self) -> bytes:
        return self._md5.digest()

    def raw(self, algorithm: Algorithm) -> bytes:
        """Raises LookupError for one that was not asked for."""
        if algorithm is Algorithm.CRC32 and self._crc32 is not None:
            return self._crc32.to_bytes(4, "big")
        found = {Algorithm.SHA1: self._sha1, Algorithm.SHA256: self._sha256}.get(algorithm)
        if found is None:
            raise LookupError(algorithm)
        return found.digest()

    def value(self, algorithm: Algorithm) -> str:
        """Base64."""
        return base64.b64encode(self.raw(algorithm)).decode()


def check(announced: Announced, digests: Digests, trailers: Mapping[str, str]) -> None:
    """Raises S3Refusal unless the body is what the request said."""
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


def multipart_etag(part_md5s: Sequence[str]) -> str:
    """MD5 of the parts' MD5s (hexadecimal), a dash, their number: what S3 gives for an object made of parts."""
    joined = b"".join(bytes.fromhex(md5) for md5 in part_md5s)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(part_md5s)}"


def multipart_checksum(algorithm: Algorithm, kind: ChecksumType, parts: Sequence[tuple[str, int]]) -> Checksum:
    """The checksum of the whole object, from (base64 checksum, size) of its parts in their order."""
    raw = [base64.b64decode(value) for value, _ in parts]
    if kind is ChecksumType.FULL_OBJECT:
        crc = 0
        for part, (_, size) in zip(raw, parts, strict=True):
            crc = zlib_ng.crc32_combine(crc, int.from_bytes(part, "big"), size)
        return Checksum(algorithm, base64.b64encode(crc.to_bytes(4, "big")).decode(), kind)
    joined = b"".join(raw)
    if algorithm is Algorithm.CRC32:
        whole = zlib_ng.crc32(joined).to_bytes(4, "big")
    else:
        whole = hashlib.new(algorithm.value, joined, usedforsecurity=False).digest()
    return Checksum(algorithm, f"{base64.b64encode(whole).decode()}-{len(parts)}", kind)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error, or not ASCII
        return b""

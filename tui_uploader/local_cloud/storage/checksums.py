"""Checksums of bodies and of objects made of parts. Source: "Checking object integrity", Amazon S3 user guide."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zlib_ng import zlib_ng


class Algorithm(StrEnum):
    """Checksums that this storage implements, named as at the end of their headers."""

    CRC32 = "crc32"
    SHA1 = "sha1"
    SHA256 = "sha256"

    @property
    def header(self) -> str:
        return f"x-amz-checksum-{self.value}"

    @property
    def xml_name(self) -> str:
        """The element's name in XML."""
        return f"Checksum{self.value.upper()}"

    @property
    def digest_size(self) -> int:
        """Bytes."""
        return {Algorithm.CRC32: 4, Algorithm.SHA1: 20, Algorithm.SHA256: 32}[self]


class ChecksumType(StrEnum):
    """Input of the checksum of an object made of parts."""

    COMPOSITE = "COMPOSITE"
    """The checksums of the parts, concatenated."""
    FULL_OBJECT = "FULL_OBJECT"
    """The bytes of the object."""


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: Algorithm
    value: str
    """Base64; a composite one ends with `-N` for N parts."""
    type: ChecksumType = ChecksumType.FULL_OBJECT


class Digests:
    """Digests of one body, computed in one pass. MD5 is always among them: it is the ETag."""

    def __init__(self, algorithms: Iterable[Algorithm] = ()) -> None:
        wanted = frozenset(algorithms)
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
        """Raises LookupError for an algorithm that was not requested."""
        if algorithm is Algorithm.CRC32 and self._crc32 is not None:
            return self._crc32.to_bytes(4, "big")
        found = {Algorithm.SHA1: self._sha1, Algorithm.SHA256: self._sha256}.get(algorithm)
        if found is None:
            raise LookupError(algorithm)
        return found.digest()

    def value(self, algorithm: Algorithm) -> str:
        """Base64. Raises LookupError for an algorithm that was not requested."""
        return base64.b64encode(self.raw(algorithm)).decode()


def multipart_etag(part_md5s: Sequence[str]) -> str:
    """MD5 of the parts' MD5s (hexadecimal), a dash and the number of parts, as S3 computes it."""
    joined = b"".join(bytes.fromhex(md5) for md5 in part_md5s)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(part_md5s)}"


def multipart_checksum(algorithm: Algorithm, kind: ChecksumType, parts: Sequence[tuple[str, int]]) -> Checksum:
    """Checksum of the whole object, from (base64 checksum, size) of its parts in order."""
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

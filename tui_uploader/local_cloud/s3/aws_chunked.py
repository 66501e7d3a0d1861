"""Decode the `aws-chunked` coding: a payload in chunks, optionally signed, with optional trailers.

    10000;chunk-signature=…\\r\\n <65536 bytes> \\r\\n … 0;chunk-signature=…\\r\\n x-amz-checksum-crc32:…\\r\\n \\r\\n

Source: "Signature Calculations: Transferring Payload in Multiple Chunks" in the Amazon S3 API reference.
"""

from __future__ import annotations

import hashlib
import re
from enum import Enum, auto

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.signatures import ChunkSignatures

_LONGEST_LINE = 4096
_MOST_TRAILERS = 16
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


class _Awaiting(Enum):
    HEAD = auto()
    DATA = auto()
    END_OF_DATA = auto()
    TRAILER = auto()
    NOTHING = auto()


class AwsChunkedDecoder:
    """Incremental decoder.

    With `signatures`, every chunk and the trailers must be signed. Payload is returned before the signature of its
    chunk is checked: do not use it before `finish` returns.
    """

    def __init__(self, decoded_length: int, signatures: ChunkSignatures | None = None) -> None:
        self._left_of_payload = decoded_length
        self._signatures = signatures
        self._awaiting = _Awaiting.HEAD
        self._line = bytearray()
        self._left_of_chunk = 0
        self._chunk_sha256 = hashlib.sha256()
        self._chunk_signature = ""
        self._trailer_lines: list[bytes] = []
        self._trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> list[bytes]:
        """The payload in `data`, in pieces. Raises S3Refusal."""
        payload: list[bytes] = []
        at = 0
        while at < len(data):
            if self._awaiting is _Awaiting.DATA:
                piece = data[at : at + self._left_of_chunk]
                at += len(piece)
                self._take(piece)
                payload.append(piece)
                continue
            end = data.find(b"\n", at)
            self._line += data[at : len(data) if end < 0 else end + 1]
            if len(self._line) > _LONGEST_LINE or self._awaiting is _Awaiting.NOTHING:
                raise _malformed()
            if end < 0:
                break
            at = end + 1
            line, self._line = bytes(self._line), bytearray()
            if not line.endswith(b"\r\n"):
                raise _malformed()
            self._handle_line(line[:-2])
        return payload

    def finish(self) -> dict[str, str]:
        """End the body and return the trailers by lower-case name. Raises S3Refusal."""
        if self._awaiting is not _Awaiting.NOTHING or self._left_of_payload:
            raise S3Refusal("IncompleteBody", "The payload is shorter than x-amz-decoded-content-length says.")
        return self._trailers

    def _take(self, piece: bytes) -> None:
        if self._signatures:
            self._chunk_sha256.update(piece)
        self._left_of_chunk -= len(piece)
        if not self._left_of_chunk:
            self._awaiting = _Awaiting.END_OF_DATA

    def _handle_line(self, line: bytes) -> None:
        if self._awaiting is _Awaiting.HEAD:
            self._begin_chunk(line)
        elif self._awaiting is _Awaiting.END_OF_DATA:
            if line:
                raise _malformed()
            self._end_chunk()
            self._awaiting = _Awaiting.HEAD
        elif line:
            self._take_trailer(line)
        else:
            self._end()

    def _begin_chunk(self, line: bytes) -> None:
        found = _CHUNK_HEAD.fullmatch(line)
        if not found:
            raise _malformed()
        self._left_of_chunk = int(found[1], 16)
        self._left_of_payload -= self._left_of_chunk
        if self._left_of_payload < 0:
            raise S3Refusal("IncompleteBody", "The payload is longer than x-amz-decoded-content-length says.")
        self._chunk_sha256 = hashlib.sha256()
        self._chunk_signature = (found[2] or b"").decode()
        if self._left_of_chunk:
            self._awaiting = _Awaiting.DATA
        else:
            self._end_chunk()
            self._awaiting = _Awaiting.TRAILER

    def _end_chunk(self) -> None:
        if self._signatures:
            self._signatures.check_chunk(self._chunk_sha256.hexdigest(), self._chunk_signature)

    def _take_trailer(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(self._trailer_lines) == _MOST_TRAILERS:
            raise _malformed()
        name, value = name.strip().lower(), value.strip()
        self._trailers[name] = value
        if name != _TRAILER_SIGNATURE:
            self._trailer_lines.append(f"{name}:{value}\n".encode("latin-1"))

    def _end(self) -> None:
        given = self._trailers.pop(_TRAILER_SIGNATURE, "")
        if self._signatures and self._trailers:
            self._signatures.check_trailers(b"".join(self._trailer_lines), given)
        self._awaiting = _Awaiting.NOTHING


def _malformed() -> S3Refusal:
    return S3Refusal("InvalidRequest", "The body is not a well-formed aws-chunked stream.")

"""One S3 request that was let in: who may do what, and what came with it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from tui_uploader.local_cloud.options import Checksums, Profile
from tui_uploader.local_cloud.routes import Operation, operation_of
from tui_uploader.local_cloud.s3.aws_chunked import AwsChunkedDecoder
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.signatures import (
    STREAMING,
    STREAMING_UNSIGNED_TRAILER,
    ChunkSignatures,
    Claim,
    WireRequest,
    claim_of,
    verify,
)
from tui_uploader.local_cloud.storage.names import BUCKET, check_key, split_path
from tui_uploader.local_cloud.tokens import PassOffice, StorageKey

MAX_SINGLE_PUT = 5 * 1024**3
"""Bytes of one PUT or part (Amazon S3 user guide)."""

_RIGHTS = {
    Profile.DEFAULT: frozenset(Operation) - {Operation.FORBIDDEN},
    Profile.STRICT: frozenset({Operation.PUT_OBJECT}),
}
_KEPT_HEADERS = frozenset(
    {"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
)


@dataclass(frozen=True, slots=True)
class Call:
    request: Request = field(repr=False)
    operation: Operation
    key: str
    """Empty for the bucket itself."""
    parameters: Mapping[str, str]
    claim: Claim = field(repr=False)
    storage_key: StorageKey
    checksums: Checksums = Checksums.CRC32

    @property
    def headers(self) -> Mapping[str, str]:
        """Those that this store knows."""
        if self.checksums is Checksums.CRC32:
            return self.request.headers
        return {
            name: value
            for name, value in self.request.headers.items()
            if not name.startswith("x-amz-checksum-")
            and not (name == "content-md5" and self.checksums is not Checksums.CONTENT_MD5)
        }

    def etag(self, md5: bytes) -> str:
        """What the store calls a body with this MD5."""
        return secrets.token_hex(16) if self.checksums is Checksums.NONE else md5.hex()

    @property
    def resource(self) -> str:
        """The path as it came."""
        return str(self.request.scope["raw_path"].decode("latin-1"))

    def decoder(self) -> AwsChunkedDecoder | None:
        """What takes the body's coding off; None where it has none. Raises S3Refusal for a body of unknown length."""
        if self.claim.payload not in STREAMING:
            self._check_length("content-length")
            return None
        length = self._check_length("x-amz-decoded-content-length")
        if self.claim.payload == STREAMING_UNSIGNED_TRAILER:
            return AwsChunkedDecoder(length)
        return AwsChunkedDecoder(length, ChunkSignatures(self.claim, self.storage_key.secret_key))

    def _check_length(self, header: str) -> int:
        text = self.headers.get(header)
        if text is None and "transfer-encoding" in self.headers:
            raise S3Refusal("NotImplemented", "A header you provided implies functionality that is not implemented")
        if text is None or not (text.isascii() and text.isdigit() and len(text) < 20):
            raise S3Refusal("MissingContentLength", "You must provide the Content-Length HTTP header.")
        if int(text) > MAX_SINGLE_PUT:
            raise S3Refusal("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        return int(text)

    def whole_number(self, parameter: str, default: int, least: int, most: int) -> int:
        """A number in the query. Raises S3Refusal unless it lies between `least` and `most`."""
        text = self.parameters.get(parameter, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise S3Refusal("InvalidArgument", f"{parameter} must be an integer between {least} and {most}, inclusive")
        return int(text)

    def kept_headers(self) -> dict[str, str]:
        """What the client will want back with the object."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if name in _KEPT_HEADERS or name.startswith("x-amz-meta-")
        }
        codings = [coding.strip() for coding in kept.pop("content-encoding", "").split(",")]
        codings = [coding for coding in codings if coding not in ("", "aws-chunked")]
        return kept | ({"content-encoding": ",".join(codings)} if codings else {})


def admitted(request: Request, passes: PassOffice, profile: Profile, checksums: Checksums, now: float) -> Call:
    """The request, once it is known who sends it and that they may. Raises S3Refusal."""
    wire = WireRequest(
        method=request.method,
        path=request.scope["raw_path"],
        query=request.scope["query_string"],
        headers=request.scope["headers"],
    )
    bucket, key = split_path(wire.path)
    claim = claim_of(wire)
    storage_key = passes.recognised(claim.access_key, claim.session_token)
    verify(wire, claim, storage_key.secret_key, now)
    if now >= storage_key.expires_at:
        raise S3Refusal("ExpiredToken", "The provided token has expired.")
    if bucket != BUCKET:
        raise S3Refusal("NoSuchBucket" if bucket else "AccessDenied", "There is no such bucket for you.")
    parameters = _texts(wire)
    operation = operation_of(wire.method, key, parameters)
    call = Call(request, operation, key, parameters, claim, storage_key, checksums)
    if not _allowed(call, profile):
        raise S3Refusal("AccessDenied", "Access Denied")
    if key:
        check_key(key)
    return call


def _allowed(call: Call, profile: Profile) -> bool:
    if call.operation not in _RIGHTS[profile]:
        return False
    sets_acl = any(name == "x-amz-acl" or name.startswith("x-amz-grant-") for name in call.headers)
    if sets_acl and profile is Profile.STRICT:
        return False
    touched = call.key or call.parameters.get("prefix", "")
    own = call.storage_key.prefix
    return touched.startswith(own + "/") or (call.operation is Operation.LIST_OBJECTS and touched == own)


def _texts(wire: WireRequest) -> dict[str, str]:
    try:
        return {name.decode(): value.decode() for name, value in wire.parameters}
    except UnicodeDecodeError as error:
        raise S3Refusal("InvalidURI", "The query is not UTF-8.") from error

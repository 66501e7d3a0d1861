"""Authenticate and authorize an S3 request, and read its headers and parameters."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

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
from tui_uploader.local_cloud.storage.names import BUCKET, check_key
from tui_uploader.local_cloud.tokens import IssuedCredentials, TokenRefused, TokenService, UnknownAccessKey
from tui_uploader.text import whole_number

MAX_SINGLE_PUT = 5 * 1024**3
"""Bytes of one PUT or part (Amazon S3 user guide)."""
LARGEST_SIZE = 2**63 - 1
"""Largest number of bytes that a header may name."""

# Some decoders take a percent sign without two hex digits literally, others refuse it.
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")

_RIGHTS = {
    Profile.DEFAULT: frozenset(Operation) - {Operation.FORBIDDEN},
    Profile.STRICT: frozenset({Operation.PUT_OBJECT}),
}
_KEPT_HEADERS = frozenset(
    {"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
)


@dataclass(frozen=True, slots=True)
class S3Request:
    """A request that has been authenticated and authorized."""

    http: Request = field(repr=False)
    operation: Operation
    key: str
    """Empty for the bucket itself."""
    parameters: Mapping[str, str]
    claim: Claim = field(repr=False)
    credentials: IssuedCredentials
    checksums: Checksums = Checksums.CRC32

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, without checksums that this store does not verify."""
        if self.checksums is Checksums.CRC32:
            return self.http.headers
        return {
            name: value
            for name, value in self.http.headers.items()
            if not name.startswith("x-amz-checksum-")
            and not (name == "content-md5" and self.checksums is not Checksums.CONTENT_MD5)
        }

    def etag(self, md5: bytes) -> str:
        """The ETag of a body with this MD5."""
        return secrets.token_hex(16) if self.checksums is Checksums.NONE else md5.hex()

    @property
    def resource(self) -> str:
        """The path as received."""
        return str(self.http.scope["raw_path"].decode("latin-1"))

    def decoder(self) -> AwsChunkedDecoder | None:
        """A decoder for the body; None for a plain body. Raises S3Refusal when the length is missing or too large."""
        if self.claim.payload not in STREAMING:
            self._check_length("content-length")
            return None
        length = self._check_length("x-amz-decoded-content-length")
        if self.claim.payload == STREAMING_UNSIGNED_TRAILER:
            return AwsChunkedDecoder(length)
        return AwsChunkedDecoder(length, ChunkSignatures(self.claim, self.credentials.secret_key))

    def _check_length(self, header: str) -> int:
        text = self.headers.get(header)
        if text is None and "transfer-encoding" in self.headers:
            raise S3Refusal("NotImplemented", "A header you provided implies functionality that is not implemented")
        length = whole_number(text or "", LARGEST_SIZE)
        if length is None:
            raise S3Refusal("MissingContentLength", "You must provide the Content-Length HTTP header.")
        if length > MAX_SINGLE_PUT:
            raise S3Refusal("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        return length

    def number(self, parameter: str, default: int, least: int, most: int) -> int:
        """A number in the query. Raises S3Refusal unless it is between `least` and `most`."""
        number = whole_number(self.parameters.get(parameter, str(default)), most)
        if number is None or number < least:
            raise S3Refusal("InvalidArgument", f"{parameter} must be an integer between {least} and {most}, inclusive")
        return number

    def kept_headers(self) -> dict[str, str]:
        """Headers to store with the object and return with it."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if name in _KEPT_HEADERS or name.startswith("x-amz-meta-")
        }
        codings = [coding.strip() for coding in kept.pop("content-encoding", "").split(",")]
        codings = [coding for coding in codings if coding not in ("", "aws-chunked")]
        return kept | ({"content-encoding": ",".join(codings)} if codings else {})


def authorize(request: Request, tokens: TokenService, profile: Profile, checksums: Checksums, now: float) -> S3Request:
    """Check signature, credentials and rights of a request. Raises S3Refusal, KeyTooLong, KeyUnusable."""
    wire = WireRequest(
        method=request.method,
        path=request.scope["raw_path"],
        query=request.scope["query_string"],
        headers=request.scope["headers"],
    )
    bucket, key = split_path(wire.path)
    claim = claim_of(wire)
    credentials = _credentials_of(claim, tokens)
    verify(wire, claim, credentials.secret_key, now)
    if now >= credentials.expires_at:
        raise S3Refusal("ExpiredToken", "The provided token has expired.")
    if bucket != BUCKET:
        raise S3Refusal("NoSuchBucket" if bucket else "AccessDenied", "There is no such bucket for you.")
    parameters = _decoded_parameters(wire)
    operation = operation_of(wire.method, key, parameters)
    authorized = S3Request(request, operation, key, parameters, claim, credentials, checksums)
    if not _allowed(authorized, profile):
        raise S3Refusal("AccessDenied", "Access Denied")
    if key:
        check_key(key)
    return authorized


def split_path(raw_path: bytes) -> tuple[str, str]:
    """Bucket and key of a path-style URL, percent-decoded once; both may be empty. A plus is a plus.

    Raises S3Refusal for a path that is malformed or not UTF-8.
    """
    if not raw_path.startswith(b"/") or _BROKEN_ESCAPE.search(raw_path):
        raise S3Refusal("InvalidURI", "Couldn't parse the specified URI.")
    bucket, _, key = raw_path[1:].partition(b"/")
    try:
        return unquote_to_bytes(bucket).decode(), unquote_to_bytes(key).decode()
    except UnicodeDecodeError as error:
        raise S3Refusal("InvalidURI", "The object key is not UTF-8.") from error


def _credentials_of(claim: Claim, tokens: TokenService) -> IssuedCredentials:
    try:
        return tokens.credentials_of(claim.access_key, claim.session_token)
    except UnknownAccessKey as error:
        raise S3Refusal(
            "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        ) from error
    except TokenRefused as error:
        raise S3Refusal("InvalidToken", "The provided token is malformed or otherwise invalid.") from error


def _allowed(request: S3Request, profile: Profile) -> bool:
    if request.operation not in _RIGHTS[profile]:
        return False
    sets_acl = any(name == "x-amz-acl" or name.startswith("x-amz-grant-") for name in request.headers)
    if sets_acl and profile is Profile.STRICT:
        return False
    touched = request.key or request.parameters.get("prefix", "")
    own = request.credentials.prefix
    return touched.startswith(own + "/") or (request.operation is Operation.LIST_OBJECTS and touched == own)


def _decoded_parameters(wire: WireRequest) -> dict[str, str]:
    try:
        return {name.decode(): value.decode() for name, value in wire.parameters}
    except UnicodeDecodeError as error:
        raise S3Refusal("InvalidURI", "The query is not UTF-8.") from error

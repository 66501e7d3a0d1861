"""Verify AWS Signature Version 4 in the Authorization header: pure functions of a request.

Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API reference.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from tui_uploader.local_cloud.s3.errors import S3Refusal

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_SKEW = 15 * 60
"""Largest accepted difference, in seconds, between the time of a signature and the clock."""

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING = frozenset({STREAMING_UNSIGNED_TRAILER, STREAMING_SIGNED, STREAMING_SIGNED_TRAILER})

_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{{64}})"
)
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """The parts of a request that a signature covers, as received."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    """Names are in lower case."""

    @property
    def parameters(self) -> list[tuple[bytes, bytes]]:
        """The decoded query."""
        pairs = (pair.partition(b"=") for pair in self.query.replace(b"+", b" ").split(b"&") if pair)
        return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs]

    def header(self, name: str) -> str | None:
        """Values of the same name, joined by commas as in the canonical request."""
        wanted = name.encode("latin-1")
        values = [b" ".join(value.split()) for key, value in self.headers if key == wanted]
        return b",".join(values).decode("latin-1") if values else None


@dataclass(frozen=True, slots=True)
class Claim:
    """The signature of a request, and the access key that it names."""

    access_key: str
    scope: str
    """`DATE/REGION/s3/aws4_request`."""
    timestamp: str
    """`20260131T235959Z`."""
    signed_headers: tuple[str, ...]
    signature: str
    payload: str
    """Value of x-amz-content-sha256: a hash, or a word for how the payload is signed."""
    session_token: str | None

    @property
    def signed_at(self) -> float:
        return datetime.strptime(self.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def claim_of(request: WireRequest) -> Claim:
    """Parse the Authorization header. Raises S3Refusal when it is missing or malformed."""
    authorization = request.header("authorization")
    if authorization is None:
        raise S3Refusal("AccessDenied", "Access Denied")
    claim = _parsed(request, authorization)
    if claim.payload not in STREAMING | {UNSIGNED_PAYLOAD} and not _HEX_SHA256.fullmatch(claim.payload):
        raise S3Refusal("InvalidArgument", "x-amz-content-sha256 must be a SHA-256, or a word for an unsigned payload.")
    _check_scope(claim)
    return claim


def _parsed(request: WireRequest, authorization: str) -> Claim:
    if not authorization.startswith(ALGORITHM):
        raise S3Refusal(
            "InvalidRequest", f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}."
        )
    found = _HEADER.fullmatch(authorization)
    if not found:
        raise S3Refusal("AuthorizationHeaderMalformed", "The authorization header is malformed.")
    payload = request.header("x-amz-content-sha256")
    if payload is None:
        raise S3Refusal("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    access_key, _, scope = found[1].partition("/")
    return Claim(
        access_key=access_key,
        scope=scope,
        timestamp=_timestamp(request),
        signed_headers=tuple(found[2].split(";")),
        signature=found[3],
        payload=payload,
        session_token=request.header("x-amz-security-token"),
    )


def _timestamp(request: WireRequest) -> str:
    stamp, date = request.header("x-amz-date"), request.header("date")
    if stamp is None and date is not None:
        try:
            return parsedate_to_datetime(date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        except ValueError:
            pass
    if stamp is None:
        raise S3Refusal("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
    return stamp


def _check_scope(claim: Claim) -> None:
    """Raises S3Refusal for a malformed scope. Any region is accepted, because the defaults of clients differ."""
    parts = claim.scope.split("/")
    well_formed = len(parts) == 4 and parts[2:] == ["s3", "aws4_request"] and claim.timestamp.startswith(parts[0])
    try:
        well_formed = well_formed and claim.signed_at > 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise S3Refusal(
            "AuthorizationHeaderMalformed",
            "The credential must be of the form <access key>/YYYYMMDD/REGION/s3/aws4_request.",
        )
    if "host" not in claim.signed_headers:
        raise S3Refusal("AccessDenied", "There were headers present in the request which were not signed: host")


def verify(request: WireRequest, claim: Claim, secret_key: str, now: float) -> None:
    """Raises S3Refusal unless this very request was signed with `secret_key` within `MAX_SKEW` of `now`."""
    if abs(claim.signed_at - now) > MAX_SKEW:
        raise S3Refusal(
            "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
        )
    amazon_headers = {name.decode("latin-1") for name, _ in request.headers if name.startswith(b"x-amz-")}
    unsigned = sorted(amazon_headers - set(claim.signed_headers))
    if unsigned:
        listed = ", ".join(unsigned)
        raise S3Refusal("AccessDenied", f"There were headers present in the request which were not signed: {listed}")
    expected = signature(signing_key(secret_key, claim.scope), string_to_sign(request, claim))
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise S3Refusal(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        )


def string_to_sign(request: WireRequest, claim: Claim) -> str:
    digest = hashlib.sha256(canonical(request, claim).encode("latin-1")).hexdigest()
    return f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{digest}"


def canonical(request: WireRequest, claim: Claim) -> str:
    """The canonical request that both sides hash; each character stands for one byte."""
    pairs = sorted(
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in request.parameters
    )
    lines = [
        request.method,
        quote(unquote_to_bytes(request.path), safe="/" + _UNRESERVED),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{request.header(name) or ''}" for name in claim.signed_headers),
        "",
        ";".join(claim.signed_headers),
        claim.payload,
    ]
    return "\n".join(lines)


@lru_cache(maxsize=256)
def signing_key(secret_key: str, scope: str) -> bytes:
    """Derive the signing key of a scope; cached, for deriving it takes longer than checking a signature."""
    key = b"AWS4" + secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("latin-1"), "sha256").hex()


class ChunkSignatures:
    """Verifies the chunk signatures of one streamed payload; each signature covers the one before it."""

    def __init__(self, claim: Claim, secret_key: str) -> None:
        self._key = signing_key(secret_key, claim.scope)
        self._head = f"{claim.timestamp}\n{claim.scope}"
        self._previous = claim.signature

    def check_chunk(self, sha256: str, given: str) -> None:
        """Raises S3Refusal."""
        self._check(f"{ALGORITHM}-PAYLOAD\n{self._head}\n{self._previous}\n{_EMPTY_SHA256}\n{sha256}", given)

    def check_trailers(self, lines: bytes, given: str) -> None:
        """Check `lines`, `name:value\\n` of every trailer. Raises S3Refusal."""
        digest = hashlib.sha256(lines).hexdigest()
        self._check(f"{ALGORITHM}-TRAILER\n{self._head}\n{self._previous}\n{digest}", given)

    def _check(self, text: str, given: str) -> None:
        expected = signature(self._key, text)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise S3Refusal("SignatureDoesNotMatch", "The signature of a chunk does not match what was received.")
        self._previous = expected

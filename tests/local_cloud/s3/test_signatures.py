"""Signatures that must be refused, and signed chunks, which none of the foreign clients in `tests/wire` sends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.signatures import ChunkSignatures, Claim, WireRequest, claim_of, verify

SECRET, TOKEN = "secret", "token/+="
EMPTY = hashlib.sha256(b"").hexdigest()


def wire(headers: Mapping[str, str], *, method: str = "GET", path: bytes = b"/", query: bytes = b"") -> WireRequest:
    return WireRequest(method, path, query, [(name.lower().encode(), text.encode()) for name, text in headers.items()])


def signed_by_botocore(url: str, headers: Mapping[str, str]) -> WireRequest:
    request = AWSRequest("PUT", url, headers=dict(headers), data=b"")
    S3SigV4Auth(Credentials("ASIAX", SECRET, TOKEN), "s3", "eu-west-1").add_auth(request)
    target = urlsplit(str(request.url))
    sent = {"host": target.netloc, **{str(name): str(text) for name, text in request.headers.items()}}
    return wire(sent, method="PUT", path=target.path.encode(), query=target.query.encode())


SIGNED = signed_by_botocore(
    "http://127.0.0.1:9000/bucket/a%20b?partNumber=3&uploadId=a%2Bb", {"range": "bytes=0-9", "X-Amz-Meta-Note": "a  b"}
)


def code_of(request: WireRequest, secret: str = SECRET, off: float = 0.0) -> str | None:
    """The refusal of a request whose signature is `off` seconds older than the clock."""
    claim = claim_of(request)
    try:
        verify(request, claim, secret, claim.signed_at + off)
    except S3Refusal as refusal:
        assert TOKEN not in refusal.message
        return refusal.code
    return None


def with_header(name: str, text: str) -> WireRequest:
    kept = [(key, old) for key, old in SIGNED.headers if key != name.encode()]
    return replace(SIGNED, headers=[*kept, (name.encode(), text.encode())])


def test_the_request_as_signed_is_accepted() -> None:
    assert claim_of(SIGNED).session_token == TOKEN
    assert code_of(SIGNED) is None


def test_a_request_signed_with_another_secret_is_refused() -> None:
    assert code_of(SIGNED, "another secret") == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("tampered", "code"),
    [
        (lambda: replace(SIGNED, method="DELETE"), "SignatureDoesNotMatch"),
        (lambda: replace(SIGNED, path=SIGNED.path + b"x"), "SignatureDoesNotMatch"),
        (lambda: replace(SIGNED, query=b"acl"), "SignatureDoesNotMatch"),
        (lambda: with_header("host", "elsewhere"), "SignatureDoesNotMatch"),
        (lambda: with_header("x-amz-meta-note", "b"), "SignatureDoesNotMatch"),
        (lambda: with_header("x-amz-acl", "public-read"), "AccessDenied"),
    ],
    ids=["method", "path", "query", "host", "signed header", "header added"],
)
def test_a_tampered_request_is_refused(tampered: Callable[[], WireRequest], code: str) -> None:
    assert code_of(tampered()) == code


@pytest.mark.parametrize(
    ("off", "code"),
    [(899, None), (-899, None), (901, "RequestTimeTooSkewed"), (-901, "RequestTimeTooSkewed")],
)
def test_a_signature_expires_after_15_minutes(off: float, code: str | None) -> None:
    assert code_of(SIGNED, off=off) == code


def test_the_path_is_signed_fully_encoded_however_it_was_written() -> None:
    request = signed_by_botocore("http://h/bucket/a%2Bb%28c%29", {})
    assert code_of(replace(request, path=b"/bucket/a+b(c)")) is None


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "AccessDenied"),
        ({"authorization": ""}, "InvalidRequest"),
        ({"authorization": "AWS AKIA:abc="}, "InvalidRequest"),
        ({"authorization": "Bearer xyz"}, "InvalidRequest"),
        ({"authorization": "AWS4-HMAC-SHA256"}, "AuthorizationHeaderMalformed"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=zz"}, "AuthorizationHeader"),
        ({"authorization": f"AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature={'0' * 64}"}, "Invalid"),
    ],
)
def test_a_malformed_authorization_is_refused(headers: Mapping[str, str], code: str) -> None:
    with pytest.raises(S3Refusal) as refused:
        claim_of(wire({"host": "x", **headers}))
    assert refused.value.code.startswith(code)


_LATIN = st.text(alphabet=st.characters(codec="latin-1"), max_size=40)


@given(_LATIN, _LATIN, st.sampled_from(["20130524T000000Z", "20130524T006000Z", "2013", "20130524T000000Zx"]) | _LATIN)
def test_any_input_without_a_valid_signature_is_refused(authorization: str, scope: str, stamp: str) -> None:
    well_formed = f"AWS4-HMAC-SHA256 Credential=AKIA/{scope}, SignedHeaders=host, Signature={'0' * 64}"
    for text in (authorization, well_formed):
        headers = [(b"host", b"x"), (b"x-amz-content-sha256", EMPTY.encode())]
        headers += [(b"authorization", text.encode("latin-1")), (b"x-amz-date", stamp.encode("latin-1"))]
        request = WireRequest("GET", b"/", b"", headers)
        with pytest.raises(S3Refusal):
            verify(request, claim_of(request), SECRET, 0.0)


# ------------------------------------------------------------------------------------------------- signed chunks
# "Signature Calculations: Transferring Payload in Multiple Chunks", Amazon S3 API reference.

AMAZON_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CHUNK_SIZES = (65536, 1024, 0)


def published_claim(payload: str, signature: str, **headers: str) -> Claim:
    """The claim of Amazon's example, whose own signature is checked here."""
    sent = {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "x-amz-content-sha256": payload,
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    names = ";".join(sorted(sent))
    sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}"
    request = wire(sent, method="PUT", path=b"/examplebucket/chunkObject.txt")
    claim = claim_of(request)
    verify(request, claim, AMAZON_SECRET, datetime(2013, 5, 24, tzinfo=UTC).timestamp())
    return claim


def check_chunks(signatures: ChunkSignatures, *given: str) -> None:
    for size, signature in zip(CHUNK_SIZES, given, strict=True):
        signatures.check_chunk(hashlib.sha256(b"a" * size).hexdigest(), signature)


def test_published_chunk_signatures() -> None:
    claim = published_claim(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        content_length="66824",
    )
    check_chunks(
        ChunkSignatures(claim, AMAZON_SECRET),
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    )


def test_published_trailer_signature_and_a_forged_one() -> None:
    claim = published_claim(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        x_amz_trailer="x-amz-checksum-crc32c",
    )
    signatures = ChunkSignatures(claim, AMAZON_SECRET)
    check_chunks(
        signatures,
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    )
    line = b"x-amz-checksum-crc32c:sOO8/Q==\n"
    with pytest.raises(S3Refusal):
        signatures.check_trailers(line, "0" * 64)
    signatures.check_trailers(line, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")

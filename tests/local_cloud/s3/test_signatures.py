"""Signatures: the examples that Amazon publishes, and whatever botocore signs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.signatures import (
    ChunkSignatures,
    Claim,
    WireRequest,
    claim_of,
    signature,
    signing_key,
    string_to_sign,
    verify,
)

# "Signature Calculations for the Authorization Header", "Authenticating Requests: Using Query Parameters" and
# "Signature Calculations: Transferring Payload in Multiple Chunks", Amazon S3 API reference.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
THEN = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
EMPTY = hashlib.sha256(b"").hexdigest()
BUCKET_HOST = "examplebucket.s3.amazonaws.com"


def wire(method: str, path: bytes, query: bytes, headers: Mapping[str, str]) -> WireRequest:
    return WireRequest(method, path, query, [(name.lower().encode(), text.encode()) for name, text in headers.items()])


def published(method: str, path: bytes, query: bytes, headers: Mapping[str, str], given: str) -> WireRequest:
    all_headers = {"x-amz-date": "20130524T000000Z", **headers}
    names = ";".join(sorted(all_headers))
    authorization = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL},SignedHeaders={names},Signature={given}"
    return wire(method, path, query, {**all_headers, "authorization": authorization})


STREAMED = {
    "host": "s3.amazonaws.com",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
}
PUBLISHED = {
    "GET object": published(
        "GET",
        b"/test.txt",
        b"",
        {"host": BUCKET_HOST, "range": "bytes=0-9", "x-amz-content-sha256": EMPTY},
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "PUT object": published(
        "PUT",
        b"/test%24file.text",
        b"",
        {
            "host": BUCKET_HOST,
            "date": "Fri, 24 May 2013 00:00:00 GMT",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
        },
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "GET bucket lifecycle": published(
        "GET",
        b"/",
        b"lifecycle",
        {"host": BUCKET_HOST, "x-amz-content-sha256": EMPTY},
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "list objects": published(
        "GET",
        b"/",
        b"max-keys=2&prefix=J",
        {"host": BUCKET_HOST, "x-amz-content-sha256": EMPTY},
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
    "presigned GET": wire(
        "GET",
        b"/test.txt",
        b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        b"aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        b"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        {"host": BUCKET_HOST},
    ),
    "chunked PUT": published(
        "PUT",
        b"/examplebucket/chunkObject.txt",
        b"",
        {**STREAMED, "content-length": "66824", "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    ),
    "chunked PUT with trailer": published(
        "PUT",
        b"/examplebucket/chunkObject.txt",
        b"",
        {
            **STREAMED,
            "x-amz-trailer": "x-amz-checksum-crc32c",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        },
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    ),
}


@pytest.mark.parametrize("request_", PUBLISHED.values(), ids=PUBLISHED)
def test_published_examples_verify(request_: WireRequest) -> None:
    claim = claim_of(request_)
    assert claim.access_key == "AKIAIOSFODNN7EXAMPLE"
    verify(request_, claim, SECRET, THEN + 60)


@pytest.mark.parametrize("request_", PUBLISHED.values(), ids=PUBLISHED)
def test_another_secret_does_not_verify(request_: WireRequest) -> None:
    with pytest.raises(S3Refusal) as refused:
        verify(request_, claim_of(request_), SECRET + "x", THEN)
    assert refused.value.code == "SignatureDoesNotMatch"


def test_published_chunk_signatures() -> None:
    signatures = ChunkSignatures(claim_of(PUBLISHED["chunked PUT"]), SECRET)
    for size, expected in (
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ):
        signatures.check_chunk(hashlib.sha256(b"a" * size).hexdigest(), expected)


def test_published_trailer_signature() -> None:
    signatures = ChunkSignatures(claim_of(PUBLISHED["chunked PUT with trailer"]), SECRET)
    for size, expected in (
        (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
        (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
    ):
        signatures.check_chunk(hashlib.sha256(b"a" * size).hexdigest(), expected)
    line = b"x-amz-checksum-crc32c:sOO8/Q==\n"
    signatures.check_trailers(line, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")
    with pytest.raises(S3Refusal):
        signatures.check_trailers(line, "0" * 64)


def signed_by_botocore(url: str, headers: Mapping[str, str], *, presigned: bool = False) -> WireRequest:
    request = AWSRequest("PUT", url, headers=dict(headers), data=b"")
    credentials = Credentials("ASIAX", "secret", "token/+=")
    if presigned:
        S3SigV4QueryAuth(credentials, "s3", "eu-west-1", expires=60).add_auth(request)
    else:
        S3SigV4Auth(credentials, "s3", "eu-west-1").add_auth(request)
    target = urlsplit(str(request.url))
    sent = {"host": target.netloc, **{str(name): str(text) for name, text in request.headers.items()}}
    return wire("PUT", target.path.encode(), target.query.encode(), sent)


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize(
    "path", ["a.jpg", "with%20space/%25%23%2B~.jpg", "%C3%A4%20%E2%82%AC", "a%3Db%26c", "x%27%28%29%2A%21%2C%3B%40"]
)
def test_botocore_and_we_agree(path: str, presigned: bool) -> None:
    now = datetime.now(UTC).timestamp()
    query = "?partNumber=3&uploadId=a%2Bb%20c&x-id=UploadPart"
    request = signed_by_botocore(
        f"http://127.0.0.1:9000/bucket/{path}{query}", {"X-Amz-Meta-Note": "two  spaces"}, presigned=presigned
    )
    claim = claim_of(request)
    assert claim.session_token == "token/+="
    verify(request, claim, "secret", now)


def test_the_path_is_signed_fully_encoded_however_it_was_written() -> None:
    sent = signed_by_botocore("http://h/bucket/a%2Bb%28c%29", {})
    loosely_written = WireRequest(sent.method, b"/bucket/a+b(c)", sent.query, sent.headers)
    claim = claim_of(loosely_written)
    verify(loosely_written, claim, "secret", claim.signed_at)


def with_header(request: WireRequest, name: str, text: str) -> WireRequest:
    kept = [(key, old) for key, old in request.headers if key != name.encode()]
    return WireRequest(request.method, request.path, request.query, [*kept, (name.encode(), text.encode())])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (lambda r: WireRequest("DELETE", r.path, r.query, r.headers), "SignatureDoesNotMatch"),
        (lambda r: WireRequest(r.method, r.path + b"x", r.query, r.headers), "SignatureDoesNotMatch"),
        (lambda r: WireRequest(r.method, r.path, b"acl", r.headers), "SignatureDoesNotMatch"),
        (lambda r: with_header(r, "host", "elsewhere"), "SignatureDoesNotMatch"),
        (lambda r: with_header(r, "range", "bytes=0-8"), "SignatureDoesNotMatch"),
        (lambda r: with_header(r, "x-amz-acl", "public-read"), "AccessDenied"),
    ],
    ids=["method", "path", "query", "host", "signed header", "header that was not signed"],
)
def test_what_was_changed_on_the_way_is_refused(changed: object, code: str) -> None:
    assert callable(changed)
    request = changed(PUBLISHED["GET object"])
    with pytest.raises(S3Refusal) as refused:
        verify(request, claim_of(request), SECRET, THEN)
    assert refused.value.code == code


@pytest.mark.parametrize(("off", "refusal"), [(899, None), (-899, None), (901, "too"), (-901, "too")])
def test_the_clock_may_be_a_quarter_of_an_hour_off(off: float, refusal: str | None) -> None:
    request = PUBLISHED["GET object"]
    if refusal is None:
        verify(request, claim_of(request), SECRET, THEN + off)
        return
    with pytest.raises(S3Refusal) as refused:
        verify(request, claim_of(request), SECRET, THEN + off)
    assert (refused.value.code, refused.value.status) == ("RequestTimeTooSkewed", 403)


def test_a_presigned_address_expires() -> None:
    request = PUBLISHED["presigned GET"]
    verify(request, claim_of(request), SECRET, THEN + 86399)
    with pytest.raises(S3Refusal, match="expired"):
        verify(request, claim_of(request), SECRET, THEN + 86401)
    with pytest.raises(S3Refusal, match="not yet valid"):
        verify(request, claim_of(request), SECRET, THEN - 1000)


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
def test_garbage_is_refused_with_words(headers: Mapping[str, str], code: str) -> None:
    with pytest.raises(S3Refusal) as refused:
        claim_of(wire("GET", b"/", b"", {"host": "x", **headers}))
    assert refused.value.code.startswith(code)


@given(st.text(alphabet=st.characters(codec="latin-1")), st.binary(), st.text(alphabet=st.characters(codec="latin-1")))
def test_nothing_but_refusals_comes_of_any_input(authorization: str, query: bytes, stamp: str) -> None:
    pairs = [
        (b"host", b"x"),
        (b"authorization", authorization.encode("latin-1")),
        (b"x-amz-date", stamp.encode("latin-1")),
        (b"x-amz-content-sha256", EMPTY.encode()),
    ]
    for headers in (pairs, pairs[:1]):
        with pytest.raises(S3Refusal):
            claim_of(WireRequest("GET", b"/", b"X-Amz-Algorithm=AWS4-HMAC-SHA256&" + query, headers))


@given(
    st.text(alphabet=st.characters(codec="latin-1"), max_size=40),
    st.sampled_from(["20130524T000000Z", "20130524T006000Z", "2013", "20130524T000000Zx", "٢0130524T000000Z"]),
)
def test_a_wrong_scope_or_time_is_a_refusal(scope: str, stamp: str) -> None:
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"AKIA/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "0" * 64,
    }
    text = "&".join(f"{name}={value}" for name, value in query.items()).encode()
    request = WireRequest("GET", b"/", text, [(b"host", b"x")])
    with pytest.raises(S3Refusal):
        verify(request, claim_of(request), SECRET, THEN)


def test_the_secret_key_is_bound_to_day_region_and_service() -> None:
    claim = claim_of(PUBLISHED["GET object"])
    text = string_to_sign(PUBLISHED["GET object"], claim)
    keys = [signing_key(SECRET, scope) for scope in (claim.scope, claim.scope.replace("us-east-1", "eu-west-1"))]
    assert signature(keys[0], text) != signature(keys[1], text)


def test_claims_do_not_show_their_session_token_in_errors() -> None:
    request = signed_by_botocore("http://h/bucket/key", {})
    claim: Claim = claim_of(request)
    with pytest.raises(S3Refusal) as refused:
        verify(request, claim, "wrong", claim.signed_at)
    assert "token/+=" not in refused.value.message

"""The aws-chunked coding: any split of the bytes, and malformed streams."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local_cloud.clouds import aws_chunked, cut_at
from tui_uploader.local_cloud.s3.aws_chunked import AwsChunkedDecoder
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.signatures import ChunkSignatures, Claim, signature, signing_key

TRAILER = "x-amz-checksum-crc32"
SECRET = "secret"
CLAIM = Claim(
    access_key="AKIA",
    scope="20130524/us-east-1/s3/aws4_request",
    timestamp="20130524T000000Z",
    signed_headers=("host",),
    signature="0" * 64,
    payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    session_token=None,
)


def decoded(
    pieces: list[bytes], length: int, signatures: ChunkSignatures | None = None
) -> tuple[bytes, dict[str, str]]:
    decoder = AwsChunkedDecoder(length, signatures)
    payload = b"".join(part for piece in pieces for part in decoder.feed(piece))
    return payload, decoder.finish()


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    cuts=st.lists(st.integers(min_value=0, max_value=400)),
    trailer=st.sampled_from([{}, {TRAILER: "AAAAAA=="}]),
)
def test_any_split_gives_the_same_payload(chunks: list[bytes], cuts: list[int], trailer: dict[str, str]) -> None:
    payload = b"".join(chunks)
    coded = aws_chunked(chunks, trailer)
    assert decoded(cut_at(coded, cuts), len(payload)) == (payload, trailer)


def signed_stream(chunks: list[bytes], trailer: dict[str, str]) -> bytes:
    """A second implementation of Amazon's description."""
    key, head, previous = signing_key(SECRET, CLAIM.scope), f"{CLAIM.timestamp}\n{CLAIM.scope}", CLAIM.signature
    out = b""
    for chunk in [*chunks, b""]:
        sums = f"{hashlib.sha256().hexdigest()}\n{hashlib.sha256(chunk).hexdigest()}"
        previous = signature(key, f"AWS4-HMAC-SHA256-PAYLOAD\n{head}\n{previous}\n{sums}")
        out += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    lines = "".join(f"{name}:{text}\n" for name, text in trailer.items())
    digest = hashlib.sha256(lines.encode()).hexdigest()
    last = signature(key, f"AWS4-HMAC-SHA256-TRAILER\n{head}\n{previous}\n{digest}")
    out += lines.replace("\n", "\r\n").encode()
    return out + (f"x-amz-trailer-signature:{last}\r\n".encode() if trailer else b"") + b"\r\n"


def chain() -> ChunkSignatures:
    return ChunkSignatures(CLAIM, SECRET)


@given(cuts=st.lists(st.integers(min_value=0, max_value=600)), trailer=st.sampled_from([{}, {TRAILER: "AAAAAA=="}]))
def test_any_split_of_a_signed_stream_verifies(cuts: list[int], trailer: dict[str, str]) -> None:
    coded = signed_stream([b"a" * 70, b"b"], trailer)
    assert decoded(cut_at(coded, cuts), 71, chain()) == (b"a" * 70 + b"b", trailer)


@given(position=st.integers(min_value=0))
def test_no_byte_of_a_signed_stream_can_be_changed(position: int) -> None:
    coded = bytearray(signed_stream([b"a" * 20, b"b"], {TRAILER: "AAAAAA=="}))
    coded[position % len(coded)] ^= 1
    with pytest.raises(S3Refusal):
        decoded([bytes(coded)], 21, chain())


def test_an_unsigned_stream_is_refused_where_signatures_are_required() -> None:
    with pytest.raises(S3Refusal, match="signature"):
        decoded([aws_chunked([b"abc"], {})], 3, chain())


@pytest.mark.parametrize(
    ("coded", "length"),
    [
        (b"", 0),
        (b"0\r\n", 0),
        (b"3\r\nabc\r\n", 3),
        (b"3\r\nabc\r\n0\r\n\r\n", 4),
        (b"3\r\nabc\r\n0\r\n\r\n", 2),
        (b"3\r\nabcd\r\n0\r\n\r\n", 4),
        (b"3\nabc\r\n0\r\n\r\n", 3),
        (b"x\r\nabc\r\n0\r\n\r\n", 3),
        (b"-3\r\nabc\r\n0\r\n\r\n", 3),
        (b"ffffffffffffffff\r\n", 3),
        (b"3;chunk-signature=short\r\nabc\r\n0\r\n\r\n", 3),
        (b"0\r\n\r\nmore", 0),
        (b"0\r\nno colon\r\n\r\n", 0),
        (b"0\r\n" + b"a:b\r\n" * 17 + b"\r\n", 0),
        (b"a" * 5000, 3),
        (b"0\r\n" + b"".join(b"a%d:b\r\n" % number for number in range(17)) + b"\r\n", 0),
    ],
)
def test_malformed_streams_are_refused(coded: bytes, length: int) -> None:
    with pytest.raises(S3Refusal) as refused:
        decoded([coded], length)
    assert refused.value.status == 400

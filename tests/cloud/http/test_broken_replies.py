"""Replies that are truncated, not XML, or name missing things: no call accepts them, each is an error."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, in_turn, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.contract import ByteRange, Part
from tui_uploader.cloud.net.endpoint import Deadlines
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.cloud.s3.object_match import multipart_etag
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.errors import (
    CloudBusy,
    CloudError,
    CloudFault,
    CloudRefused,
    CloudUnintelligible,
    LinkError,
    MultipartGone,
    NameTaken,
    UploaderError,
)
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings

PARTS = (Part(1, 10, hashlib.md5(b"1").hexdigest(), 7),)
COMPLETED = b"<CompleteMultipartUploadResult><ETag>e-1</ETag></CompleteMultipartUploadResult>"
CREATED = b"<InitiateMultipartUploadResult><UploadId>up</UploadId></InitiateMultipartUploadResult>"
LISTED = (
    b"<ListPartsResult><Part><PartNumber>1</PartNumber><Size>10</Size><ETag>e</ETag></Part>"
    b"<IsTruncated>false</IsTruncated></ListPartsResult>"
)
Ask = Callable[[S3Store, ByteRange], Awaitable[object]]
BRIEF = Deadlines(connect=2.0, stall=2.0, reply=2.0)


async def put(store: S3Store, body: ByteRange) -> object:
    return await store.put("a.jpg", body, ignore)


async def put_part(store: S3Store, body: ByteRange) -> object:
    return await store.put_part("a.jpg", "up", 1, body, ignore)


async def create(store: S3Store, body: ByteRange) -> object:
    return await store.create_multipart("a.jpg")


async def complete(store: S3Store, body: ByteRange) -> object:
    return await store.complete_multipart("a.jpg", "up", PARTS, 10)


async def list_parts(store: S3Store, body: ByteRange) -> object:
    return await store.list_parts("a.jpg", "up")


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG", 10) as made:
        yield made


def with_length(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def in_chunks(body: bytes, *headers: bytes) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 20]), body[at : at + 20]) for at in range(0, len(body), 20))
    lines = [b"HTTP/1.1 200 OK", *headers, b"Transfer-Encoding: chunked", b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + chunks + b"0\r\n\r\n"


def to_the_end(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Connection: close"]) + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("ask", "reply", "enough"),
    [
        (put, with_length(b"", b'ETag: "1"'), 0),
        (put_part, with_length(b"", b'ETag: "1"'), 0),
        (create, with_length(CREATED), 0),
        (create, in_chunks(CREATED), 4),
        (create, to_the_end(CREATED), 0),
        (complete, with_length(COMPLETED), 0),
        (complete, in_chunks(b" " * 30 + COMPLETED), 4),
        (complete, to_the_end(COMPLETED), 0),
        (list_parts, with_length(LISTED), 0),
    ],
)
async def test_a_reply_cut_at_any_byte_is_an_error(ask: Ask, reply: bytes, enough: int, body: ByteRange) -> None:
    """`enough`: the number of bytes at the end of the reply that may be missing."""
    cut = len(reply)

    def answer(call: Call) -> None:
        call.read_body()
        call.raw(reply[:cut])
        call.close()

    with serving(answer) as server:
        async with open_store(server.url, deadlines=BRIEF) as opened:
            assert await ask(opened.store, body)
            for length in range(len(reply) - enough):
                cut = length
                with pytest.raises((LinkError, CloudUnintelligible)):
                    await ask(opened.store, body)


async def test_a_rest_reply_cut_at_any_byte_is_an_error() -> None:
    token = with_length(b'{"access_token": "t", "expires_in": 36000}')
    project = with_length(b'{"id": 7, "name": "Quarry", "public_status": "DONE"}')
    cut = len(project)

    def answer(call: Call) -> None:
        call.read_body()
        call.raw(token if "oauth2" in call.target else project[:cut])
        call.close()

    with serving(answer) as server:
        cloud = Pix4dCloud(Login(server.url, "id", "secret"), Settings(), deadlines=BRIEF)
        assert (await cloud.project("7")).name == "Quarry"
        for length in range(len(project)):
            cut = length
            with pytest.raises((LinkError, CloudUnintelligible)):
                await cloud.project("7")
        await cloud.close()


def bomb(encoding: str) -> bytes:
    entities = "".join(f"<!ENTITY b{i} '{f'&b{i - 1};' * 10 if i else 'x' * 1000}'>" for i in range(9))
    text = f"<?xml version='1.0' encoding='{encoding}'?><!DOCTYPE l [{entities}]>"
    return f"{text}<CompleteMultipartUploadResult><ETag>&b8;</ETag></CompleteMultipartUploadResult>".encode(encoding)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"OK",
        b"\x00\xff\xfe",
        b"<CompleteMultipartUploadResult>",
        b"<a>" * 100_000,
        b"<ListPartsResult/>",
        b'{"ETag": "e"}',
        b"<?xml version='1.0' encoding='no-such'?><CompleteMultipartUploadResult/>",
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><CompleteMultipartUploadResult/>",
        bomb("utf-8"),
        bomb("utf-16"),
        b" " * (8 * 1024**2 + 1),
    ],
    ids=lambda document: repr(document[:20]),
)
async def test_invalid_xml_completes_nothing_and_does_no_harm(document: bytes, body: ByteRange) -> None:
    def answer(call: Call) -> None:
        call.read_body()
        call.reply(200, document, content_type="application/xml")

    with serving(answer) as server:
        async with open_store(server.url) as opened:
            for ask in (create, complete) if document != b"<ListPartsResult/>" else (complete,):
                with pytest.raises(CloudUnintelligible):
                    await ask(opened.store, body)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("-1", None),
        ("1e99", None),
        ("NaN", None),
        ("inf", None),
        ("9" * 19, 3600.0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 3600.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("\x1b[31msoon", None),
        ("7", 7.0),
    ],
)
async def test_absurd_retry_after_values_are_capped_or_ignored(
    header: str, seconds: float | None, body: ByteRange
) -> None:
    with serving(refusing(503, "SlowDown", retry_after=header)) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(CloudBusy) as caught:
                await put(opened.store, body)
    assert caught.value.retry_after == seconds


def refusing(status: int, code: str, inside: str = "", **headers: str) -> Handler:
    def answer(call: Call) -> None:
        call.read_body()
        call.error(status, code, inside, **headers)

    return answer


@pytest.mark.parametrize("ask", [put_part, list_parts])
async def test_a_multipart_upload_that_vanished_before_its_completion(ask: Ask, body: ByteRange) -> None:
    with serving(refusing(404, "NoSuchUpload")) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(MultipartGone):
                await ask(opened.store, body)


def found(**headers: str) -> Handler:
    def answer(call: Call) -> None:
        if call.method == "HEAD":
            call.reply(200, **headers)
        else:
            refusing(404, "NoSuchUpload")(call)

    return answer


@pytest.mark.parametrize(
    ("looked", "outcome"),
    [
        (found(etag=f'"{multipart_etag(PARTS)}"', content_length="10"), None),
        (found(etag='"e-1"', content_length="10"), NameTaken),
        (found(etag='"e-1"', content_length="11"), NameTaken),
        (refusing(404, "NoSuchUpload"), MultipartGone),
    ],
)
async def test_a_multipart_upload_that_vanished_at_its_completion(
    looked: Handler, outcome: type[UploaderError] | None, body: ByteRange
) -> None:
    """Only the object shows whether an earlier completion of ours succeeded."""

    def hang_up(call: Call) -> None:
        call.read_body()
        call.close()

    with serving(in_turn(hang_up, looked)) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(LinkError):
                await complete(opened.store, body)
            if outcome is None:
                assert await complete(opened.store, body)
            else:
                with pytest.raises(outcome):
                    await complete(opened.store, body)


REGION = "eu-central-1"


@pytest.mark.parametrize(
    "refusal",
    [
        refusing(301, "PermanentRedirect", x_amz_bucket_region=REGION),
        refusing(301, "PermanentRedirect", location="https://elsewhere.example/", x_amz_bucket_region=REGION),
        refusing(400, "AuthorizationHeaderMalformed", f"<Region>{REGION}</Region>"),
        refusing(400, "IllegalLocationConstraintException", x_amz_bucket_region=REGION),
        refusing(307, "TemporaryRedirect", x_amz_bucket_region=REGION),
    ],
)
async def test_a_bucket_in_another_region_is_followed_and_remembered(refusal: Handler, body: ByteRange) -> None:
    def accept(call: Call) -> None:
        call.read_body()
        call.reply(200, ETag='"1"')

    with serving(in_turn(refusal, accept)) as server:
        async with open_store(server.url) as opened:
            await put(opened.store, body)
            await put(opened.store, body)
    scopes = [call.headers["authorization"].split("/")[2] for call in server.calls]
    assert scopes == ["us-east-1", REGION, REGION], "signed anew once, and right from then on"


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (refusing(301, "PermanentRedirect"), CloudRefused),
        (refusing(307, "TemporaryRedirect"), CloudFault),
        (refusing(400, "AuthorizationHeaderMalformed", "<Region>../../x</Region>"), CloudRefused),
        (refusing(400, "AuthorizationHeaderMalformed", "<Region>us-east-1</Region>"), CloudError),
    ],
)
async def test_a_region_that_does_not_help_is_an_error_and_not_a_loop(
    refusal: Handler, error: type[UploaderError], body: ByteRange
) -> None:
    with serving(refusal) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(error):
                await put(opened.store, body)
    assert len(server.calls) <= 2

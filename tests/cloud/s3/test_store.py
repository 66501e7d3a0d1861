"""The object store against the replies of real stores, common and rare."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, Server, in_turn, seen, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.contract import ByteRange, Part, StoredObject
from tui_uploader.cloud.s3.object_match import multipart_etag
from tui_uploader.errors import (
    ChecksumRefused,
    ClockSkewed,
    CloudBusy,
    CloudFault,
    CloudRefused,
    CloudUnintelligible,
    LinkDown,
    LinkStalled,
    MultipartGone,
    NameTaken,
    NotPossibleNow,
    NotTheService,
    StorageKeyExpired,
    Unsupported,
    UploaderError,
)

PART = Part(1, 1000, hashlib.md5(b"1").hexdigest(), 7)
PARTS = (PART, Part(2, 10, hashlib.md5(b"2").hexdigest(), 8))
COMPLETED = '<?xml version="1.0"?><CompleteMultipartUploadResult xmlns="http://s3/"><ETag>"e-2"</ETag></{}>'.format(
    "CompleteMultipartUploadResult"
)
CREATED = "<InitiateMultipartUploadResult><UploadId>up/1+x</UploadId></InitiateMultipartUploadResult>"


def accept(call: Call) -> None:
    call.read_body()
    call.reply(200, ETag='"abc"')


def refuse(status: int, code: str, inside: str = "", **headers: str) -> Handler:
    def handle(call: Call) -> None:
        call.read_body()
        call.error(status, code, inside, **headers)

    return handle


def answer(status: int, body: str = "", **headers: str) -> Handler:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(status, body, **headers)

    return handle


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG") as made:
        yield made


def acl_of(call: Call) -> str | None:
    return call.headers.get("x-amz-acl")


def access_key_of(call: Call) -> str:
    return call.headers["authorization"].partition("Credential=")[2].partition("/")[0]


async def put_with(handler: Handler, body: ByteRange, sent: list[int] | None = None) -> tuple[StoredObject, Server]:
    with serving(handler) as server:
        async with open_store(server.url) as opened:
            stored = await opened.store.put("a.jpg", body, ignore if sent is None else sent.append)
    return stored, server


# --------------------------------------------------------------------------------------------------------- put


async def test_a_put_carries_checksum_acl_and_a_signature_over_both(body: ByteRange) -> None:
    sent: list[int] = []
    stored, server = await put_with(accept, body, sent)
    call = server.calls[0]
    assert stored == StoredObject(1000, "abc", None)
    assert (call.method, call.target) == ("PUT", "/bucket/user-1/project-2/a.jpg")
    assert call.headers["x-amz-checksum-crc32"] == base64.b64encode(struct.pack(">I", body.crc32)).decode()
    assert acl_of(call) == "bucket-owner-full-control"
    assert call.headers["if-none-match"] == "*"
    signed = call.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "if-none-match", "x-amz-acl", "x-amz-checksum-crc32", "x-amz-content-sha256", "x-amz-date"} <= set(
        signed
    )
    assert sent[-1] == 1000


async def test_a_checksum_in_the_reply_must_be_ours(body: ByteRange) -> None:
    def confirm(call: Call) -> None:
        call.read_body()
        call.reply(200, ETag="1", x_amz_checksum_crc32=call.headers["x-amz-checksum-crc32"])

    stored, _ = await put_with(confirm, body)
    assert stored.crc32 == body.crc32
    with pytest.raises(ChecksumRefused):
        await put_with(answer(200, ETag="1", x_amz_checksum_crc32="AAAAAA=="), body)


async def test_names_are_encoded_once(body: ByteRange) -> None:
    name = "DJI 0001+50%25#ü?&=:@\U0001f6f0.jpg"
    with serving(accept) as server:
        async with open_store(server.url) as opened:
            await opened.store.put(name, body, ignore)
            assert opened.store.key(name) == f"user-1/project-2/{name}"
    assert server.calls[0].path == f"/bucket/user-1/project-2/{name}"
    assert "%2525" in server.calls[0].target


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answer(200, "<!DOCTYPE html><html>log in</html>", content_type="text/html"), NotTheService),
        (answer(302, location="http://login.hotel.example/?x=1"), NotTheService),
        (answer(511), NotTheService),
        (answer(200, '{"ok": true}'), CloudUnintelligible),
        (answer(502, "<html>bad gateway</html>", content_type="text/html"), CloudFault),
        (refuse(500, "InternalError"), CloudFault),
        (refuse(503, "SlowDown"), CloudBusy),
        (answer(503), CloudBusy),
        (refuse(400, "RequestTimeout"), LinkStalled),
        (refuse(400, "BadDigest"), ChecksumRefused),
        (refuse(400, "XAmzContentChecksumMismatch"), ChecksumRefused),
        (refuse(400, "InvalidDigest"), ChecksumRefused),
        (refuse(403, "SignatureDoesNotMatch"), CloudRefused),
        (refuse(404, "NoSuchBucket"), CloudRefused),
        (refuse(501, "NotImplemented"), Unsupported),
        (refuse(412, "PreconditionFailed"), NameTaken),
        (answer(412), NameTaken),
        (answer(304), NameTaken),
        (answer(200, "  <Error><Code>PreconditionFailed</Code></Error>"), NameTaken),
        (refuse(409, "ConditionalRequestConflict"), CloudBusy),
        (answer(403, "<Error><Code>Acc"), CloudRefused),
        (answer(400, '<!DOCTYPE x [<!ENTITY a "b">]><Error><Code>&a;</Code></Error>'), CloudRefused),
    ],
)
async def test_refusals(handler: Handler, error: type[UploaderError], body: ByteRange) -> None:
    with pytest.raises(error) as caught:
        await put_with(handler, body)
    assert caught.value.message.isprintable()


async def test_a_busy_store_names_the_pause(body: ByteRange) -> None:
    with pytest.raises(CloudBusy) as caught:
        await put_with(refuse(503, "SlowDown", retry_after="7"), body)
    assert caught.value.retry_after == 7


async def test_quoted_replies_are_printable_and_free_of_secrets(body: ByteRange) -> None:
    def quote(call: Call) -> None:
        call.read_body()
        token = call.headers["x-amz-security-token"]
        call.reply(400, f"<Error><Code>Odd</Code><Message>\u202e{token} &#x9b;2J{'y' * 5000}</Message></Error>")

    with serving(quote) as server:
        async with open_store(server.url, session_token="TOKEN-" + "x" * 200) as opened:
            with pytest.raises(CloudRefused) as caught:
                await opened.store.put("a.jpg", body, ignore)
            assert "TOKEN-" not in repr(opened.fetched[0])
    assert "TOKEN-" not in caught.value.message
    assert caught.value.message.isprintable() and len(caught.value.message) < 700


# ----------------------------------------------------------------------------------------- keys, ACL, clock, region


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId"])
async def test_expired_credentials_are_renewed_once_and_the_body_sent_again(code: str, body: ByteRange) -> None:
    sent: list[int] = []
    stored, server = await put_with(in_turn(refuse(400, code), accept), body, sent)
    assert stored.etag == "abc"
    assert [access_key_of(call) for call in server.calls] == ["AKIDEXAMPLE00001", "AKIDEXAMPLE00002"]
    assert 0 in sent and sent[-1] == 1000


async def test_renewed_credentials_that_are_refused_too_are_an_error(body: ByteRange) -> None:
    with serving(refuse(400, "ExpiredToken")) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(StorageKeyExpired):
                await opened.store.put("a.jpg", body, ignore)
    assert len(server.calls) == 2


async def test_many_transfers_share_one_renewal(tmp_path: Path) -> None:
    everybody = threading.Barrier(8)

    def expire(call: Call) -> None:
        call.read_body()
        if access_key_of(call) == "AKIDEXAMPLE00001":
            everybody.wait(10)
            call.error(400, "ExpiredToken")
        else:
            call.reply(200, ETag="1")

    with byte_range(tmp_path / "x.jpg") as one, serving(expire) as server:
        async with open_store(server.url) as opened:
            await asyncio.gather(*(opened.store.put(f"{number}.jpg", one, ignore) for number in range(8)))
            assert len(opened.fetched) == 2
    assert len(server.calls) == 16


@pytest.mark.parametrize(("status", "code"), [(400, "AccessControlListNotSupported"), (403, "AccessDenied")])
async def test_a_refused_acl_is_dropped_and_remembered(body: ByteRange, status: int, code: str) -> None:
    def no_acl(call: Call) -> None:
        call.read_body()
        if "x-amz-acl" in call.headers:
            call.error(status, code)
        else:
            call.reply(200, ETag="1")

    with serving(no_acl) as server:
        async with open_store(server.url) as opened:
            for name in ("a", "b"):
                await opened.store.put(name, body, ignore)
            assert len(opened.fetched) == 1
    assert [acl_of(call) is not None for call in server.calls] == [True, False, False]


async def test_a_denial_due_to_expired_credentials_keeps_the_acl(body: ByteRange) -> None:
    def deny(call: Call) -> None:
        call.read_body()
        if access_key_of(call) == "AKIDEXAMPLE00001":
            call.error(403, "AccessDenied")
        else:
            call.reply(200, ETag="1")

    with serving(deny) as server:
        async with open_store(server.url) as opened:
            for name in ("a", "b"):
                await opened.store.put(name, body, ignore)
            assert len(opened.fetched) == 2
    assert acl_of(server.calls[-1]) is not None


async def test_a_lasting_denial_does_not_renew_credentials_forever(body: ByteRange) -> None:
    with serving(refuse(403, "AccessDenied")) as server:
        async with open_store(server.url) as opened:
            for name in ("a", "b", "c"):
                with pytest.raises(CloudRefused, match="AccessDenied") as caught:
                    await opened.store.put(name, body, ignore)
                assert caught.value.kind == "CloudRefused"
            assert len(opened.fetched) == 2
    assert len(server.calls) == 4 + 2 + 2


async def test_a_wrong_clock_is_corrected_by_the_store(body: ByteRange) -> None:
    wrong = time.time() - 86_400
    signed: list[str] = []

    def strict(call: Call) -> None:
        call.read_body()
        signed.append(call.headers["x-amz-date"])
        if signed[-1][:8] == time.strftime("%Y%m%d", time.gmtime(wrong)):
            call.error(403, "RequestTimeTooSkewed", date=formatdate(time.time(), usegmt=True))
        else:
            call.reply(200, ETag="1")

    with serving(strict) as server:
        async with open_store(server.url, clock=lambda: wrong) as opened:
            await opened.store.put("a", body, ignore)
            await opened.store.put("b", body, ignore)
            assert 86_390 < opened.clock.offset < 86_410
    assert len(signed) == 3


async def test_a_clock_that_cannot_be_corrected_is_an_error(body: ByteRange) -> None:
    with pytest.raises(ClockSkewed):
        await put_with(refuse(403, "RequestTimeTooSkewed", date="yesterday"), body)


@pytest.mark.parametrize(
    "handler",
    [
        refuse(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"),
        refuse(301, "PermanentRedirect", x_amz_bucket_region="eu-central-1", location="http://elsewhere.example/"),
        answer(400, x_amz_bucket_region="eu-central-1"),
    ],
)
async def test_the_region_is_learned_from_a_refusal(handler: Handler, body: ByteRange) -> None:
    with serving(in_turn(handler, accept)) as server:
        async with open_store(server.url) as opened:
            await opened.store.put("a", body, ignore)
            await opened.store.put("b", body, ignore)
    scopes = [call.headers["authorization"].split("/")[2] for call in server.calls]
    assert scopes == ["us-east-1", "eu-central-1", "eu-central-1"]


async def test_object_keys_need_credentials_first() -> None:
    async with open_store("http://127.0.0.1:1") as opened:
        with pytest.raises(NotPossibleNow):
            opened.store.key("a.jpg")


# --------------------------------------------------------------------------------------------------- multipart


async def test_a_multipart_upload_from_end_to_end(body: ByteRange) -> None:
    def handle(call: Call) -> None:
        data = call.read_body()
        if call.method == "POST" and "uploads" in call.query:
            call.reply(200, CREATED)
        elif call.method == "PUT":
            call.reply(200, ETag=f'"{hashlib.md5(data).hexdigest()}"')
        else:
            call.reply(200, COMPLETED)

    with serving(handle) as server:
        async with open_store(server.url) as opened:
            upload_id = await opened.store.create_multipart("big.tif")
            halves = [ByteRange(body.file, 0, 500, 1), ByteRange(body.file, 500, 500, 2)]
            parts = [
                await opened.store.put_part("big.tif", upload_id, number, half, ignore)
                for number, half in enumerate(halves, 1)
            ]
            stored = await opened.store.complete_multipart("big.tif", upload_id, parts[::-1], 1000)
    created, first, _, completed = server.calls
    assert stored == StoredObject(1000, "e-2")
    assert created.headers["x-amz-checksum-algorithm"] == "CRC32"
    assert [call.headers.get("if-none-match") for call in server.calls] == [None, None, None, "*"]
    assert first.query == {"partNumber": "1", "uploadId": "up/1+x"} and "up%2F1%2Bx" in first.target
    assert (parts[1].number, parts[1].size, parts[1].crc32) == (2, 500, 2)
    document = (completed.body or b"").decode()
    assert document.index("<PartNumber>1<") < document.index("<PartNumber>2<")
    assert "<ChecksumCRC32>AAAAAQ==</ChecksumCRC32>" in document


@pytest.mark.parametrize("handler", [refuse(403, "AccessDenied"), refuse(501, "NotImplemented"), answer(405)])
async def test_refused_features_are_remembered(handler: Handler) -> None:
    with serving(handler) as server:
        async with open_store(server.url) as opened:
            for _ in range(2):
                with pytest.raises(Unsupported):
                    await opened.store.create_multipart("big.tif")
                with pytest.raises(Unsupported):
                    await opened.store.head("big.tif")
                assert await opened.store.list_parts("big.tif", "u") is None
            asked = len(server.calls)
            assert await opened.store.list_parts("other.tif", "u") is None
    assert len(server.calls) == asked
    assert seen(server.calls).count("GET /bucket/user-1/project-2/big.tif?uploadId=u") <= 2


async def test_a_server_error_is_not_a_missing_feature() -> None:
    with serving(in_turn(refuse(500, "InternalError"), answer(200, CREATED))) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(CloudFault):
                await opened.store.create_multipart("big.tif")
            assert await opened.store.create_multipart("big.tif") == "up/1+x"


async def test_parts_are_listed_over_pages() -> None:
    def page(call: Call) -> None:
        first = "part-number-marker" not in call.query
        number, more = (1, "true") if first else (2, "false")
        crc = "<ChecksumCRC32>AAAABw==</ChecksumCRC32>" if first else ""
        call.reply(
            200,
            '<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{more}</IsTruncated><NextPartNumberMarker>{number}</NextPartNumberMarker>"
            f'<Part><PartNumber>{number}</PartNumber><ETag>"e{number}"</ETag><Size>{number}00</Size>{crc}</Part>'
            "</ListPartsResult>",
        )

    with serving(page) as server:
        async with open_store(server.url) as opened:
            parts = await opened.store.list_parts("big.tif", "u")
    assert parts == [Part(1, 100, "e1", 7), Part(2, 200, "e2", None)]


async def test_parts_of_an_aborted_upload() -> None:
    with serving(refuse(404, "NoSuchUpload")) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(MultipartGone):
                await opened.store.list_parts("big.tif", "u")
            await opened.store.abort_multipart("big.tif", "u")


async def test_success_with_an_error_inside_is_an_error() -> None:
    failing = answer(200, "<Error><Code>InternalError</Code></Error>")
    with serving(in_turn(failing, answer(200, "   \n" + COMPLETED))) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(CloudFault):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)
            assert (await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)).etag == "e-2"


@pytest.mark.parametrize(
    ("size", "etag", "asked_before", "outcome"),
    [
        (1010, multipart_etag(PARTS), False, None),
        (1010, "opaque", True, None),
        (1010, "opaque", False, MultipartGone),
        # Sending the file again under its name would at best find another object.
        (1010, "0" * 32 + "-2", True, NameTaken),
        (1010, "of-its-own-kind", True, NameTaken),
        (1011, multipart_etag(PARTS), True, NameTaken),
    ],
)
async def test_a_lost_reply_to_a_completion_is_recognised(
    size: int, etag: str, asked_before: bool, outcome: type[UploaderError] | None
) -> None:
    def gone(call: Call) -> None:
        call.read_body()
        if call.method == "HEAD":
            call.reply(200, ETag=f'"{etag}"', content_length=str(size))
        elif asked_before and len(server.calls) == 1:
            call.close()
        else:
            call.error(404, "NoSuchUpload")

    with serving(gone) as server:
        async with open_store(server.url) as opened:
            if asked_before:
                with pytest.raises(LinkDown):
                    await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)
            if outcome is None:
                assert (await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)).size == 1010
            else:
                with pytest.raises(outcome):
                    await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)


async def test_without_the_right_to_head_a_lost_completion_is_gone() -> None:
    def gone(call: Call) -> None:
        call.read_body()
        call.error(403 if call.method == "HEAD" else 404, "NoSuchUpload")

    with serving(gone) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(MultipartGone):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)


async def test_head() -> None:
    replies = in_turn(
        answer(200, content_length="12345", ETag='"e"', x_amz_checksum_crc32="AAAABw=="),
        answer(404),
        answer(400),
        answer(200, content_length="1", ETag='"e"', x_amz_checksum_crc32="AAAABw==-2"),
    )
    with serving(replies) as server:
        async with open_store(server.url) as opened:
            assert await opened.store.head("a") == StoredObject(12345, "e", 7)
            assert await opened.store.head("a") is None
            assert (await opened.store.head("a")) == StoredObject(1, "e", None)
            assert len(opened.fetched) == 2  # 400 without a body is how HEAD says that the key expired

"""Taken names, unknown conditions and lost replies, with stores of every kind."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, in_turn, seen, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.contract import ByteRange, Part, StoredObject
from tui_uploader.cloud.s3.object_match import multipart_checksum, multipart_etag
from tui_uploader.cloud.s3.xml import crc32_text
from tui_uploader.errors import CloudBusy, CloudFault, CloudRefused, LinkDown, MultipartGone, NameTaken, UploaderError
from tui_uploader.model.files import Proof

PARTS = (Part(1, 1000, hashlib.md5(b"1").hexdigest(), 7), Part(2, 10, hashlib.md5(b"2").hexdigest(), 8))
COMPLETED = '<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>'


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG") as made:
        yield made


def condition_of(call: Call) -> str | None:
    return call.headers.get("if-none-match")


def accept(call: Call) -> None:
    call.read_body()
    call.reply(200, ETag='"abc"')


def taken(call: Call) -> None:
    call.read_body()
    call.error(412, "PreconditionFailed")


# ------------------------------------------------------------------------------------------------------ taken names


async def test_a_taken_name_is_reported_without_looking(body: ByteRange) -> None:
    with serving(taken) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(NameTaken, match=r"DJI_0001\\x1b\.JPG") as caught:
                await opened.store.put("DJI_0001\x1b.JPG", body, ignore)
    assert caught.value.message.isprintable() and not caught.value.retryable
    assert len(server.calls) == 1


async def test_a_412_before_the_end_of_the_body_is_enough(tmp_path: Path) -> None:
    def early(call: Call) -> None:
        call.error(412, "PreconditionFailed")
        call.close()

    with byte_range(tmp_path / "big.jpg", os.urandom(1024**2) * 24) as big, serving(early) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(NameTaken):
                await opened.store.put("big.jpg", big, ignore)


async def test_a_conflict_of_two_writers_is_retried(body: ByteRange) -> None:
    def conflict(call: Call) -> None:
        call.read_body()
        call.error(409, "ConditionalRequestConflict")

    with serving(in_turn(conflict, accept)) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(CloudBusy) as caught:
                await opened.store.put("a.jpg", body, ignore)
            assert caught.value.retryable
            await opened.store.put("a.jpg", body, ignore)
    assert [condition_of(call) for call in server.calls] == ["*", "*"]


# ------------------------------------------------------------------------------- stores that do not know the condition


@pytest.mark.parametrize(
    ("status", "code", "inside"),
    [
        (501, "NotImplemented", "<Header>If-None-Match</Header>"),
        (400, "InvalidArgument", "<ArgumentName>If-None-Match</ArgumentName>"),
    ],
)
async def test_an_unknown_condition_is_dropped_once(
    body: ByteRange, caplog: pytest.LogCaptureFixture, status: int, code: str, inside: str
) -> None:
    def old(call: Call) -> None:
        call.read_body()
        if condition_of(call):
            call.error(status, code, inside)
        elif call.method == "POST":
            call.reply(200, COMPLETED)
        else:
            call.reply(200, ETag='"abc"')

    sent: list[int] = []
    with serving(old) as server, caplog.at_level(logging.WARNING):
        async with open_store(server.url) as opened, open_store(server.url) as other:
            assert (await opened.store.put("a.jpg", body, sent.append)).etag == "abc"
            await opened.store.put("b.jpg", body, ignore)
            await opened.store.complete_multipart("c.tif", "u", PARTS, 1010)
            assert len(opened.fetched) == 1
            await other.store.put("a.jpg", body, ignore)
    assert [condition_of(call) for call in server.calls] == ["*", None, None, None, "*", None]
    assert {call.headers.get("x-amz-acl") for call in server.calls if call.method == "PUT"} == {
        "bucket-owner-full-control"
    }
    assert 0 in sent and sent[-1] == 1000
    place = server.url.removeprefix("http://")
    assert [record.message for record in caplog.records] == [
        f"The storage {place}/bucket refuses if-none-match: it may overwrite existing objects."
    ] * 2


@pytest.mark.parametrize(
    ("status", "code", "inside", "error"),
    [
        (403, "AccessDenied", "", CloudRefused),
        (400, "InvalidArgument", "<ArgumentName>x-amz-acl</ArgumentName>", CloudRefused),
        (501, "NotImplemented", "<Header>Transfer-Encoding</Header>", UploaderError),
        (503, "SlowDown", "", CloudBusy),
        (500, "InternalError", "", CloudFault),
    ],
)
async def test_no_other_refusal_drops_it(
    body: ByteRange, status: int, code: str, inside: str, error: type[UploaderError]
) -> None:
    def refuse(call: Call) -> None:
        call.read_body()
        call.error(status, code, inside)

    with serving(refuse) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(error):
                await opened.store.put("a.jpg", body, ignore)
    assert {condition_of(call) for call in server.calls} == {"*"}


async def test_a_dropped_condition_is_remembered_only_if_that_helped(body: ByteRange) -> None:
    def broken(call: Call) -> None:
        call.read_body()
        if condition_of(call):
            call.error(501, "NotImplemented", "<Header>If-None-Match</Header>")
        else:
            call.error(500, "InternalError")

    with serving(broken) as server:
        async with open_store(server.url) as opened:
            for _ in range(2):
                with pytest.raises(CloudFault):
                    await opened.store.put("a.jpg", body, ignore)
    assert [condition_of(call) for call in server.calls] == ["*", None, "*", None]


async def test_a_store_that_knows_neither_condition_nor_acl(body: ByteRange) -> None:
    def bare(call: Call) -> None:
        call.read_body()
        if condition_of(call):
            call.error(501, "NotImplemented")
        elif "x-amz-acl" in call.headers:
            call.error(403, "AccessDenied")
        else:
            call.reply(200, ETag='"abc"')

    with serving(bare) as server:
        async with open_store(server.url) as opened:
            await opened.store.put("a.jpg", body, ignore)
            await opened.store.put("b.jpg", body, ignore)
            assert len(opened.fetched) == 1
    assert len(server.calls) == 5 + 1
    assert condition_of(server.calls[-1]) is None and "x-amz-acl" not in server.calls[-1].headers


# --------------------------------------------------------------------- answers that were lost within one call of a PUT


def lost_then_taken(head: Handler) -> Handler:
    """A store whose connection breaks after the second PUT took effect; the retry finds the name taken."""
    puts = 0

    def handle(call: Call) -> None:
        nonlocal puts
        call.read_body()
        if call.method == "HEAD":
            head(call)
            return
        puts += 1
        if puts == 1:
            call.reply(200, ETag='"first"')
        elif puts == 2:
            call.close()
        else:
            call.error(412, "PreconditionFailed")

    return handle


def head(size: int, etag: str, **headers: str) -> Handler:
    return lambda call: call.reply(200, ETag=f'"{etag}"', content_length=str(size), **headers)


async def put_twice(handler: Handler, body: ByteRange, sent: list[int]) -> tuple[StoredObject, list[str]]:
    with serving(handler) as server:
        async with open_store(server.url) as opened:
            await opened.store.put("first.jpg", body, ignore)
            stored = await opened.store.put("a.jpg", body, sent.append)
    return stored, [call.method for call in server.calls]


async def test_an_object_from_our_own_lost_attempt_counts_as_stored(body: ByteRange) -> None:
    sent: list[int] = []
    handler = lost_then_taken(head(1000, "kms", x_amz_checksum_crc32=crc32_text(body.crc32)))
    stored, methods = await put_twice(handler, body, sent)
    assert stored == StoredObject(1000, "kms", body.crc32, Proof.CRC32)
    assert methods == ["PUT", "PUT", "PUT", "HEAD"]
    assert 0 in sent and sent[-1] == 1000


async def test_an_md5_proves_it_too(body: ByteRange) -> None:
    md5 = hashlib.md5(os.pread(body.file.fileno(), 1000, 0)).hexdigest()
    stored, _ = await put_twice(lost_then_taken(head(1000, md5)), body, [])
    assert stored == StoredObject(1000, md5, None, Proof.MD5)


@pytest.mark.parametrize(
    "look",
    [
        head(1001, "kms"),
        head(1000, "kms"),
        head(1000, "0" * 32),
        head(1000, "kms", x_amz_checksum_crc32="AAAAAA=="),
        lambda call: call.reply(404),
        lambda call: call.reply(403),
    ],
)
async def test_an_object_not_proven_ours_is_a_taken_name(body: ByteRange, look: Handler) -> None:
    with pytest.raises(NameTaken):
        await put_twice(lost_then_taken(look), body, [])


async def test_a_reply_lost_before_a_renewal_is_not_forgotten(body: ByteRange) -> None:
    """Lost, then refused for expired credentials, then taken: the object may still be ours."""
    puts = 0

    def handle(call: Call) -> None:
        nonlocal puts
        call.read_body()
        puts += call.method == "PUT"
        if call.method == "HEAD":
            call.reply(200, ETag='"x"', content_length="1000", x_amz_checksum_crc32=crc32_text(body.crc32))
        elif puts == 1:
            call.reply(200, ETag='"first"')
        elif puts == 2:
            call.close()
        elif puts == 3:
            call.error(400, "ExpiredToken")
        else:
            call.error(412, "PreconditionFailed")

    stored, _ = await put_twice(handle, body, [])
    assert stored.crc32 == body.crc32


async def test_a_new_connection_that_breaks_is_an_error(body: ByteRange) -> None:
    """The next call is a separate one, and does not take an object it finds for ours."""

    def handle(call: Call) -> None:
        call.read_body()
        if len(server.calls) == 1:
            call.close()
        else:
            call.error(412, "PreconditionFailed")

    with serving(handle) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(LinkDown):
                await opened.store.put("a.jpg", body, ignore)
            with pytest.raises(NameTaken):
                await opened.store.put("a.jpg", body, ignore)
    assert len(server.calls) == 2


# -------------------------------------------------------------------------------------------------------- completions


def completing(*posts: Handler, look: Handler) -> Handler:
    post = in_turn(*posts)

    def handle(call: Call) -> None:
        call.read_body()
        (look if call.method == "HEAD" else post)(call)

    return handle


def gone(call: Call) -> None:
    call.error(404, "NoSuchUpload")


def break_off(call: Call) -> None:
    call.close()


OURS = head(1010, multipart_etag(PARTS) or "")
OURS_IN_KMS = head(1010, "0" * 32 + "-2", x_amz_checksum_crc32=multipart_checksum(PARTS) or "")
ALIKE = head(1010, "opaque")
OTHER = head(1010, "0" * 32 + "-2")


@pytest.mark.parametrize("refusal", [gone, taken])
@pytest.mark.parametrize("look", [OURS, OURS_IN_KMS])
async def test_a_repeated_completion_finds_its_object(refusal: Handler, look: Handler) -> None:
    """Also in a process that does not know of the first completion."""
    with serving(completing(refusal, look=look)) as server:
        async with open_store(server.url) as opened:
            assert (await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)).size == 1010
    assert [line.split("?")[0].split()[0] for line in seen(server.calls)] == ["POST", "HEAD"]


@pytest.mark.parametrize("look", [OTHER, ALIKE, lambda call: call.reply(404), lambda call: call.reply(403)])
async def test_a_completion_overwrites_nothing(look: Handler) -> None:
    """Raw images all have the same size, so an equal size proves nothing."""
    with serving(completing(break_off, taken, look=look)) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(LinkDown):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)
            with pytest.raises(NameTaken, match=r"big\.tif"):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)


async def test_a_refused_completion_does_not_count_as_unanswered() -> None:
    """The name was taken at the first call; if the upload is gone later, the object is still not ours."""
    with serving(completing(taken, gone, look=ALIKE)) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(NameTaken):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)
            with pytest.raises(MultipartGone):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)


async def test_a_reply_to_a_completion_lost_within_the_call(body: ByteRange) -> None:
    def first_put(call: Call) -> None:
        call.reply(200, ETag='"first"')

    with serving(completing(first_put, break_off, gone, look=ALIKE)) as server:
        async with open_store(server.url) as opened:
            await opened.store.put("first.jpg", body, ignore)
            assert (await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)).etag == "opaque"
    assert [call.method for call in server.calls] == ["PUT", "POST", "POST", "HEAD"]


async def test_a_link_error_during_the_lookup_keeps_the_question_open() -> None:
    """Unanswered, then gone, and no lookup possible: the next call can still settle it."""
    looks = in_turn(break_off, break_off, ALIKE)  # the kept connection, and the fresh one
    with serving(completing(break_off, gone, gone, look=looks)) as server:
        async with open_store(server.url) as opened:
            for _ in range(2):
                with pytest.raises(LinkDown):
                    await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)
            assert (await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)).etag == "opaque"

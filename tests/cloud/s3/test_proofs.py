"""Proofs that the storage holds what was sent, with stores that reveal much, little or nothing."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.contract import ByteRange, Part
from tui_uploader.cloud.s3.object_match import multipart_checksum, multipart_etag
from tui_uploader.cloud.s3.proofs import ReplyHistory, proof_of_parts
from tui_uploader.errors import ChecksumRefused, StoredDamaged
from tui_uploader.model.files import Proof

PARTS = (
    Part(1, 1000, hashlib.md5(b"1").hexdigest(), 7, Proof.CRC32),
    Part(2, 10, hashlib.md5(b"2").hexdigest(), 8, Proof.MD5),
)
CRC32 = "x-amz-checksum-crc32"


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG") as made:
        yield made


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def store(*damaged: int, etag: str = "md5", crc32: bool = False, compares: bool = False, **headers: str) -> Handler:
    """A store that accepts bodies; the first bit of some (by number, from 0) is flipped in transit."""
    numbers = itertools.count()

    def handle(call: Call) -> None:
        data = bytearray(call.read_body())
        if next(numbers) in damaged:
            data[0] ^= 1
        wanted = call.headers.get("content-md5")
        if compares and wanted is not None and base64.b64decode(wanted) != hashlib.md5(data).digest():
            call.error(400, "BadDigest")
            return
        checksums = {CRC32: call.headers[CRC32]} if crc32 else {}
        call.reply(200, ETag=f'"{md5(bytes(data)) if etag == "md5" else etag}"', **checksums, **headers)

    return handle


async def put_all(handler: Handler, body: ByteRange, count: int) -> tuple[list[str], list[bool]]:
    """The outcome of each PUT, and which of them carried a `Content-MD5`."""
    ends = []
    with serving(handler) as server:
        async with open_store(server.url) as opened:
            for number in range(count):
                try:
                    ends.append(str((await opened.store.put(f"{number}.jpg", body, ignore)).proof))
                except ChecksumRefused as error:
                    ends.append(error.kind)
    return ends, ["content-md5" in call.headers for call in server.calls]


@pytest.mark.parametrize(
    ("handler", "ends", "with_md5"),
    [
        (store(crc32=True), ["crc32"] * 3, [False] * 3),
        (store(), ["md5"] * 3, [False, True, True]),
        # The ETag shows the damage after it was stored; a store that compares Content-MD5 stores no damage.
        (store(1), ["md5", "StoredDamaged", "md5"], [False, True, True]),
        (store(1, compares=True), ["md5", "ChecksumRefused", "md5"], [False, True, True]),
        (store(0, compares=True), ["StoredDamaged", "md5", "md5"], [False, True, True]),
        # Nothing can be compared: Content-MD5 may protect all the same.
        (store(etag="opaque"), ["no"] * 3, [False, True, True]),
        (store(etag="0" * 32 + "-2"), ["no"] * 3, [False, True, True]),
        (store(etag="0" * 32, x_amz_server_side_encryption="aws:kms"), ["no"] * 3, [False, True, True]),
        (
            store(etag="0" * 32, x_amz_server_side_encryption_customer_algorithm="AES256"),
            ["no"] * 3,
            [False, True, True],
        ),
        # ETags that look like MD5s and never are one.
        (store(etag="0" * 32), ["StoredDamaged"] * 3 + ["no"] * 2, [False, True, True, True, True]),
    ],
)
async def test_proofs_of_a_put(handler: Handler, ends: list[str], with_md5: list[bool], body: ByteRange) -> None:
    assert await put_all(handler, body, len(ends)) == (ends, with_md5)


async def test_a_checksum_of_different_data_is_damage(body: ByteRange) -> None:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(200, ETag="1", **{CRC32: "AAAAAA=="})

    with serving(handle) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(StoredDamaged, match=r"DJI\\x1b\.JPG"):
                await opened.store.put("DJI\x1b.JPG", body, ignore)


async def test_only_a_damaged_part_is_sent_again(body: ByteRange) -> None:
    sent: list[int] = []
    with serving(store(0, 2)) as server:
        async with open_store(server.url) as opened:
            for number in (1, 2):
                part = await opened.store.put_part("big.tif", "u", number, body, sent.append)
                assert (part.proof, part.crc32) == (Proof.MD5, body.crc32)
    assert [call.query["partNumber"] for call in server.calls] == ["1", "1", "2", "2"]
    assert 0 in sent and sent[-1] == body.length


async def test_a_part_that_is_always_damaged_is_given_up(body: ByteRange) -> None:
    for handler in (store(*range(9)), store(*range(9), compares=True)):
        with serving(handler) as server:
            async with open_store(server.url) as opened:
                with pytest.raises(ChecksumRefused) as caught:
                    await opened.store.put_part("big.tif", "u", 1, body, ignore)
        assert caught.value.kind == "ChecksumRefused" and len(server.calls) == 3


@pytest.mark.parametrize(
    ("parts", "etag", "checksum", "proof"),
    [
        (PARTS, multipart_etag(PARTS), multipart_checksum(PARTS), Proof.CRC32),
        (PARTS, "opaque", multipart_checksum(PARTS), Proof.CRC32),
        (PARTS, multipart_etag(PARTS), "", Proof.MD5),
        (PARTS[:1], multipart_etag(PARTS[:1]), "", Proof.CRC32),
        (PARTS, "opaque", "", Proof.MD5),
        (PARTS, multipart_etag(PARTS), "AAAAAA==-2", Proof.MD5),
        (PARTS, "0" * 32 + "-2", "", Proof.NONE),
        (tuple(replace(part, proof=Proof.NONE) for part in PARTS), multipart_etag(PARTS), "", Proof.NONE),
        ((), "opaque", "", Proof.NONE),
    ],
)
def test_proofs_of_a_multipart_object(parts: tuple[Part, ...], etag: str, checksum: str, proof: Proof) -> None:
    assert proof_of_parts(parts, etag, checksum) is proof


def test_an_md5_is_computed_only_where_it_helps() -> None:
    answers = ReplyHistory()
    assert not answers.wants_md5(takes_content_md5=True), "nothing is known of the store"
    answers.note(checksum=True)
    assert not answers.wants_md5(takes_content_md5=True)
    answers.note(checksum=False)
    assert answers.wants_md5(takes_content_md5=True) and answers.wants_md5(takes_content_md5=False)
    assert [answers.proof("0" * 32, "1" * 32) for _ in range(5)] == [None, None, None, Proof.NONE, Proof.NONE]
    assert answers.is_opaque and not answers.wants_md5(takes_content_md5=False)
    assert answers.proof("1" * 32, "1" * 32) is Proof.MD5
    assert [answers.proof("0" * 32, "1" * 32) for _ in range(9)] == [None] * 9, (
        "an earlier match shows that ETags are MD5s"
    )

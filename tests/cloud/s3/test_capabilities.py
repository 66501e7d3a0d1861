"""Stores that refuse optional features of S3: each is left out of the calls that carry it, and only of those."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.contract import ByteRange, Part
from tui_uploader.cloud.s3.capabilities import KnownStores
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.errors import CloudRefused, UploaderError

PARTS = (Part(1, 1000, "1" * 32, 7), Part(2, 10, "2" * 32, 8))
CREATED = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
COMPLETED = "<CompleteMultipartUploadResult><ETag>e-2</ETag></CompleteMultipartUploadResult>"

CHECKSUM, ACL, CONDITION = "x-amz-checksum-crc32", "x-amz-acl", "if-none-match"
ALGORITHM, MODE = "x-amz-checksum-algorithm", "x-amz-checksum-mode"

Offends = Callable[[Call], bool]


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG") as made:
        yield made


def carries(header: str) -> Offends:
    return lambda call: header in call.headers


def names_checksums(call: Call) -> bool:
    return b"ChecksumCRC32" in call.read_body()


def refusing(offends: Offends, status: int, code: str, inside: str = "") -> Handler:
    """A store that accepts all calls but those that `offends` matches."""

    def handle(call: Call) -> None:
        call.read_body()
        if offends(call):
            if call.method == "HEAD":
                call.reply(status)
            else:
                call.error(status, code, inside)
        elif call.method == "POST":
            call.reply(200, CREATED if "uploads" in call.query else COMPLETED)
        elif call.method == "HEAD":
            call.reply(200, ETag='"e"', content_length="1000")
        else:
            call.reply(200, ETag='"e"', **{CHECKSUM: call.headers.get(CHECKSUM, "")})

    return handle


async def put(store: S3Store, body: ByteRange) -> None:
    await store.put("a.jpg", body, ignore)


async def create(store: S3Store, body: ByteRange) -> None:
    await store.create_multipart("b.tif")


async def put_part(store: S3Store, body: ByteRange) -> None:
    await store.put_part("b.tif", "u", 1, body, ignore)


async def complete(store: S3Store, body: ByteRange) -> None:
    await store.complete_multipart("b.tif", "u", PARTS, 1010)


async def head(store: S3Store, body: ByteRange) -> None:
    assert await store.head("a.jpg") is not None


@pytest.mark.parametrize(
    ("ask", "offends", "status", "code", "inside", "refused"),
    [
        (put, carries(CHECKSUM), 501, "NotImplemented", f"<Header>{CHECKSUM}</Header>", 1),
        (put, carries(CHECKSUM), 400, "InvalidRequest", "", 2),
        (put, carries(ACL), 501, "NotImplemented", f"<Header>{ACL}</Header>", 1),
        (put, carries(ACL), 400, "InvalidArgument", "", 1),
        (put, carries(CONDITION), 501, "NotImplemented", "", 3),
        (put, carries(CONDITION), 400, "InvalidArgument", f"<ArgumentName>{CONDITION}</ArgumentName>", 1),
        (create, carries(ALGORITHM), 400, "InvalidRequest", "", 1),
        (create, carries(ALGORITHM), 501, "NotImplemented", f"<Header>{ALGORITHM}</Header>", 1),
        (create, carries(ACL), 400, "InvalidArgument", "", 2),
        (put_part, carries(CHECKSUM), 400, "InvalidRequest", "", 1),
        (complete, names_checksums, 400, "MalformedXML", "", 1),
        (complete, names_checksums, 200, "MalformedXML", "", 1),
        (complete, names_checksums, 400, "InvalidRequest", "", 1),
        (complete, carries(CONDITION), 501, "NotImplemented", "", 2),
        (head, carries(MODE), 501, "", "", 1),
        (head, carries(MODE), 400, "", "", 2),  # without a word: it may be the key
    ],
)
async def test_refused_options_are_left_out_from_then_on(
    body: ByteRange,
    ask: Callable[[S3Store, ByteRange], object],
    offends: Offends,
    status: int,
    code: str,
    inside: str,
    refused: int,
) -> None:
    known = KnownStores()
    with serving(refusing(offends, status, code, inside)) as server:
        async with open_store(server.url, known=known) as opened, open_store(server.url, known=known) as next_project:
            await ask(opened.store, body)  # type: ignore[misc]
            asked = [offends(call) for call in server.calls]
            assert asked == [True] * refused + [False]
            await ask(opened.store, body)  # type: ignore[misc]
            await ask(next_project.store, body)  # type: ignore[misc]
    assert not any(offends(call) for call in server.calls[len(asked) :]), "no call is refused for the same option twice"
    others = {CHECKSUM, ACL, CONDITION, ALGORITHM, MODE} & server.calls[0].headers.keys()
    missing = others - server.calls[-1].headers.keys()
    assert len(missing) == (0 if offends is names_checksums else 1), "nothing else was left out"


async def test_another_bucket_is_another_store(body: ByteRange) -> None:
    known = KnownStores()
    with serving(refusing(carries(ACL), 501, "NotImplemented", f"<Header>{ACL}</Header>")) as server:
        for bucket in ("one", "two"):
            async with open_store(server.url, known=known, bucket=bucket) as opened:
                await put(opened.store, body)
    assert [ACL in call.headers for call in server.calls] == [True, False, True, False]


async def test_options_that_were_accepted_before_are_not_blamed(body: ByteRange) -> None:
    """An unspecific refusal by a store that accepted all options before is about something else."""
    odd = False
    with serving(lambda call: refusing(lambda _: odd, 400, "InvalidRequest")(call)) as server:
        async with open_store(server.url) as opened:
            await put(opened.store, body)
            odd = True
            with pytest.raises(CloudRefused):
                await put(opened.store, body)
    assert len(server.calls) == 2


@pytest.mark.parametrize("code", ["InvalidRequest", "NotImplemented"])
async def test_a_store_that_refuses_everything_gets_few_attempts(body: ByteRange, code: str) -> None:
    status = 400 if code == "InvalidRequest" else 501
    with serving(refusing(lambda _: True, status, code)) as server:
        async with open_store(server.url) as opened:
            for _ in range(4):
                with pytest.raises(UploaderError):
                    await put(opened.store, body)
    assert len(server.calls) == 8 + 3
    first = server.calls[0].headers.keys()
    assert all(call.headers.keys() == first for call in server.calls[8:]), "nothing was learned from it"


async def test_the_log_names_the_consequences(body: ByteRange, caplog: pytest.LogCaptureFixture) -> None:
    def handle(call: Call) -> None:
        header = next((header for header in (CONDITION, CHECKSUM) if header in call.headers), "none")
        refusing(carries(header), 501, "NotImplemented", f"<Header>{header}</Header>")(call)

    with serving(handle) as server, caplog.at_level(logging.WARNING):
        async with open_store(server.url) as opened:
            await put(opened.store, body)
    assert [record.message.partition(" refuses ")[2] for record in caplog.records] == [
        "x-amz-checksum-crc32: it does not compare checksums; ETags are compared instead if possible.",
        "if-none-match: it may overwrite existing objects.",
    ]


@pytest.mark.parametrize(("status", "code", "asked"), [(501, "NotImplemented", 1), (403, "AccessDenied", 2)])
async def test_features_that_a_store_does_not_offer(status: int, code: str, asked: int) -> None:
    """An unknown call counts for all projects, a missing right for one."""
    known, names = KnownStores(), set[str]()

    def handle(call: Call) -> None:
        names.add(call.target)
        call.error(status, code)

    with serving(handle) as server:
        for prefix in ("user-1/project-1", "user-1/project-2"):
            async with open_store(server.url, known=known, key=prefix) as opened:
                for name in ("a", "b"):
                    assert await opened.store.list_parts(name, "u") is None
    assert len(names) == asked

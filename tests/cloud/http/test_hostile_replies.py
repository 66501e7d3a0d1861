"""Replies built to fill the memory or to last forever: each soon ends in an error of ours."""

from __future__ import annotations

import gzip
import itertools
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cloud.servers import Call, Hangup, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.http.error_mapping import Stalled
from tui_uploader.cloud.http.messages import MAX_REPLY, Reply
from tui_uploader.cloud.http.reply_limits import MAX_HEAD, MIN_REPLY_RATE, BodyDecoder, ReplyLimits
from tui_uploader.cloud.net.endpoint import Deadlines, origin_of
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.cloud.s3 import xml
from tui_uploader.cloud.s3.session_credentials import session_credentials, storage_endpoint
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.errors import CloudUnintelligible, UploaderError
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings

BRIEF = Deadlines(connect=0.2, stall=0.3, reply=0.4)


def squeezed(times: int) -> bytes:
    body = b" " * (16 * MAX_REPLY)
    for _ in range(times):
        body = gzip.compress(body, 9)
    return body


# ------------------------------------------------------------------------------------------------------ the REST API


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", squeezed(1)),
        ("gzip, gzip", squeezed(2)),
        ("gzip, gzip, gzip", squeezed(3)),
        ("br", b"\x0b\x02\x80{}\x03"),
        ("deflate", zlib.compress(b"{}")),
        ("gzip", gzip.compress(b"{}")[:-5]),
        ("gzip", gzip.compress(b"{}") + b"more"),
        ("gzip", b"no gzip at all"),
    ],
    ids=["large", "two", "three", "brotli", "deflate", "cut", "followed", "none"],
)
async def test_no_encoding_expands_a_reply_beyond_the_limit(coding: str, body: bytes) -> None:
    def answer(call: Call) -> None:
        call.read_body()
        call.reply(200, body, content_encoding=coding)

    with serving(answer) as server:
        cloud = Pix4dCloud(Login(server.url, "id", "secret"), Settings())
        try:
            tracemalloc.start()
            with pytest.raises(CloudUnintelligible):
                await cloud.sign_in()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            await cloud.close()
    assert peak < 6 * MAX_REPLY


async def test_a_reply_in_gzip_is_read() -> None:
    def answer(call: Call) -> None:
        call.read_body()
        call.reply(200, gzip.compress(b'{"access_token": "t"}'), content_encoding="gzip", content_type="text/json")

    with serving(answer) as server:
        cloud = Pix4dCloud(Login(server.url, "id", "secret"), Settings())
        try:
            await cloud.sign_in()
        finally:
            await cloud.close()


@given(st.lists(st.binary(max_size=400), max_size=8))
def test_gzip_is_decoded_however_it_is_split(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    packed = gzip.compress(whole)
    decoder = BodyDecoder("GZIP", "host")
    for at in range(0, len(packed), 7):
        decoder.feed(packed[at : at + 7])
    assert decoder.whole() == whole


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[" + b"[]," * 1_000_000 + b"0]", b"[" + b"{}," * 1_000_000 + b"0]", b"9" * 5000, b"\xff"],
    ids=["deep", "lists", "objects", "digits", "bytes"],
)
def test_json_that_would_fill_the_memory_is_rejected(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            Reply(200, {}, body).json()
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_REPLY
    finally:
        tracemalloc.stop()


# ------------------------------------------------------------------------------------------------------------- XML


@pytest.mark.parametrize(
    "body",
    [
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"<a>" + b"<b/>" * 100_000 + b"</a>",
        b"<a " + b" ".join(b"a%d=''" % i for i in range(300_000)) + b"/>",
        b"<a>" + b"x" * xml.MAX_XML + b"</a>",
    ],
    ids=["deep", "many", "attributes", "long"],
)
def test_xml_that_would_fill_the_memory_is_rejected(body: bytes) -> None:
    tracemalloc.start()
    try:
        assert xml.parsed(body) is None
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_REPLY
    finally:
        tracemalloc.stop()


def test_a_long_namespace_is_not_prefixed_to_every_name() -> None:
    names = b"".join(b"<a%d/>" % number for number in range(50_000))
    tracemalloc.start()
    try:
        document = xml.parsed(b"<R xmlns='" + b"n" * 1_000_000 + b"'>" + names + b"</R>")
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_REPLY
    finally:
        tracemalloc.stop()
    assert document is not None and document.name == "R" and len(document.fields) == 50_000


def test_prefixes_and_rows_are_read() -> None:
    body = (
        b"<s:ListPartsResult xmlns:s='x'><s:Bucket> b </s:Bucket><s:Initiator><s:ID>i</s:ID></s:Initiator>"
        b"<s:Part><s:PartNumber>1</s:PartNumber><s:Owner><s:ID>no</s:ID></s:Owner><s:ETag>&quot;e&quot;</s:ETag></s:Part>"
        b"</s:ListPartsResult>"
    )
    found = xml.parsed(body)
    assert found is not None and found.name == "ListPartsResult" and found.fields["Bucket"] == "b"
    assert found.rows == ({"PartNumber": "1", "Owner": "", "ETag": '"e"'},)


# -------------------------------------------------------------------------------------------------- without an end


def drip(call: Call, head: bytes, piece: bytes) -> None:
    """Send `head`, then `piece` again and again until the client disconnects."""
    try:
        call.read_body()
        call.raw(head)
        for _ in itertools.count():
            call.raw(piece)
            time.sleep(0.02)
    except (OSError, Hangup):
        call.close()


def flood(call: Call, head: bytes, piece: bytes) -> None:
    try:
        call.read_body()
        call.raw(head)
        for _ in itertools.count():
            call.raw(piece * 1000)
    except (OSError, Hangup):
        call.close()


ENDLESS = [
    (drip, b"", b"H"),
    (drip, b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    (drip, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    (flood, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    (drip, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
    (drip, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    (drip, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
    (flood, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    (flood, b"HTTP/1.1 200 OK\r\n\r\n", b" "),
]
NAMES = ["line", "headers", "interim", "interims", "body", "chunks", "trailers", "fast chunks", "fast body"]


@pytest.mark.parametrize(("way", "head", "piece"), ENDLESS, ids=NAMES)
async def test_an_endless_reply_of_a_store_is_given_up(
    way: Callable[[Call, bytes, bytes], None],
    head: bytes,
    piece: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui_uploader.cloud.http.reply_limits._MAX_CHUNKED", 1024**2)
    with serving(lambda call: way(call, head, piece)) as server, byte_range(tmp_path / "a.jpg", 10) as body:
        async with open_store(server.url, deadlines=BRIEF) as opened:
            with pytest.raises(UploaderError) as caught:
                await opened.store.put("a.jpg", body, ignore)
    assert caught.value.retryable


@pytest.mark.parametrize(("way", "head", "piece"), ENDLESS, ids=NAMES)
async def test_an_endless_reply_of_the_service_is_given_up(
    way: Callable[[Call, bytes, bytes], None], head: bytes, piece: bytes
) -> None:
    with serving(lambda call: way(call, head, piece)) as server:
        cloud = Pix4dCloud(Login(server.url, "id", "secret"), Settings(), deadlines=BRIEF)
        try:
            with pytest.raises(UploaderError) as caught:
                await cloud.sign_in()
        finally:
            await cloud.close()
    assert caught.value.retryable


def test_a_reply_may_take_a_fixed_time_and_a_time_for_its_bytes() -> None:
    now = [100.0]
    limits = ReplyLimits("host", 60.0, lambda: now[0])
    now[0] += 59.0
    limits.received(3 * MIN_REPLY_RATE)
    assert limits.left == pytest.approx(4.0)
    now[0] += 5.0
    with pytest.raises(Stalled):
        limits.received(1)


def test_a_head_has_its_own_limit() -> None:
    limits = ReplyLimits("host", 60.0, lambda: 0.0)
    limits.received(MAX_HEAD)
    with pytest.raises(CloudUnintelligible):
        limits.received(1)
    limits.head_ended()
    limits.received(MAX_REPLY)


# --------------------------------------------------------------------------------------------- storage credentials

FIELDS: dict[str, object] = {"access_key": "AKID", "secret_key": "s", "bucket": "b-1", "key": "user-1/project-2"}
BAD_TEXTS = ("\ud800", "a\x00b", "a\nb", "\x1b[2J")
UNUSABLE = [
    *((name, text) for name in ("access_key", "secret_key", "session_token", "bucket", "key") for text in BAD_TEXTS),
    *(("bucket", text) for text in ("..", "a/b", "a" * 300, ".", "a..b")),
    *(("key", text) for text in ("../../etc", "a//b", "a/./b", "/", "x" * 2000)),
    *(
        ("endpoint_override", text)
        for text in (*BAD_TEXTS, "a" * 64, "a..b", ":9", "a b", "x%00", "host:port", "ü.org")
    ),
    ("endpoint_override", "ftp://host"),
]


@pytest.mark.parametrize(("name", "text"), UNUSABLE, ids=[f"{name}-{at}" for at, (name, _) in enumerate(UNUSABLE)])
def test_unusable_credentials_are_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(CloudUnintelligible, match=f"`{name}`"):
        session_credentials({**FIELDS, name: text}, ServerClock(time.time))


@given(st.sampled_from(["bucket", "key", "endpoint_override", "region"]), st.text(max_size=80))
def test_credentials_are_refused_or_usable(name: str, text: str) -> None:
    cloud = origin_of("https://cloud.pix4d.com")
    try:
        endpoint = storage_endpoint(
            key := session_credentials({**FIELDS, name: text}, ServerClock(time.time)), key.region, cloud
        )
    except UploaderError:
        return
    f"{endpoint.origin.url}{endpoint.path(f'{key.prefix}/x')}".encode("ascii")


def test_an_impossible_time_is_ignored() -> None:
    clock = ServerClock(lambda: 1e9)
    assert not clock.learn("9999-12-31T23:59:59Z") and not clock.learn("Thu, 01 Jan 1970 00:00:00 GMT")
    assert clock.now() == 1e9

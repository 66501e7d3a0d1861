"""Other implementations of S3: replies that differ, and lists that cannot be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, serving
from tests.cloud.stores import byte_range, ignore, open_store
from tui_uploader.cloud.contract import MAX_PARTS, ByteRange, Part, StoredObject
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.errors import MultipartGone, NotTheService, Unsupported

HTML = "text/html; charset=utf-8"
PARTS = (Part(1, 1000, "1" * 32, 7), Part(2, 10, "2" * 32, 8))


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG") as made:
        yield made


def says(status: int, text: str = "", **headers: str) -> Handler:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(status, text, **headers)

    return handle


# --------------------------------------------------------------------------------------------------------- web pages


@pytest.mark.parametrize(
    ("headers", "content", "page"),
    [
        ({"content-type": HTML}, b"", False),
        ({"content-type": HTML}, b" \r\n", False),
        ({"content-type": HTML, "etag": '"e"'}, b"", False),
        ({"content-type": HTML, "etag": '"e"'}, b"stored", False),
        ({"content-type": HTML}, b"welcome", True),
        ({}, b"<!DOCTYPE HTML><p>", True),
        ({}, b"\xef\xbb\xbf <HTML>", True),
        (
            {"content-type": "application/xml"},
            b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">',
            True,
        ),
        ({"etag": '"e"'}, b"<html>sign in</html>", True),
        ({"content-type": "application/xml"}, b'<?xml version="1.0"?><Error/>', False),
    ],
)
def test_recognising_web_pages(headers: dict[str, str], content: bytes, page: bool) -> None:
    reply = Reply(200, headers, content)
    assert reply.is_html_of_store is page
    assert reply.is_html is (page or headers.get("content-type") == HTML), "PIX4Dcloud labels nothing so"


async def test_a_store_that_labels_all_its_replies_html(body: ByteRange) -> None:
    """Like OpenStack Swift and moto."""
    document = "<CompleteMultipartUploadResult><ETag>e-2</ETag></CompleteMultipartUploadResult>"

    def handle(call: Call) -> None:
        call.read_body()
        match call.method:
            case "DELETE":
                call.reply(204, content_type=HTML)
            case "POST":
                call.reply(200, document, content_type=HTML)
            case "HEAD":
                call.reply(200, content_type=HTML, ETag='"e"', content_length="1000")
            case "GET":
                call.reply(200, "<ListPartsResult/>", content_type=HTML)
            case _:
                call.reply(200, content_type=HTML, ETag='"e"')

    with serving(handle) as server:
        async with open_store(server.url) as opened:
            assert (await opened.store.put("a.jpg", body, ignore)).etag == "e"
            assert (await opened.store.put_part("b.tif", "u", 1, body, ignore)).etag == "e"
            assert await opened.store.list_parts("b.tif", "u") == []
            assert (await opened.store.complete_multipart("b.tif", "u", PARTS, 1010)).etag == "e-2"
            await opened.store.abort_multipart("b.tif", "u")
            found = await opened.store.head("a.jpg")
    assert found is not None and found.size == 1000


@pytest.mark.parametrize("etag", [{}, {"ETag": '"e"'}])
async def test_a_web_page_is_never_a_success(body: ByteRange, etag: dict[str, str]) -> None:
    with serving(says(200, "<html>Voucher code?</html>", content_type=HTML, **etag)) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(NotTheService):
                await opened.store.put("a.jpg", body, ignore)
            with pytest.raises(NotTheService):
                await opened.store.list_parts("a.jpg", "u")


# -------------------------------------------------------------------------------------- lists that cannot be relied on


def listed(*rows: str, more: str = "", name: str = "ListPartsResult") -> str:
    following = f"<IsTruncated>true</IsTruncated><NextPartNumberMarker>{more}</NextPartNumberMarker>" if more else ""
    return f"<{name}>{following}{''.join(rows)}</{name}>"


def part(number: object, size: object = 10) -> str:
    return f'<Part><PartNumber>{number}</PartNumber><ETag>"e"</ETag><Size>{size}</Size></Part>'


UNREADABLE = {
    "nothing": says(200),
    "no document": says(200, "parts: 1, 2"),
    "json": says(200, '{"Parts": []}', content_type="application/json"),
    "another document": says(200, listed(part(1), name="ListBucketResult")),
    "a part without its size": says(200, listed("<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>")),
    "no number": says(200, listed(part("one"))),
    "part zero": says(200, listed(part(0))),
    "more than a file has": says(200, listed(part(MAX_PARTS + 1))),
    "a number of 5000 digits": says(200, listed(part("9" * 5000))),
    "a negative size": says(200, listed(part(1, -1))),
    "the same page for ever": says(200, listed(part(1), more="1")),
    "a marker that leads back": says(200, listed(part(5), more="0")),
    "no marker": says(200, listed(part(1), more="next")),
    "a marker beyond all parts": says(200, listed(part(1), more=str(MAX_PARTS + 1))),
    "an object instead": says(404, "<Error><Code>NoSuchKey</Code></Error>"),
    "an unknown refusal": says(400, "<Error><Code>Odd</Code></Error>"),
    "not implemented": says(501, "<Error><Code>NotImplemented</Code></Error>"),
}


@pytest.mark.parametrize("handler", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_an_invalid_list_of_parts_leaves_the_journals_list(handler: Handler) -> None:
    with serving(handler) as server:
        async with open_store(server.url) as opened:
            assert await opened.store.list_parts("big.tif", "u") is None
    assert len(server.calls) <= 3


@pytest.mark.parametrize("name", ["ListPartsResult", "ListPartsResponse"])
async def test_a_list_of_parts_by_either_name(name: str) -> None:
    with serving(says(200, listed(part(1), name=name), content_type=HTML)) as server:
        async with open_store(server.url) as opened:
            assert await opened.store.list_parts("big.tif", "u") == [Part(1, 10, "e")]


async def test_pages_without_end_are_bounded() -> None:
    def page(call: Call) -> None:
        marker = int(call.query.get("part-number-marker", "0"))
        call.reply(200, listed(part(marker + 1), more=str(marker + 1)))

    with serving(page) as server:
        async with open_store(server.url) as opened:
            assert await opened.store.list_parts("big.tif", "u") is None
    assert len(server.calls) == 100


@pytest.mark.parametrize("text", ["", "none", "<ListBucketResult/>", '{"Uploads": []}'])
async def test_an_invalid_list_of_uploads_is_none(text: str) -> None:
    with serving(says(200, text)) as server:
        async with open_store(server.url) as opened:
            await opened.store.open()
            assert await opened.store.list_multiparts("big.tif") is None


def objects(*rows: str, more: str | None = None, name: str = "ListBucketResult", inside: str = "") -> str:
    token = "" if more is None else f"<NextContinuationToken>{more}</NextContinuationToken>"
    truncated = "false" if more is None else "true"
    return f"<{name}>{inside}<IsTruncated>{truncated}</IsTruncated>{token}{''.join(rows)}</{name}>"


def one(key: object, size: object = 10, etag: str = '"e"') -> str:
    return f"<Contents><Key>{key}</Key><ETag>{etag}</ETag><Size>{size}</Size></Contents>"


OWN = "user-1/project-2/"
UNREADABLE_OBJECTS = {
    "nothing": says(200),
    "no document": says(200, "a.jpg"),
    "json": says(200, '{"Contents": []}', content_type="application/json"),
    "another document": says(200, objects(name="ListPartsResult")),
    "an object without a key": says(200, objects("<Contents><ETag>e</ETag><Size>1</Size></Contents>")),
    "an object without a size": says(200, objects(f"<Contents><Key>{OWN}a</Key><ETag>e</ETag></Contents>")),
    "a negative size": says(200, objects(one(OWN + "a", -1))),
    "a huge size": says(200, objects(one(OWN + "a", 2**63))),
    "a size of 5000 digits": says(200, objects(one(OWN + "a", "9" * 5000))),
    "a size in other digits": says(200, objects(one(OWN + "a", "\u0661"))),
    "the same key twice": says(200, objects(one(OWN + "a"), one(OWN + "b"), one(OWN + "a", 11))),
    "an encoding that was not asked for": says(200, objects(inside="<EncodingType>url</EncodingType>")),
    "another page, but no token": says(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
    "an empty token": says(200, objects(more="")),
    "the same page for ever": says(200, objects(more="t")),
    "a token of a megabyte": says(200, objects(more="t" * 1_000_000)),
    "a document type": says(200, '<!DOCTYPE x [<!ENTITY a "b">]>' + objects(one(OWN + "a"))),
    "too many elements": says(200, objects(*("<Contents/>" for _ in range(70_000)))),
    "too long": says(200, objects(one(OWN + "a" * 3_000_000))),
    "no such bucket": says(404, "<Error><Code>NoSuchBucket</Code></Error>"),
    "no such method": says(405, "<Error><Code>MethodNotAllowed</Code></Error>"),
    "an unknown refusal": says(400, "<Error><Code>Odd</Code></Error>"),
    "not allowed": says(403, "<Error><Code>AccessDenied</Code></Error>"),
    "not implemented": says(501, "<Error><Code>NotImplemented</Code></Error>"),
}


@pytest.mark.parametrize("handler", UNREADABLE_OBJECTS.values(), ids=UNREADABLE_OBJECTS.keys())
async def test_an_invalid_list_of_objects_is_none(handler: Handler) -> None:
    with serving(handler) as server:
        async with open_store(server.url) as opened:
            await opened.store.open()
            with pytest.raises(Unsupported):
                await opened.store.list_objects(1000)
    assert len(server.calls) <= 3


async def test_a_missing_right_to_list_is_remembered() -> None:
    with serving(says(403, "<Error><Code>AccessDenied</Code></Error>")) as server:
        async with open_store(server.url) as opened:
            await opened.store.open()
            for _ in range(3):
                with pytest.raises(Unsupported):
                    await opened.store.list_objects(1000)
    assert len(server.calls) <= 2


async def test_only_own_objects_are_listed_with_exact_names() -> None:
    rows = [
        one(OWN + "a b/c+d%20e.jpg ", 0, "&quot;e-1&quot;"),
        one("user-1/project-22/a.jpg"),
        one("a.jpg"),
        one(OWN + "line&#10;break.jpg"),
        one(OWN + "x.jpg", 2**63 - 1, 'W/"e"'),
        f"<Contents><Key>{OWN}no etag</Key><Size>1</Size><Owner><Key>deeper</Key><Size>7</Size></Owner></Contents>",
    ]
    with serving(says(200, objects(*rows))) as server:
        async with open_store(server.url) as opened:
            await opened.store.open()
            found = await opened.store.list_objects(1000)
            assert server.calls[0].query == {"list-type": "2", "max-keys": "1000", "prefix": OWN}
    assert found == {
        "a b/c+d%20e.jpg ": StoredObject(0, "e-1"),
        "x.jpg": StoredObject(2**63 - 1, 'W/"e'),
        "no etag": StoredObject(1, ""),
    }


async def test_pages_of_objects_without_end_are_bounded() -> None:
    def page(call: Call) -> None:
        number = int(call.query.get("continuation-token", "0"))
        call.reply(200, objects(one(f"{OWN}{number}"), more=str(number + 1)))

    with serving(page) as server:
        async with open_store(server.url) as opened:
            await opened.store.open()
            with pytest.raises(Unsupported):
                await opened.store.list_objects(1000)
            assert len(server.calls) == 100
            with pytest.raises(Unsupported, match="more than 5 objects"):
                await opened.store.list_objects(5)
    assert len(server.calls) == 106


@pytest.mark.parametrize(
    "handler",
    [
        says(200, content_length="1000"),
        says(200, ETag='"e"', content_length="-1", transfer_encoding="identity"),
        says(204, content_type=HTML),
        says(410),
        says(409),
    ],
    ids=["no ETag", "no size", "no content", "gone", "conflict"],
)
async def test_an_invalid_reply_about_an_object_says_nothing(handler: Handler) -> None:
    def handle(call: Call) -> None:
        if call.method == "HEAD":
            handler(call)
        else:
            call.read_body()
            call.error(404, "NoSuchUpload")

    with serving(handle) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(Unsupported):
                await opened.store.head("a.jpg")
            with pytest.raises(MultipartGone):
                await opened.store.complete_multipart("big.tif", "u", PARTS, 1010)

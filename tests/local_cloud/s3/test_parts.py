"""Multipart uploads."""

from __future__ import annotations

import asyncio
import hashlib
import os
from xml.etree import ElementTree

import httpx
import pytest

from tests.local_cloud.clouds import (
    MIB,
    Client,
    code,
    complete,
    crc32,
    create_multipart,
    part_list,
    put_part,
    signed_in,
    xml,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND, LAST = os.urandom(5 * MIB), os.urandom(6 * MIB + 1), os.urandom(1000)
WHOLE = FIRST + SECOND + LAST


async def upload_parts(client: Client, name: str, upload: str) -> list[tuple[int, str]]:
    """Send the parts out of order; numbers need not be consecutive."""
    etags = {
        number: await put_part(client, name, upload, number, body)
        for number, body in ((9, LAST), (1, FIRST), (4, SECOND))
    }
    return sorted(etags.items())


async def test_parts_become_an_object(client: Client) -> None:
    before = client.incoming()
    upload = await create_multipart(client, "dir/big", content_type="image/tiff", x_amz_meta_note="n")
    parts = await upload_parts(client, "dir/big", upload)
    assert not client.path("dir/big").exists()
    reply = await complete(client, "dir/big", upload, parts)
    md5s = b"".join(hashlib.md5(part).digest() for part in (FIRST, SECOND, LAST))
    assert xml(reply)["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert client.path("dir/big").read_bytes() == WHOLE
    head = await client.s3("HEAD", "dir/big")
    assert (head.headers["content-type"], head.headers["x-amz-meta-note"]) == ("image/tiff", "n")
    assert client.incoming() == before
    assert code(await complete(client, "dir/big", upload, parts)) == (404, "NoSuchUpload")


async def test_a_part_sent_again_replaces_the_first(client: Client) -> None:
    upload = await create_multipart(client, "a")
    old = await put_part(client, "a", upload, 1, b"old")
    new = await put_part(client, "a", upload, 1, b"new")
    assert code(await complete(client, "a", upload, [(1, old)])) == (400, "InvalidPart")
    assert (await complete(client, "a", upload, [(1, new)])).status_code == 200
    assert client.path("a").read_bytes() == b"new"


async def test_parts_that_are_not_named_are_left_out(client: Client) -> None:
    upload = await create_multipart(client, "a")
    parts = await upload_parts(client, "a", upload)
    await complete(client, "a", upload, parts[1:])
    assert client.path("a").read_bytes() == SECOND + LAST


async def test_completions_that_s3_refuses(client: Client) -> None:
    upload = await create_multipart(client, "a")
    small = await put_part(client, "a", upload, 1, b"small")
    last = await put_part(client, "a", upload, 2, b"last")
    wrong = "0" * 32
    for parts, expected in (
        ([(1, wrong)], "InvalidPart"),
        ([(3, small)], "InvalidPart"),
        ([(2, last), (1, small)], "InvalidPartOrder"),
        ([(1, small), (1, small)], "InvalidPartOrder"),
        ([(1, small), (2, last)], "EntityTooSmall"),
        ([], "MalformedXML"),
    ):
        assert code(await complete(client, "a", upload, parts)) == (400, expected)
    assert not client.path("a").exists()
    assert (await complete(client, "a", upload, [(2, last)])).status_code == 200


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<",
        b"<Other/>",
        b"<CompleteMultipartUpload/>",
        b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Nope><PartNumber>1</PartNumber><ETag>a</ETag></Nope></CompleteMultipartUpload>",
        b'<!DOCTYPE x [<!ENTITY e "aaaa">]>' + part_list([(1, "&e;")]),
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'.encode("utf-16"),
        b"\xff\xfe\x00",
        b"<a>" * 100_000,
    ],
)
async def test_malformed_documents_are_refused(client: Client, document: bytes) -> None:
    upload = await create_multipart(client, "a")
    reply = await client.s3("POST", "a", document, query={"uploadId": upload})
    assert code(reply) == (400, "MalformedXML")


async def test_a_document_that_is_too_large_is_refused(client: Client) -> None:
    reply = await client.s3("POST", "a", b" " * 5 * MIB, query={"uploadId": "x"}, payload="UNSIGNED-PAYLOAD")
    assert code(reply) == (400, "MaxMessageLengthExceeded")


async def test_the_signed_hash_of_the_document_is_checked(client: Client) -> None:
    upload = await create_multipart(client, "a")
    etag = await put_part(client, "a", upload, 1, b"x")
    signed_for_another = hashlib.sha256(b"other").hexdigest()
    reply = await client.s3("POST", "a", part_list([(1, etag)]), query={"uploadId": upload}, payload=signed_for_another)
    assert code(reply) == (400, "XAmzContentSHA256Mismatch")


async def test_namespaces_and_bare_etags_are_accepted(client: Client) -> None:
    upload = await create_multipart(client, "a")
    etag = await put_part(client, "a", upload, 1, b"x")
    document = (
        '<?xml version="1.0"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Part><ETag>{etag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    )
    assert (await client.s3("POST", "a", document.encode(), query={"uploadId": upload})).status_code == 200


async def test_listing_parts_page_by_page(client: Client) -> None:
    upload = await create_multipart(client, "a", x_amz_checksum_algorithm="CRC32")
    bodies = {number: b"%d" % number for number in (1, 2, 3, 10_000)}
    for number, body in bodies.items():
        query = {"partNumber": str(number), "uploadId": upload}
        await client.s3("PUT", "a", body, query=query, headers={"x-amz-checksum-crc32": crc32(body)})
    seen, marker = [], "0"
    while True:
        query = {"uploadId": upload, "max-parts": "3", "part-number-marker": marker}
        reply = await client.s3("GET", "a", query=query)
        found = xml(reply)
        assert (found["ChecksumAlgorithm"], found["ChecksumType"]) == ("CRC32", "COMPOSITE")
        seen += [part.partition("</PartNumber>")[0] for part in reply.text.split("<PartNumber>")[1:]]
        if found["IsTruncated"] == "false":
            break
        marker = found["NextPartNumberMarker"]
    assert [int(number) for number in seen] == list(bodies)
    assert found["ETag"] == f'"{hashlib.md5(b"10000").hexdigest()}"'
    assert (found["Size"], found["ChecksumCRC32"]) == ("5", crc32(b"10000"))


@pytest.mark.parametrize("number", ["0", "10001", "x", "-1", "", "1.5"])
async def test_invalid_part_numbers_are_refused(client: Client, number: str) -> None:
    upload = await create_multipart(client, "a")
    reply = await client.s3("PUT", "a", b"x", query={"partNumber": number, "uploadId": upload})
    assert code(reply) == (400, "InvalidArgument")


async def test_aborted_uploads_are_deleted(client: Client) -> None:
    before = client.incoming()
    upload = await create_multipart(client, "a")
    etag = await put_part(client, "a", upload, 1, b"x")
    assert (await client.s3("DELETE", "a", query={"uploadId": upload})).status_code == 204
    assert client.incoming() == before
    gone = (404, "NoSuchUpload")
    assert code(await client.s3("DELETE", "a", query={"uploadId": upload})) == gone
    assert code(await client.s3("GET", "a", query={"uploadId": upload})) == gone
    assert code(await client.s3("PUT", "a", b"x", query={"partNumber": "1", "uploadId": upload})) == gone
    assert code(await complete(client, "a", upload, [(1, etag)])) == gone


async def multiparts(client: Client, **query: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Listed names and ids, and the other fields."""
    parameters = {"uploads": "", "prefix": client.key("")} | {k.replace("_", "-"): v for k, v in query.items()}
    reply = await client.s3_at("GET", f"/{client.credentials.bucket}", query=parameters)
    assert reply.status_code == 200, reply.text
    root = ElementTree.fromstring(reply.text)
    space = root.tag.partition("}")[0] + "}"
    rows = [
        [row.findtext(f"{space}{field}", "") for field in ("Key", "UploadId")] for row in root.iter(f"{space}Upload")
    ]
    return [(key.removeprefix(client.key("")), upload) for key, upload in rows], xml(reply)


async def test_open_uploads_are_listed_by_key_and_age(client: Client) -> None:
    begun = [(name, await create_multipart(client, name)) for name in ("l/b", "l/a", "l/a", "lb")]
    ordered = [begun[1], begun[2], begun[0]]
    assert (await multiparts(client, prefix=client.key("l/")))[0] == ordered
    first, fields = await multiparts(client, prefix=client.key("l/"), max_uploads="1")
    assert (first, fields["IsTruncated"]) == (ordered[:1], "true")
    rest, fields = await multiparts(
        client,
        prefix=client.key("l/"),
        key_marker=fields["NextKeyMarker"],
        upload_id_marker=fields["NextUploadIdMarker"],
    )
    assert (rest, fields["IsTruncated"]) == (ordered[1:], "false")
    assert (await multiparts(client, prefix=client.key("l/"), key_marker=client.key("l/a")))[0] == ordered[2:]
    assert (await client.s3("DELETE", "l/a", query={"uploadId": ordered[0][1]})).status_code == 204
    assert (await multiparts(client, prefix=client.key("l/a")))[0] == ordered[1:2]


async def test_uploads_of_another_project_are_not_listed(client: Client) -> None:
    query = {"uploads": "", "prefix": "user-1/"}
    assert code(await client.s3_at("GET", f"/{client.credentials.bucket}", query=query)) == (403, "AccessDenied")


async def test_an_upload_belongs_to_its_key(client: Client) -> None:
    upload = await create_multipart(client, "a")
    reply = await client.s3("PUT", "b", b"x", query={"partNumber": "1", "uploadId": upload})
    assert code(reply) == (404, "NoSuchUpload")
    other = await signed_in(client.address, client.http)
    reply = await other.s3("PUT", "", b"x", key=client.key("a"), query={"partNumber": "1", "uploadId": upload})
    assert code(reply) == (403, "AccessDenied")


async def test_damaged_parts_are_refused(client: Client) -> None:
    before = client.incoming()
    upload = await create_multipart(client, "a")
    query, headers = {"partNumber": "1", "uploadId": upload}, {"x-amz-checksum-crc32": crc32(b"right")}
    assert code(await client.s3("PUT", "a", b"wrong", query=query, headers=headers)) == (400, "BadDigest")
    assert "<Part>" not in (await client.s3("GET", "a", query={"uploadId": upload})).text
    assert client.incoming() == before


async def test_composite_checksums(client: Client) -> None:
    upload = await create_multipart(client, "a", x_amz_checksum_algorithm="CRC32")
    query = {"partNumber": "1", "uploadId": upload}
    assert code(await client.s3("PUT", "a", FIRST, query=query)) == (400, "InvalidRequest"), "a part needs its checksum"
    etags, sums = {}, {1: crc32(FIRST), 2: crc32(LAST)}
    for number, body in ((1, FIRST), (2, LAST)):
        query["partNumber"] = str(number)
        reply = await client.s3("PUT", "a", body, query=query, headers={"x-amz-checksum-crc32": sums[number]})
        assert reply.headers["x-amz-checksum-crc32"] == sums[number]
        etags[number] = reply.headers["etag"].strip('"')
    end = {"uploadId": upload}
    reply = await client.s3("POST", "a", part_list(etags.items()), query=end)
    assert code(reply) == (400, "InvalidRequest"), "Complete needs every part's checksum"
    swapped = {1: sums[2], 2: sums[1]}
    reply = await client.s3("POST", "a", part_list(etags.items(), crc32=swapped), query=end)
    assert code(reply) == (400, "InvalidPart")
    reply = await client.s3("POST", "a", part_list(etags.items(), crc32=sums), query=end)
    assert (xml(reply)["ChecksumType"], xml(reply)["ChecksumCRC32"][-2:]) == ("COMPOSITE", "-2")
    head = await client.s3("HEAD", "a", headers={"x-amz-checksum-mode": "enabled"})
    assert head.headers["x-amz-checksum-crc32"] == xml(reply)["ChecksumCRC32"]


async def test_full_object_checksums(client: Client) -> None:
    kind = {"x_amz_checksum_algorithm": "CRC32", "x_amz_checksum_type": "FULL_OBJECT"}
    upload = await create_multipart(client, "a", **kind)
    document, query = part_list(await upload_parts(client, "a", upload)), {"uploadId": upload}
    headers = {"x-amz-checksum-crc32": crc32(b"other")}
    assert code(await client.s3("POST", "a", document, query=query, headers=headers)) == (400, "BadDigest")
    headers = {"x-amz-mp-object-size": "1"}
    assert code(await client.s3("POST", "a", document, query=query, headers=headers)) == (400, "InvalidRequest")
    headers = {"x-amz-checksum-crc32": crc32(WHOLE), "x-amz-mp-object-size": str(len(WHOLE))}
    reply = await client.s3("POST", "a", document, query=query, headers=headers)
    assert (xml(reply)["ChecksumType"], xml(reply)["ChecksumCRC32"]) == ("FULL_OBJECT", crc32(WHOLE))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-amz-checksum-algorithm": "CRC64NVME"}, (501, "NotImplemented")),
        ({"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT"}, (400, "InvalidRequest")),
        ({"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "HALF"}, (400, "InvalidRequest")),
    ],
)
async def test_other_checksums_are_refused(client: Client, headers: dict[str, str], expected: tuple[int, str]) -> None:
    assert code(await client.s3("POST", "a", query={"uploads": ""}, headers=headers)) == expected


ABSENT_ONLY = {"if-none-match": "*"}


async def complete_if_absent(client: Client, name: str, upload: str, etag: str) -> httpx.Response:
    document = part_list([(1, etag)])
    return await client.s3("POST", name, document, query={"uploadId": upload}, headers=ABSENT_ONLY)


async def test_an_object_can_be_required_to_be_new(client: Client) -> None:
    await client.s3("PUT", "a", b"old")
    upload = await create_multipart(client, "a")
    etag = await put_part(client, "a", upload, 1, b"new")
    assert code(await complete_if_absent(client, "a", upload, etag)) == (412, "PreconditionFailed")
    assert client.path("a").read_bytes() == b"old"
    wrong = {"if-none-match": f'"{etag}"'}
    reply = await client.s3("POST", "a", part_list([(1, etag)]), query={"uploadId": upload}, headers=wrong)
    assert code(reply) == (501, "NotImplemented")
    assert (await complete(client, "a", upload, [(1, etag)])).status_code == 200, "without the condition it overwrites"
    assert client.path("a").read_bytes() == b"new"


async def test_of_many_that_require_a_new_object_one_wins(client: Client) -> None:
    """Multipart uploads and PUTs to one key; an upload that lost stays open and can be aborted."""
    before = client.incoming()
    bodies = [b"%d" % number for number in range(6)]
    uploads = [await create_multipart(client, "same") for _ in bodies]
    etags = [await put_part(client, "same", upload, 1, body) for upload, body in zip(uploads, bodies, strict=True)]
    replies = await asyncio.gather(
        *(complete_if_absent(client, "same", upload, etag) for upload, etag in zip(uploads, etags, strict=True)),
        *(client.s3("PUT", "same", b"put" + body, headers=ABSENT_ONLY) for body in bodies),
    )
    (winner,) = [number for number, reply in enumerate(replies) if reply.status_code == 200]
    assert {code(reply) for number, reply in enumerate(replies) if number != winner} == {(412, "PreconditionFailed")}
    assert client.path("same").read_bytes() == [*bodies, *(b"put" + body for body in bodies)][winner]
    for number, upload in enumerate(uploads):
        reply = await client.s3("DELETE", "same", query={"uploadId": upload})
        assert reply.status_code == (404 if number == winner else 204)
    assert client.incoming() == before


async def test_completing_twice_at_once(client: Client) -> None:
    upload = await create_multipart(client, "a")
    parts = await upload_parts(client, "a", upload)
    replies = await asyncio.gather(*(complete(client, "a", upload, parts) for _ in range(4)))
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {404, 409}
    assert client.path("a").read_bytes() == WHOLE

"""Whole objects are stored byte for byte, and nothing else is."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest

from tests.local_cloud.clouds import (
    MIB,
    NO_CA,
    Client,
    a_cloud,
    aws_chunked,
    code,
    crc32,
    create_multipart,
    fresh_credentials,
    raw,
    signed_in,
    xml,
)
from tui_uploader.local_cloud.options import LocalCloudOptions

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = random.Random(17).randbytes(3 * MIB + 17)


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "folder/inner/a.jpg",
        "with space + plus.jpg",
        "100%25 #1?&=.jpg",
        "\u00e4 composed.jpg",
        "a\u0308 decomposed.jpg",
        "日本語.jpg",
        "a'b(c)!*.jpg",
        "line\nbreak\x1b[31m.jpg",
        "x" * 255,
        "ü" * 127 + "x",
    ],
)
async def test_names_and_bytes_are_kept(client: Client, name: str) -> None:
    reply = await client.s3("PUT", name, BODY)
    assert reply.status_code == 200, reply.text
    assert reply.headers["etag"] == f'"{hashlib.md5(BODY).hexdigest()}"'
    assert client.path(name).read_bytes() == BODY
    back = await client.s3("GET", name)
    assert back.content == BODY


async def test_a_new_object_replaces_the_old_one(client: Client) -> None:
    for body in (b"old and long", b"new", b""):
        assert (await client.s3("PUT", "a", body)).status_code == 200
        assert client.path("a").read_bytes() == body
        assert (await client.s3("GET", "a")).content == body
    assert client.incoming() == set()


async def test_head_returns_the_headers_of_put(client: Client) -> None:
    headers = {
        "content-type": "image/jpeg",
        "x-amz-meta-mtime": "1.5",
        "content-encoding": "aws-chunked,gzip",
        "x-amz-acl": "bucket-owner-full-control",
        "x-amz-checksum-crc32": crc32(b"abc"),
    }
    assert (await client.s3("PUT", "a", b"abc", headers=headers)).headers["x-amz-checksum-crc32"] == crc32(b"abc")
    head = await client.s3("HEAD", "a")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "3", b"")
    kept = {name: head.headers[name] for name in ("content-type", "x-amz-meta-mtime", "content-encoding")}
    assert kept == {"content-type": "image/jpeg", "x-amz-meta-mtime": "1.5", "content-encoding": "gzip"}
    assert "x-amz-checksum-crc32" not in head.headers, "S3 returns it only on request"
    head = await client.s3("HEAD", "a", headers={"x-amz-checksum-mode": "ENABLED"})
    assert (head.headers["x-amz-checksum-crc32"], head.headers["x-amz-checksum-type"]) == (crc32(b"abc"), "FULL_OBJECT")


async def test_missing_objects(client: Client) -> None:
    assert (await client.s3("HEAD", "nothing")).status_code == 404
    assert code(await client.s3("GET", "nothing")) == (404, "NoSuchKey")
    await client.s3("PUT", "removed", b"abc")
    client.path("removed").unlink()
    assert (await client.s3("HEAD", "removed")).status_code == 404
    await client.s3("PUT", "cut", b"abc")
    client.path("cut").write_bytes(b"a")
    assert (await client.s3("HEAD", "cut")).status_code == 404, "HEAD does not confirm missing bytes"


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=5-9", 206, 5, 10),
        ("bytes=1000000-", 206, 1000000, len(BODY)),
        ("bytes=-17", 206, len(BODY) - 17, len(BODY)),
        ("bytes=-99999999", 206, 0, len(BODY)),
        ("bytes=10-99999999", 206, 10, len(BODY)),
        ("bytes=9-5", 200, 0, len(BODY)),
        ("bytes=0-1,3-4", 200, 0, len(BODY)),
        ("lines=1-2", 200, 0, len(BODY)),
        ("bytes=-", 200, 0, len(BODY)),
    ],
)
async def test_ranges(client: Client, asked: str, status: int, start: int, end: int) -> None:
    await client.s3("PUT", "a", BODY)
    reply = await client.s3("GET", "a", headers={"range": asked})
    assert (reply.status_code, reply.content) == (status, BODY[start:end])
    assert reply.headers.get("content-range") == (f"bytes {start}-{end - 1}/{len(BODY)}" if status == 206 else None)


async def test_a_range_is_returned_without_the_checksum_of_the_object(client: Client) -> None:
    await client.s3("PUT", "a", BODY, headers={"x-amz-checksum-crc32": crc32(BODY)})
    asking = {"x-amz-checksum-mode": "ENABLED"}
    assert (await client.s3("GET", "a", headers=asking)).headers["x-amz-checksum-crc32"] == crc32(BODY)
    assert "x-amz-checksum-crc32" not in (await client.s3("GET", "a", headers=asking | {"range": "bytes=0-1"})).headers


@pytest.mark.parametrize("asked", [f"bytes={len(BODY)}-", "bytes=99999999-99999999", "bytes=-0"])
async def test_ranges_beyond_the_end_are_refused(client: Client, asked: str) -> None:
    await client.s3("PUT", "a", BODY)
    assert code(await client.s3("GET", "a", headers={"range": asked})) == (416, "InvalidRange")


async def test_conditions(client: Client) -> None:
    etag = (await client.s3("PUT", "a", b"abc")).headers["etag"]
    for method in ("GET", "HEAD"):
        assert (await client.s3(method, "a", headers={"if-none-match": etag})).status_code == 304
        assert (await client.s3(method, "a", headers={"if-none-match": '"other"'})).status_code == 200
        assert (await client.s3(method, "a", headers={"if-match": etag})).status_code == 200
        assert (await client.s3(method, "a", headers={"if-match": '"other"'})).status_code == 412


ABSENT_ONLY = {"if-none-match": "*"}


async def test_an_object_can_be_required_to_be_new(client: Client) -> None:
    assert (await client.s3("PUT", "a", b"old", headers=ABSENT_ONLY)).status_code == 200
    for body in (b"new", b"old"):
        assert code(await client.s3("PUT", "a", body, headers=ABSENT_ONLY)) == (412, "PreconditionFailed")
    assert client.path("a").read_bytes() == b"old"
    assert client.incoming() == set()
    assert (await client.s3("PUT", "a", b"new")).status_code == 200, "without the condition it overwrites"
    assert client.path("a").read_bytes() == b"new"
    client.path("a").unlink()
    assert (await client.s3("PUT", "a", b"again", headers=ABSENT_ONLY)).status_code == 200


@pytest.mark.parametrize(
    "condition",
    [
        {"if-none-match": '"900150983cd24fb0d6963f7d28e17f72"'},
        {"if-none-match": ""},
        {"if-none-match": "*, *"},
        {"if-none-match": "*", "if-match": "*"},
        {"if-match": "*"},
    ],
)
async def test_other_conditional_writes_are_refused(client: Client, condition: dict[str, str]) -> None:
    assert code(await client.s3("PUT", "a", b"x", headers=condition)) == (501, "NotImplemented")
    assert not client.path("a").exists()


async def test_of_many_that_require_a_new_object_one_wins(client: Client) -> None:
    bodies = [bytes([number]) * 300_000 for number in range(12)]
    replies = await asyncio.gather(*(client.s3("PUT", "same", body, headers=ABSENT_ONLY) for body in bodies))
    (winner,) = [number for number, reply in enumerate(replies) if reply.status_code == 200]
    assert {code(reply) for number, reply in enumerate(replies) if number != winner} == {(412, "PreconditionFailed")}
    assert client.path("same").read_bytes() == bodies[winner]
    assert client.incoming() == set()


MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


@pytest.mark.parametrize(
    ("headers", "payload", "word"),
    [
        ({"content-md5": MD5}, None, "BadDigest"),
        ({"x-amz-checksum-crc32": crc32(BODY)}, "UNSIGNED-PAYLOAD", "BadDigest"),
        ({"x-amz-checksum-sha256": SHA256}, "UNSIGNED-PAYLOAD", "BadDigest"),
        ({}, hashlib.sha256(BODY).hexdigest(), "XAmzContentSHA256Mismatch"),
    ],
)
async def test_damaged_bytes_are_refused(
    client: Client, headers: dict[str, str], payload: str | None, word: str
) -> None:
    wrong = BODY[:-1] + bytes([BODY[-1] ^ 1])
    assert code(await client.s3("PUT", "a", wrong, headers=headers, payload=payload)) == (400, word)
    assert not client.path("a").exists()
    assert client.incoming() == set()
    assert (await client.s3("PUT", "a", BODY, headers=headers, payload=payload)).status_code == 200
    assert client.path("a").read_bytes() == BODY


async def put_chunked(client: Client, body: bytes, trailer: dict[str, str], length: int = len(BODY)) -> httpx.Response:
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(length),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    coded = aws_chunked([body[:MIB], body[MIB:]], trailer)
    return await client.s3("PUT", "a", coded, headers=headers, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")


async def test_a_streamed_payload_with_a_trailer(client: Client) -> None:
    reply = await put_chunked(client, BODY, {"x-amz-checksum-crc32": crc32(BODY)})
    assert (reply.status_code, reply.headers["x-amz-checksum-crc32"]) == (200, crc32(BODY))
    assert client.path("a").read_bytes() == BODY
    assert "content-encoding" not in (await client.s3("HEAD", "a")).headers


async def test_a_streamed_payload_with_a_wrong_trailer_or_length_is_refused(client: Client) -> None:
    trailer = {"x-amz-checksum-crc32": crc32(BODY)}
    assert code(await put_chunked(client, BODY[:-1] + b"!", trailer)) == (400, "BadDigest")
    assert code(await put_chunked(client, BODY, trailer, len(BODY) + 1)) == (400, "IncompleteBody")
    assert code(await put_chunked(client, BODY, trailer, len(BODY) - 1)) == (400, "IncompleteBody")
    assert code(await put_chunked(client, BODY, {})) == (400, "InvalidRequest")
    assert not client.path("a").exists()


async def test_many_at_once(client: Client) -> None:
    bodies = {f"{number}/{number % 7}.jpg": os.urandom(200_000 + number) for number in range(40)}
    replies = await asyncio.gather(*(client.s3("PUT", name, body) for name, body in bodies.items()))
    assert {reply.status_code for reply in replies} == {200}
    assert all(client.path(name).read_bytes() == body for name, body in bodies.items())


async def test_of_many_puts_to_one_key_one_is_stored_whole(client: Client) -> None:
    bodies = [bytes([number]) * 300_000 for number in range(12)]
    await asyncio.gather(*(client.s3("PUT", "same", body) for body in bodies))
    stored = client.path("same").read_bytes()
    assert stored in bodies
    assert (await client.s3("HEAD", "same")).headers["etag"] == f'"{hashlib.md5(stored).hexdigest()}"'


async def test_a_key_cannot_be_the_folder_of_another(client: Client) -> None:
    await client.s3("PUT", "a", b"file")
    assert code(await client.s3("PUT", "a/b", b"x")) == (400, "InvalidRequest")
    await client.s3("PUT", "c/d", b"file")
    assert code(await client.s3("PUT", "c", b"x")) == (400, "InvalidRequest")
    assert (await client.s3("HEAD", "a/b")).status_code == 404
    assert client.path("a").read_bytes() == b"file"


# ------------------------------------------------------------------------------------------------ who may do what


async def test_credentials_of_one_project_are_refused_in_another(client: Client) -> None:
    other = await signed_in(client.address, client.http)
    await other.s3("PUT", "a", b"theirs")
    for method in ("PUT", "GET", "HEAD"):
        reply = await client.s3(method, "", b"", key=other.key("a"))
        assert reply.status_code == 403
    near = f"{client.credentials.key}0/a"  # begins like the prefix, and is another project's
    assert code(await client.s3("PUT", "", b"x", key=near)) == (403, "AccessDenied")
    assert code(await client.s3("PUT", "", b"x", key=client.credentials.key)) == (403, "AccessDenied")
    assert other.path("a").read_bytes() == b"theirs"


async def test_operations_that_no_credentials_allow(client: Client) -> None:
    await client.s3("PUT", "a", b"abc")
    assert code(await client.s3("DELETE", "a")) == (403, "AccessDenied")
    assert code(await client.s3("GET", "a", query={"acl": ""})) == (403, "AccessDenied")
    assert code(await client.s3("PUT", "a", query={"tagging": ""})) == (403, "AccessDenied")
    bucket = f"/{client.credentials.bucket}"
    assert (await client.s3_at("HEAD", bucket)).status_code == 403
    assert code(await client.s3_at("PUT", bucket)) == (403, "AccessDenied")
    assert code(await client.s3_at("GET", bucket, query={"location": ""})) == (403, "AccessDenied")
    assert code(await client.s3_at("GET", "/")) == (403, "AccessDenied")
    assert code(await client.s3_at("GET", "/another-bucket/x")) == (404, "NoSuchBucket")
    assert client.path("a").read_bytes() == b"abc"


async def test_copies_are_refused(client: Client) -> None:
    headers = {"x-amz-copy-source": f"{client.credentials.bucket}/{client.key('a')}"}
    assert code(await client.s3("PUT", "b", headers=headers)) == (501, "NotImplemented")
    query = {"uploadId": await create_multipart(client, "b"), "partNumber": "1"}
    assert code(await client.s3("PUT", "b", headers=headers, query=query)) == (501, "NotImplemented")


async def test_altered_credentials_are_refused(client: Client) -> None:
    good = client.credentials
    other = await fresh_credentials(client.http, client.project)
    for credentials, expected in (
        (replace(good, secret_key=good.secret_key + "x"), (403, "SignatureDoesNotMatch")),
        (replace(good, access_key="ASIAUNKNOWN"), (403, "InvalidAccessKeyId")),
        (replace(good, session_token=other.session_token), (403, "InvalidAccessKeyId")),
        (replace(good, session_token=good.session_token[:-4]), (400, "InvalidToken")),
        (replace(good, session_token="nonsense"), (400, "InvalidToken")),
        (replace(good, session_token=client.http.headers["authorization"][7:]), (400, "InvalidToken")),
        (replace(good, session_token=""), (403, "InvalidAccessKeyId")),
    ):
        stranger = replace(client, credentials=credentials)
        assert code(await stranger.s3("PUT", "a", b"x")) == expected
    assert not client.path("a").exists()


async def test_expired_credentials(tmp_path: Path) -> None:
    async with a_cloud(LocalCloudOptions(tmp_path, credentials_lifetime=0)) as late:
        assert code(await late.s3("PUT", "a", b"x")) == (400, "ExpiredToken")
        assert not late.path("a").exists()


async def test_a_request_without_signature_is_refused(client: Client) -> None:
    url = f"{client.address.url}/{client.credentials.bucket}/{client.key('a')}"
    async with httpx.AsyncClient(verify=NO_CA) as unsigned:
        assert code(await unsigned.get(url)) == (403, "AccessDenied")


async def test_any_region_is_accepted(client: Client) -> None:
    assert (await replace(client, region="us-east-1").s3("PUT", "a", b"x")).status_code == 200


@pytest.mark.parametrize("key", ["../x", "a/../../../../x", "/etc/passwd", "a//b", "a/", ".", "a\0b"])
async def test_keys_cannot_leave_the_folder(client: Client, key: str) -> None:
    reply = await raw_put(client, f"/{client.credentials.bucket}/{client.key('')}".encode() + _quoted(key))
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>InvalidArgument</Code>" in reply


async def test_keys_that_are_too_long(client: Client) -> None:
    assert code(await client.s3("PUT", "x" * 256, b"x")) == (400, "KeyTooLongError")
    assert code(await client.s3("PUT", "/".join(["x" * 200] * 6), b"x")) == (400, "KeyTooLongError")


def _quoted(key: str) -> bytes:
    """Send the path byte for byte, so that no library normalises it."""
    return "".join(f"%{byte:02X}" for byte in key.encode()).encode()


async def raw_put(client: Client, target: bytes) -> bytes:
    signed_as = quote(unquote(target.decode()), safe="/~")
    headers = client.signed("PUT", client.address.url + signed_as, b"x", {})
    lines = [f"{name}: {text}" for name, text in headers.items()]
    host = client.address.url.removeprefix("http://")
    head = "\r\n".join(
        [f"PUT {target.decode()} HTTP/1.1", f"Host: {host}", *lines, "Content-Length: 1", "Connection: close"]
    )
    return await raw(client.address, head.encode() + b"\r\n\r\nx")


# ------------------------------------------------------------------------------------------------------ 100-continue


async def converse(client: Client, name: str, body: bytes, headers: dict[str, str]) -> tuple[bytes, bytes]:
    """The reply before the body is sent, and, after 100 Continue, the reply to the body."""
    url = f"{client.address.url}/{client.credentials.bucket}/{client.key(name)}"
    signed = client.signed("PUT", url, body, headers)
    host = client.address.url.removeprefix("http://")
    lines = [f"PUT {url.partition(host)[2]} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{key}: {text}" for key, text in signed.items()]
    reader, writer = await asyncio.open_connection(*host.split(":"))
    async with asyncio.timeout(10):
        writer.write("\r\n".join([*lines, "Expect: 100-continue", "", ""]).encode())
        first = await reader.readuntil(b"\r\n\r\n")
        if not first.startswith(b"HTTP/1.1 100 "):
            rest = await reader.read()
            writer.close()
            return first, rest
        writer.write(body)
        second = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return first, second


async def test_100_continue_precedes_the_body(client: Client) -> None:
    first, second = await converse(client, "a", b"abc", {})
    assert first.startswith(b"HTTP/1.1 100 Continue")
    assert second.startswith(b"HTTP/1.1 200 OK")
    assert client.path("a").read_bytes() == b"abc"


async def test_a_refused_request_gets_no_100_continue(client: Client) -> None:
    stranger = replace(client, credentials=replace(client.credentials, secret_key="wrong"))
    first, rest = await converse(stranger, "a", b"abc", {})
    assert first.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close" in first.lower()
    assert b"SignatureDoesNotMatch" in rest


async def test_a_refusal_reaches_a_client_that_keeps_sending(client: Client) -> None:
    stranger = replace(client, credentials=replace(client.credentials, secret_key="wrong"))
    assert code(await stranger.s3("PUT", "a", b"x" * 20 * MIB)) == (403, "SignatureDoesNotMatch")
    assert (await client.s3("PUT", "a", b"x")).status_code == 200


async def test_every_reply_has_a_date_and_an_id(client: Client) -> None:
    for reply in (await client.s3("PUT", "a", b"x"), await client.s3("GET", "nothing")):
        assert reply.headers["date"].endswith(" GMT")
        assert len(reply.headers["x-amz-request-id"]) == 16
    error = xml(reply)
    assert error["RequestId"] == reply.headers["x-amz-request-id"]
    assert error["Resource"].endswith("/nothing")

"""Malformed and hostile requests are refused cleanly, and the server keeps working."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local_cloud.clouds import Client, raw

pytestmark = pytest.mark.asyncio(loop_scope="module")


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


async def still_works(client: Client) -> bool:
    return (await client.s3("PUT", "a", b"x")).status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 60_000,
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET http://elsewhere/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /b/k?%zz=%00&=&& HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n",
        b"GET /b/k HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 \xff\xfe\r\nConnection: close\r\n\r\n",
        b"GET /b/k HTTP/1.1\r\nHost: x\r\nX-Amz-Date: x\r\nAuthorization: "
        + b"," * 9000
        + b"\r\nConnection: close\r\n\r\n",
        b"POST /oauth2/token/ HTTP/1.1\r\nHost: [\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /project/api/v3/projects/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n",
        b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    ],
)
async def test_malformed_request_is_refused(client: Client, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    reply = await raw(client.address, request_)
    assert 400 <= status(reply) < 500, reply
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert await still_works(client)


async def test_a_truncated_body_leaves_nothing(client: Client) -> None:
    url = f"{client.address.url}/{client.credentials.bucket}/{client.key('broken')}"
    host = client.address.url.removeprefix("http://")
    lines = [f"{name}: {text}" for name, text in client.signed("PUT", url, b"", {}, "UNSIGNED-PAYLOAD").items()]
    for framing, body in (
        ("Content-Length: 1000000", b"x" * 300_000),
        ("Transfer-Encoding: chunked", b"zz\r\n"),
    ):
        head = "\r\n".join([f"PUT {url.partition(host)[2]} HTTP/1.1", f"Host: {host}", framing, *lines, "", ""])
        reply = await send_truncated(client, head.encode() + body)
        assert reply == b"" or 400 <= status(reply) <= 501
    assert await still_works(client)
    assert client.incoming() == set()
    assert not client.path("broken").exists()


async def send_truncated(client: Client, sent: bytes) -> bytes:
    """Send bytes and EOF, and read the reply."""
    host, _, port = client.address.url.rpartition("//")[2].rpartition(":")
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        writer.write_eof()
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (411, "MissingContentLength")),
        ({"transfer-encoding": "chunked"}, (501, "NotImplemented")),
        ({"content-length": str(6 * 1024**3)}, (400, "EntityTooLarge")),
    ],
)
async def test_bodies_of_unknown_or_excessive_length(
    client: Client, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    url = f"{client.address.url}/{client.credentials.bucket}/{client.key('a')}"
    host = client.address.url.removeprefix("http://")
    signed = client.signed("PUT", url, b"", {}, "UNSIGNED-PAYLOAD") | headers
    lines = [f"{name}: {text}" for name, text in signed.items()]
    head = "\r\n".join(
        [f"PUT {url.partition(host)[2]} HTTP/1.1", f"Host: {host}", "Expect: 100-continue", *lines, "", ""]
    )
    reply = await raw(client.address, head.encode())
    assert (status(reply), f"<Code>{expected[1]}</Code>".encode() in reply) == (expected[0], True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE"]),
    query=st.dictionaries(
        st.sampled_from(["uploadId", "partNumber", "uploads", "max-parts", "max-keys", "prefix", "x"]),
        st.text(st.characters(codec="utf-8"), max_size=8),
    ),
    body=st.binary(max_size=30),
    headers=st.dictionaries(
        st.sampled_from(["range", "content-md5", "x-amz-checksum-crc32", "x-amz-trailer", "if-match", "x-amz-acl"]),
        st.text('abc=-0123456789,*"', max_size=8),
    ),
)
async def test_any_signed_request_gets_a_reply(
    client: Client, method: str, query: dict[str, str], body: bytes, headers: dict[str, str]
) -> None:
    reply = await client.s3(method, "odd", body, query=query, headers=headers)
    assert reply.status_code < 500 or reply.status_code == 501, reply.text

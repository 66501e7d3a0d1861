"""Faults as clients see them, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.local_cloud.clouds import MIB, Client, a_cloud, code, complete, create_multipart, put_part, xml
from tests.local_cloud.root_reader import registered_images, starts, traffic_counts
from tests.until import until
from tui_uploader.local_cloud.options import Checksums, LocalCloudOptions


@asynccontextmanager
async def with_faults(root: Path, *faults: str) -> AsyncIterator[Client]:
    async with a_cloud(LocalCloudOptions(root, faults=faults)) as client:
        yield client


async def test_drop_aborts_the_connection_and_has_no_effect(tmp_path: Path) -> None:
    async with with_faults(tmp_path, "drop:route=put,bytes=100000") as client:
        with pytest.raises(httpx.TransportError):
            await client.s3("PUT", "a", b"x" * 3 * MIB)
        assert not client.path("a").exists()
        assert (await client.s3("PUT", "a", b"x" * 3 * MIB)).status_code == 200
        assert list((tmp_path / "incoming").iterdir()) == []


async def test_drop_hits_requests_without_a_body_too(tmp_path: Path) -> None:
    async with with_faults(tmp_path, "drop:route=credentials,after=1") as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.rest("GET", "s3_credentials/")
        assert (await client.rest("GET", "s3_credentials/")).status_code == 200


async def test_a_lost_reply_takes_effect(tmp_path: Path) -> None:
    async with with_faults(tmp_path, "lost_reply:route=put", "lost_reply:route=start") as client:
        with pytest.raises(httpx.TransportError):
            await client.s3("PUT", "a", b"abc")
        assert client.path("a").read_bytes() == b"abc"
        await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": [client.key("a")]})
        with pytest.raises(httpx.TransportError):
            await client.rest("POST", "start_processing/")
        assert starts(tmp_path, client.project) == 1


async def test_a_flip_damages_one_bit_and_a_store_without_checksums_keeps_it(tmp_path: Path) -> None:
    body = b"x" * 3 * MIB
    md5 = {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    crc32 = {"x-amz-checksum-crc32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()}
    for kind, headers, kept in [
        (Checksums.CRC32, crc32, False),
        (Checksums.CRC32, md5, False),
        (Checksums.CONTENT_MD5, crc32, True),
        (Checksums.CONTENT_MD5, md5, False),
        (Checksums.ETAG, crc32 | md5, True),
        (Checksums.NONE, crc32 | md5, True),
    ]:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        options = LocalCloudOptions(root, faults=("flip:route=put,bytes=1500000",), checksums=kind)
        async with a_cloud(options) as client:
            reply = await client.s3("PUT", "a", body, headers=headers, payload="UNSIGNED-PAYLOAD")
            assert (reply.status_code == 200) is kept, (kind, headers)
            if not kept:
                assert code(reply) == (400, "BadDigest")
                continue
            stored = client.path("a").read_bytes()
            assert [at for at, byte in enumerate(stored) if byte != ord("x")] == [1_500_000]
            assert "x-amz-checksum-crc32" not in reply.headers
            etag = reply.headers["etag"].strip('"')
            assert (etag == hashlib.md5(stored).hexdigest()) is (kind is not Checksums.NONE) and len(etag) == 32


@pytest.mark.parametrize("at", ["", ",bytes=70000"])
async def test_a_stall_passes(tmp_path: Path, at: str) -> None:
    async with with_faults(tmp_path, f"stall:route=put,seconds=0.3{at}") as client:
        began = asyncio.get_running_loop().time()
        assert (await client.s3("PUT", "a", b"x" * MIB)).status_code == 200
        assert asyncio.get_running_loop().time() - began > 0.29
        assert client.path("a").stat().st_size == MIB


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        ("error500", 500, "InternalError"),
        ("slowdown503", 503, "SlowDown"),
        ("busy429:times=1,seconds=7", 429, "SlowDown"),
        ("forbidden403", 403, "AccessDenied"),
        ("expired_token:times=1,bytes=65536", 400, "ExpiredToken"),
        ("time_skewed", 403, "RequestTimeTooSkewed"),
    ],
)
async def test_s3_refusals(tmp_path: Path, fault: str, status: int, word: str) -> None:
    name, _, rest = fault.partition(":")
    async with with_faults(tmp_path, f"{name}:route=put,{rest}") as client:
        reply = await client.s3("PUT", "a", b"x" * MIB)
        assert code(reply) == (status, word)
        assert "date" in reply.headers
        assert reply.headers.get("retry-after") == ("7" if name == "busy429" else None)
        assert not client.path("a").exists()
        assert (await client.s3("PUT", "a", b"x" * MIB)).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("error500", 500),
        ("slowdown503", 503),
        ("busy429", 429),
        ("forbidden403", 403),
        ("expired_token", 401),
        ("time_skewed", 401),
    ],
)
async def test_rest_refusals(tmp_path: Path, fault: str, status: int) -> None:
    async with with_faults(tmp_path, f"{fault}:route=register") as client:
        await client.s3("PUT", "a", b"x")
        keys = {"input_file_keys": [client.key("a")]}
        reply = await client.rest("POST", "inputs/bulk_register/", keys)
        assert (reply.status_code, list(reply.json())) == (status, ["detail"])
        assert ("retry-after" in reply.headers) == (status == 429)
        assert registered_images(tmp_path, client.project) == []
        assert (await client.rest("POST", "inputs/bulk_register/", keys)).status_code == 200


async def test_a_gateways_page(tmp_path: Path) -> None:
    async with with_faults(tmp_path, "error502html:route=put", "error502html:route=credentials,after=1") as client:
        for reply in (await client.s3("PUT", "a", b"x"), await client.rest("GET", "s3_credentials/")):
            assert reply.status_code == 502
            assert reply.headers["content-type"].startswith("text/html")


async def test_complete_fails_with_200(tmp_path: Path) -> None:
    async with with_faults(tmp_path, "complete200error") as client:
        upload = await create_multipart(client, "a")
        etag = await put_part(client, "a", upload, 1, b"abc")
        reply = await complete(client, "a", upload, [(1, etag)])
        assert (reply.status_code, xml(reply)["Code"]) == (200, "InternalError")
        assert not client.path("a").exists()
        reply = await complete(client, "a", upload, [(1, etag)])
        assert "ETag" in xml(reply)
        assert client.path("a").read_bytes() == b"abc"


async def test_a_stop_does_not_wait_for_a_stall(tmp_path: Path) -> None:
    async with with_faults(tmp_path, "stall:route=put,seconds=600") as client:
        sent = asyncio.create_task(client.s3("PUT", "a", b"x"))
        await until(lambda: traffic_counts(tmp_path).faults == 1)
        stopped = client
    with pytest.raises(httpx.TransportError):
        await sent
    assert not stopped.path("a").exists()

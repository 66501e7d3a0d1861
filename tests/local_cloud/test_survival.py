"""A server process is killed while it works, and the next one continues without a loss."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.local_cloud.clouds import (
    MIB,
    NO_CA,
    PROJECTS,
    Client,
    code,
    complete,
    create_multipart,
    fresh_credentials,
    put_part,
    signed_in,
)
from tests.local_cloud.root_reader import registered_images, starts
from tests.local_cloud.test_server import process
from tests.until import until
from tui_uploader.local_cloud.options import LocalCloudAddress

BODY = os.urandom(6 * MIB)


@asynccontextmanager
async def served(root: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, LocalCloudAddress, httpx.AsyncClient]]:
    async with process(root) as (server, line):
        address = LocalCloudAddress(line["url"], line["client_id"], line["client_secret"], root)
        async with httpx.AsyncClient(base_url=address.url, verify=NO_CA, timeout=20) as http:
            yield server, address, http


async def killed(server: asyncio.subprocess.Process) -> None:
    server.send_signal(signal.SIGKILL)
    await server.wait()


async def slow_body(resume: asyncio.Event) -> AsyncIterator[bytes]:
    """Most of a body, and the rest after `resume`."""
    yield BODY[: 5 * MIB]
    await resume.wait()
    yield BODY[5 * MIB :]


async def killed_at_half(server: asyncio.subprocess.Process, client: Client, url: str) -> None:
    """Kill the server when it has received most of a body, but not all."""
    headers = client.signed("PUT", url, b"", {}, "UNSIGNED-PAYLOAD") | {"content-length": str(len(BODY))}
    resume = asyncio.Event()
    before = client.incoming()
    sending = asyncio.create_task(client.http.put(url, content=slow_body(resume), headers=headers))
    await until(
        lambda: any(
            (client.address.root / "incoming" / name).stat().st_size > 2 * MIB for name in client.incoming() - before
        )
    )
    await killed(server)
    resume.set()
    with pytest.raises(httpx.TransportError):
        await sending


async def test_killed_during_a_put(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, address, http):
        client = await signed_in(address, http)
        assert (await client.s3("PUT", "done", BODY)).status_code == 200
        assert (await client.s3("PUT", "half", b"earlier content")).status_code == 200
        await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": [client.key("done")]})
        await client.rest("POST", "start_processing/")
        await killed_at_half(server, client, f"{address.url}/{client.credentials.bucket}/{client.key('half')}")
    async with served(tmp_path) as (_, address, http):
        again = await signed_in(address, http)
        assert again.incoming() == set(), "unfinished bodies are deleted"
        assert (client.path("half").read_bytes(), client.path("done").read_bytes()) == (b"earlier content", BODY)
        project = (await http.get(f"{PROJECTS}{client.project}/")).json()
        assert (project["name"], project["public_status"]) == ("A field", "WAITING")
        assert registered_images(tmp_path, client.project) == [client.key("done")]
        assert starts(tmp_path, client.project) == 1
        assert again.project == client.project + 1
        later = Client(address, http, client.project, await fresh_credentials(http, client.project))
        assert (await later.s3("GET", "done")).content == BODY


async def test_killed_during_a_multipart_upload(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, address, http):
        client = await signed_in(address, http)
        upload = await create_multipart(client, "big", content_type="image/tiff")
        first = await put_part(client, "big", upload, 1, BODY)
        target = f"{address.url}/{client.credentials.bucket}/{client.key('big')}"
        await killed_at_half(server, client, f"{target}?partNumber=2&uploadId={upload}")
    async with served(tmp_path) as (_, address, http):
        await signed_in(address, http)
        # The earlier credentials still work: they are verified, not stored.
        again = Client(address, http, client.project, client.credentials)
        listed = await again.s3("GET", "big", query={"uploadId": upload})
        assert listed.text.count("<PartNumber>") == 1
        assert first in listed.text
        assert len(again.incoming()) == 1
        last = await put_part(again, "big", upload, 2, b"the end")
        assert (await complete(again, "big", upload, [(1, first), (2, last)])).status_code == 200
        assert again.path("big").read_bytes() == BODY + b"the end"
        assert (await again.s3("HEAD", "big")).headers["content-type"] == "image/tiff"
        assert code(await again.s3("GET", "big", query={"uploadId": upload})) == (404, "NoSuchUpload")


async def test_killed_while_it_receives_many_objects(tmp_path: Path) -> None:
    """Every acknowledged object is there, and every object there is whole."""
    bodies = {f"{number}.jpg": bytes([number]) * (200_000 + number) for number in range(120)}
    acknowledged: set[str] = set()

    async with served(tmp_path) as (server, address, http):
        client = await signed_in(address, http)

        async def send(name: str) -> None:
            try:
                reply = await client.s3("PUT", name, bodies[name])
            except httpx.TransportError:
                return
            assert reply.status_code == 200
            acknowledged.add(name)

        sending = asyncio.gather(*(send(name) for name in bodies))
        await until(lambda: len(acknowledged) >= 20)
        await killed(server)
        await sending
    assert len(acknowledged) < len(bodies), "the server was killed too late to prove anything"
    async with served(tmp_path) as (_, address, http):
        await signed_in(address, http)
        assert client.incoming() == set()
        there = {path.name for path in client.path("").iterdir()}
        assert acknowledged <= there
        again = Client(address, http, client.project, client.credentials)
        for name in there:
            assert client.path(name).read_bytes() == bodies[name]
            assert (await again.s3("HEAD", name)).headers["content-length"] == str(len(bodies[name]))

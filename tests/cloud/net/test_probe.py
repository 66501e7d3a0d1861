"""Whether anybody is there, and what is done to connections when somebody is there again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import Call, serving
from tests.until import until
from tui_uploader.cloud.contract import ByteRange, TcpInfo
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.net.probe import wait_accepted
from tui_uploader.cloud.net.sockets import Address
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import LinkDown
from tui_uploader.model import Login
from tui_uploader.settings import Settings


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    pool = ConnectionPool(Settings(), Deadlines(connect=2.0, stall=20.0, reply=20.0))
    yield pool
    await pool.close()


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def address(port: int) -> Address:
    return (socket.AF_INET, ("127.0.0.1", port))


async def test_one_address_that_accepts_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, nobody() as dead:
        await wait_accepted([address(dead), address(listener.getsockname()[1])], 10)


async def test_a_refusal_is_told_as_such() -> None:
    with nobody() as dead, pytest.raises(ConnectionRefusedError):
        await wait_accepted([address(dead)], 10)


async def test_silence_ends_in_time() -> None:
    with socket.socket() as listener:  # whose queue is full: the kernel drops what else comes
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        target = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(target)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await wait_accepted([address(target[1])], 0.2)
        assert time.monotonic() - began < 5
        for one in crowd:
            one.close()


def cloud_at(port: int) -> Pix4dCloud:
    return Pix4dCloud(Login(f"http://127.0.0.1:{port}", "id", "secret"), Settings())


async def test_knocking_ends_when_somebody_opens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cloud = cloud_at(listener.getsockname()[1])
        await asyncio.wait_for(cloud.wait_reachable(), 10)
        await cloud.close()


async def test_who_refuses_is_not_knocked_at_again() -> None:
    with nobody() as dead:
        cloud = cloud_at(dead)
        with pytest.raises(LinkDown, match="refused"):
            await asyncio.wait_for(cloud.wait_reachable(), 10)
        await cloud.close()


async def test_a_service_whose_store_is_out_of_reach_is_out_of_reach() -> None:
    def answer(call: Call) -> None:
        call.reply(405)

    with serving(answer) as server, nobody() as dead:
        cloud = cloud_at(server.port)
        await cloud.probe()
        with pytest.raises(LinkDown):
            await cloud._pool.exchange(Origin(False, "127.0.0.1", dead), Request("GET", "/", [], b"", 1.0))
        with pytest.raises(LinkDown, match="refused"):
            await cloud.probe()
        await cloud.probe()  # the store may have moved: let a transfer try
        await cloud.close()


async def test_a_store_that_was_not_asked_for_because_the_service_is_gone_is_not_forgotten() -> None:
    with nobody() as service, nobody() as store:
        cloud = cloud_at(service)
        there = Origin(False, "127.0.0.1", store)
        with pytest.raises(LinkDown):
            await cloud._pool.exchange(there, Request("GET", "/", [], b"", 1.0))
        with pytest.raises(LinkDown):
            await cloud.probe()
        assert there in cloud._pool.known
        await cloud.close()


@pytest.mark.parametrize(
    ("found", "cut"),
    [
        (TcpInfo(10, 5.0, 0.1, 0.1, 100, 0, loss_based=True), True),
        (TcpInfo(10, 0.1, 0.1, 0.1, 100, 0, loss_based=True), False),
        (TcpInfo(0, 5.0, 0.1, 0.1, 100, 0, loss_based=True), False),
        (None, False),
    ],
    ids=["silent", "answered", "everything acknowledged", "nothing known"],
)
async def test_what_does_not_go_on_though_the_link_is_back_is_cut(
    pool: ConnectionPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: TcpInfo | None, cut: bool
) -> None:
    path = tmp_path / "DJI_0001.JPG"
    path.write_bytes(os.urandom(1024))
    go_on, asked = threading.Event(), threading.Event()

    def answer(call: Call) -> None:
        call.read_body()
        asked.set()
        go_on.wait(20)
        call.reply(200)

    monkeypatch.setattr("tui_uploader.cloud.http.pool.read_tcp_info", lambda sock: found)
    monkeypatch.setattr("tui_uploader.cloud.http.pool._GRACE", 0.2)
    with serving(answer) as server, path.open("rb", buffering=0) as file:
        request = Request("PUT", "/", [("Host", "test")], ByteRange(file, 0, 1024, 0), 20.0)
        sending = asyncio.create_task(pool.exchange(Origin(False, "127.0.0.1", server.port), request))
        try:
            await until(asked.is_set)
            pool.doubt_link()
            pool.trust_link(was_gone=True)
            done, _ = await asyncio.wait({sending}, timeout=20 if cut else 0.6)
            assert bool(done) is cut
        finally:
            go_on.set()
        if cut:
            with pytest.raises(LinkDown):
                await sending
        else:
            assert (await sending).ok

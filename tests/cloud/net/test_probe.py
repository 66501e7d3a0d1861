"""Probes of hosts, and what happens to connections when a host is reachable again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
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
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    pool = ConnectionPool(Settings(), Deadlines(connect=2.0, stall=20.0, reply=20.0))
    yield pool
    await pool.close()


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """A port without a listener."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def address(port: int) -> Address:
    return (socket.AF_INET, ("127.0.0.1", port))


async def test_one_address_that_accepts_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, refusing() as dead:
        await wait_accepted([address(dead), address(listener.getsockname()[1])], 10)


async def test_a_refusal_is_reported_as_such() -> None:
    with refusing() as dead, pytest.raises(ConnectionRefusedError):
        await wait_accepted([address(dead)], 10)


async def test_silence_ends_at_the_time_limit() -> None:
    with socket.socket() as listener:  # with a full queue: the kernel drops further SYNs
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        target = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(target)
        async with asyncio.timeout(60):
            with pytest.raises(TimeoutError):
                await wait_accepted([address(target[1])], 0.2)
        for one in crowd:
            one.close()


def cloud_at(port: int) -> Pix4dCloud:
    return Pix4dCloud(Login(f"http://127.0.0.1:{port}", "id", "secret"), Settings())


def pool_of(cloud: Pix4dCloud) -> ConnectionPool:
    assert isinstance(cloud.connections, ConnectionPool)
    return cloud.connections


async def test_waiting_ends_when_a_connection_is_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cloud = cloud_at(listener.getsockname()[1])
        await asyncio.wait_for(cloud.wait_reachable(), 10)
        await cloud.close()


async def test_waiting_ends_at_a_refusal() -> None:
    with refusing() as dead:
        cloud = cloud_at(dead)
        with pytest.raises(LinkDown, match="refused"):
            await asyncio.wait_for(cloud.wait_reachable(), 10)
        await cloud.close()


async def test_a_cloud_is_unreachable_if_its_store_is() -> None:
    def answer(call: Call) -> None:
        call.reply(405)

    with serving(answer) as server, refusing() as dead:
        cloud = cloud_at(server.port)
        await cloud.probe()
        with pytest.raises(LinkDown):
            await pool_of(cloud).exchange(Origin(False, "127.0.0.1", dead), Request("GET", "/", [], b"", 1.0))
        with pytest.raises(LinkDown, match="refused"):
            await cloud.probe()
        await cloud.probe()  # the store may have moved: let a transfer try
        await cloud.close()


async def test_a_store_that_was_not_probed_because_the_service_is_down_is_not_forgotten() -> None:
    with refusing() as service, refusing() as store:
        cloud = cloud_at(service)
        there = Origin(False, "127.0.0.1", store)
        with pytest.raises(LinkDown):
            await pool_of(cloud).exchange(there, Request("GET", "/", [], b"", 1.0))
        with pytest.raises(LinkDown):
            await cloud.probe()
        assert there in pool_of(cloud).known
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
async def test_connections_that_stay_silent_after_the_link_is_back_are_cut(
    pool: ConnectionPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: TcpInfo | None, cut: bool
) -> None:
    path = tmp_path / "DJI_0001.JPG"
    path.write_bytes(os.urandom(1024))
    may_reply, received = threading.Event(), threading.Event()
    checks: list[socket.socket] = []

    def answer(call: Call) -> None:
        call.read_body()
        received.set()
        may_reply.wait(20)
        call.reply(200)

    def checked(sock: socket.socket) -> TcpInfo | None:
        checks.append(sock)
        return found

    monkeypatch.setattr("tui_uploader.cloud.http.pool.read_tcp_info", checked)
    monkeypatch.setattr("tui_uploader.cloud.http.pool._GRACE", 0.05)
    with serving(answer) as server, path.open("rb", buffering=0) as file:
        request = Request("PUT", "/", [("Host", "test")], ByteRange(file, 0, 1024, 0), 20.0)
        sending = asyncio.create_task(pool.exchange(Origin(False, "127.0.0.1", server.port), request))
        try:
            await until(received.is_set)
            pool.doubt_link()
            pool.trust_link(was_gone=True)
            await until(lambda: len(checks) == 2)
            if cut:
                with pytest.raises(LinkDown):
                    await asyncio.wait_for(sending, 20)
        finally:
            may_reply.set()
        assert cut or (await sending).ok

"""Hosts with several addresses, some of which drop everything that is sent to them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cloud.servers import Call, serving
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net import happy_eyeballs
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.net.happy_eyeballs import connect, interleaved
from tui_uploader.cloud.net.sockets import Address
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import LinkDown
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings

V4, V6 = socket.AF_INET, socket.AF_INET6
OnAttempt = Callable[[socket.socket], None]
DEADLINE = 60.0
"""Seconds after which a test fails."""


def four(number: int, port: int = 1) -> Address:
    return V4, (f"127.0.0.{number}", port)


def six(number: int, port: int = 1) -> Address:
    return V6, (f"::{number}", port, 0, 0)


@contextlib.contextmanager
def silent(family: socket.AddressFamily = V6, port: int = 0) -> Iterator[Address]:
    """An address of this machine that answers no SYN: its listener's queue is full."""
    host = "::1" if family == V6 else "127.0.0.1"
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            pytest.skip(f"this machine has no {host}: {error}")
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            filler = sockets.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex(address)
        yield family, tuple(address)


@contextlib.contextmanager
def answering() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0), backlog=20) as listener:
        yield V4, tuple(listener.getsockname())


@contextlib.contextmanager
def refusing() -> Iterator[Address]:
    """An address that is bound but has no listener."""
    with socket.socket(V4) as bound:
        bound.bind(("127.0.0.1", 0))
        yield V4, tuple(bound.getsockname())


def ignore(_: socket.socket) -> None: ...


def winner(addresses: Sequence[Address], timeout: float = DEADLINE, on_attempt: OnAttempt = ignore) -> Address:
    """The address that `connect` chose."""
    with connect(addresses, timeout, loopback=True, on_attempt=on_attempt) as sock:
        assert not sock.getblocking()
        return sock.family, tuple(sock.getpeername())


@pytest.mark.parametrize(
    ("given", "tried"),
    [
        ([], []),
        ([six(1), six(2), six(3), four(1), four(2)], [six(1), four(1), six(2), four(2), six(3)]),
        ([four(1), six(1), four(2)], [four(1), six(1), four(2)]),
        ([four(1), four(2)], [four(1), four(2)]),
    ],
)
def test_families_alternate_in_the_resolvers_order(given: list[Address], tried: list[Address]) -> None:
    assert interleaved(given) == tried


def test_a_silent_address_only_delays_the_next_attempt() -> None:
    """Tried one after the other, the silent address would use up all the time."""
    with silent() as dead, answering() as alive:
        assert winner([dead, dead, dead, alive]) == alive


def test_after_a_refusal_the_next_attempt_starts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "ATTEMPT_DELAY", 2 * DEADLINE)
    with refusing() as closed, answering() as alive:
        assert winner([closed, alive]) == alive


def test_an_answer_within_the_delay_prevents_further_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "ATTEMPT_DELAY", DEADLINE)
    attempts: list[socket.socket] = []
    with answering() as first, answering() as second:
        assert winner([first, second], on_attempt=attempts.append) == first
        assert len(set(attempts)) == 1


def test_the_last_socket_reported_is_the_winner() -> None:
    attempts: list[socket.socket] = []
    with (
        silent() as dead,
        answering() as alive,
        connect([dead, alive], DEADLINE, loopback=True, on_attempt=attempts.append) as sock,
    ):
        assert attempts[-1] is sock
        assert [other.fileno() for other in set(attempts) - {sock}] == [-1], "the loser is closed"


def test_no_address_answers() -> None:
    with silent() as dead, silent(V4) as also, pytest.raises(TimeoutError):
        winner([dead, also], timeout=0.6)
    with refusing() as closed, pytest.raises(ConnectionRefusedError):
        winner([closed, closed])
    with pytest.raises(TimeoutError):
        winner([])


def test_a_refusal_is_a_better_reason_than_silence() -> None:
    with silent() as dead, refusing() as closed, pytest.raises(ConnectionRefusedError):
        winner([dead, closed], timeout=0.6)


def test_an_unknown_address_family_is_skipped() -> None:
    with answering() as alive:
        unknown: Any = (9999, ("nowhere", 1))
        assert winner([unknown, alive]) == alive


def test_a_cut_ends_all_attempts() -> None:
    class Cut(Exception):
        pass

    seen: list[socket.socket] = []
    cut = threading.Event()

    def on_attempt(sock: socket.socket) -> None:
        seen.append(sock)
        if cut.is_set():
            raise Cut

    with silent() as dead, silent(V4) as also, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(connect, [dead, also], 2 * DEADLINE, loopback=True, on_attempt=on_attempt)
        while len(set(seen)) < 2:
            time.sleep(0.001)
        cut.set()
        seen[-1].shutdown(socket.SHUT_RDWR)
        with pytest.raises(Cut):
            connecting.result(DEADLINE)
    assert {sock.fileno() for sock in seen} == {-1}


# --------------------------------------------------------------------------------------------- both kinds of client


@pytest.fixture
def half_dead(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes `localhost` a host whose IPv6 address, the resolver's first choice, is silent."""
    real = socket.getaddrinfo

    def announce(port: int) -> None:
        def resolved(host: Any, *args: Any, **options: Any) -> Any:
            if host not in ("localhost", b"localhost"):
                return real(host, *args, **options)
            kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(V6, *kind, ("::1", port, 0, 0)), (V4, *kind, ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolved)

    return announce


def answer(call: Call) -> None:
    call.read_body()
    call.reply(405 if call.method == "GET" else 200, ETag='"1"')


async def test_uploads_work_where_ipv6_packets_are_dropped(half_dead: Callable[[int], None]) -> None:
    with serving(answer) as server, silent(V6, server.port):
        half_dead(server.port)
        pool = ConnectionPool(Settings(), Deadlines())
        reply = await pool.exchange(Origin(False, "localhost", server.port), Request("PUT", "/b/n", [], b"x"))
        assert reply.status == 200
        await pool.close()


async def test_the_rest_api_works_where_ipv6_packets_are_dropped(half_dead: Callable[[int], None]) -> None:
    with serving(answer) as server, silent(V6, server.port):
        half_dead(server.port)
        cloud = Pix4dCloud(Login(f"http://localhost:{server.port}", "id", "secret"), Settings())
        await cloud.probe()
        await cloud.close()


async def test_both_clients_give_up_where_all_packets_are_dropped(
    half_dead: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = Deadlines(connect=0.7)
    monkeypatch.setattr("tui_uploader.cloud.pix4d.client._PROBE_SECONDS", 0.7)
    with silent(V6) as (_, address), silent(V4, port := int(address[1])):
        half_dead(port)
        pool = ConnectionPool(Settings(), quick)
        cloud = Pix4dCloud(Login(f"http://localhost:{port}", "id", "secret"), Settings(), deadlines=quick)
        with pytest.raises(LinkDown, match="localhost"):
            await pool.exchange(Origin(False, "localhost", port), Request("PUT", "/b/n", [], b"x"))
        with pytest.raises(LinkDown, match="localhost"):
            await cloud.probe()
        await pool.close()
        await cloud.close()

"""Hosts with several addresses, of which some swallow whatever is sent to them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.cloud.servers import Call, serving
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.net.happy_eyeballs import ATTEMPT_DELAY, connect, interleaved
from tui_uploader.cloud.net.sockets import Address
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import LinkDown
from tui_uploader.model import Login
from tui_uploader.settings import Settings

V4, V6 = socket.AF_INET, socket.AF_INET6
Begun = Callable[[socket.socket], None]


def four(number: int, port: int = 1) -> Address:
    return V4, (f"127.0.0.{number}", port)


def six(number: int, port: int = 1) -> Address:
    return V6, (f"::{number}", port, 0, 0)


@contextlib.contextmanager
def swallowing(family: socket.AddressFamily = V6, port: int = 0) -> Iterator[Address]:
    """An address of this machine whose SYNs nobody answers: the queue behind it is full."""
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
    """Bound, and nobody listens."""
    with socket.socket(V4) as bound:
        bound.bind(("127.0.0.1", 0))
        yield V4, tuple(bound.getsockname())


def ignore(_: socket.socket) -> None:
    """Nobody wants to cut it."""


def timed(addresses: Sequence[Address], timeout: float = 20.0, begun: Begun = ignore) -> tuple[Address, float]:
    """Whom it was that answered, and after how many seconds."""
    before = time.monotonic()
    with connect(addresses, timeout, loopback=True, on_attempt=begun) as sock:
        assert not sock.getblocking()
        return (sock.family, tuple(sock.getpeername())), time.monotonic() - before


@pytest.mark.parametrize(
    ("given", "tried"),
    [
        ([], []),
        ([six(1), six(2), six(3), four(1), four(2)], [six(1), four(1), six(2), four(2), six(3)]),
        ([four(1), six(1), four(2)], [four(1), six(1), four(2)]),
        ([four(1), four(2)], [four(1), four(2)]),
    ],
)
def test_families_take_turns_in_the_resolvers_order(given: list[Address], tried: list[Address]) -> None:
    assert interleaved(given) == tried


def test_an_address_that_swallows_everything_costs_one_head_start() -> None:
    with swallowing() as dead, answering() as alive:
        found, seconds = timed([dead, dead, dead, alive])
        assert found == alive
        assert ATTEMPT_DELAY <= seconds < 10


def test_a_refusal_lets_the_next_begin_at_once() -> None:
    with refusing() as closed, answering() as alive:
        found, seconds = timed([closed, alive])
        assert found == alive
        assert seconds < ATTEMPT_DELAY


def test_the_first_that_answers_has_no_rival() -> None:
    begun: list[socket.socket] = []
    with answering() as first, answering() as second:
        assert timed([first, second], begun=begun.append)[0] == first
        assert len(set(begun)) == 1


def test_whoever_may_cut_it_has_the_socket_that_won() -> None:
    begun: list[socket.socket] = []
    with (
        swallowing() as dead,
        answering() as alive,
        connect([dead, alive], 20.0, loopback=True, on_attempt=begun.append) as sock,
    ):
        assert begun[-1] is sock
        assert [other.fileno() for other in set(begun) - {sock}] == [-1], "the loser is closed"


def test_nobody_answers() -> None:
    with swallowing() as dead, swallowing(V4) as also, pytest.raises(TimeoutError):
        timed([dead, also], timeout=0.6)
    with refusing() as closed, pytest.raises(ConnectionRefusedError):
        timed([closed, closed])
    with pytest.raises(TimeoutError):
        timed([])


def test_a_refusal_tells_more_than_silence() -> None:
    with swallowing() as dead, refusing() as closed, pytest.raises(ConnectionRefusedError):
        timed([dead, closed], timeout=0.6)


def test_a_family_that_the_system_does_not_have_is_passed_over() -> None:
    with answering() as alive:
        unknown: Any = (9999, ("nowhere", 1))
        assert timed([unknown, alive])[0] == alive


def test_a_cut_ends_all_attempts_at_once() -> None:
    class Cut(Exception):
        pass

    seen: list[socket.socket] = []
    cut = threading.Event()

    def begun(sock: socket.socket) -> None:
        seen.append(sock)
        if cut.is_set():
            raise Cut

    def cut_later() -> None:
        while len(set(seen)) < 2:
            time.sleep(0.001)
        cut.set()
        seen[-1].shutdown(socket.SHUT_RDWR)

    with swallowing() as dead, swallowing(V4) as also:
        thread = threading.Thread(target=cut_later)
        thread.start()
        before = time.monotonic()
        with pytest.raises(Cut):
            connect([dead, also], 30.0, loopback=True, on_attempt=begun)
        assert time.monotonic() - before < 10
        thread.join(10)
    assert {sock.fileno() for sock in seen} == {-1}


# --------------------------------------------------------------------------------------------- both kinds of client


@pytest.fixture
def half_dead(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes `localhost` a host whose IPv6 address, the resolver's first choice, leads nowhere."""
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


async def test_uploads_get_through_where_ipv6_does_not_route(half_dead: Callable[[int], None]) -> None:
    with serving(answer) as server, swallowing(V6, server.port):
        half_dead(server.port)
        pool = ConnectionPool(Settings(), Deadlines())
        before = time.monotonic()
        reply = await pool.exchange(Origin(False, "localhost", server.port), Request("PUT", "/b/n", [], b"x"))
        assert (reply.status, time.monotonic() - before < 8) == (200, True)
        await pool.close()


async def test_the_rest_api_is_reached_where_ipv6_does_not_route(half_dead: Callable[[int], None]) -> None:
    with serving(answer) as server, swallowing(V6, server.port):
        half_dead(server.port)
        cloud = Pix4dCloud(Login(f"http://localhost:{server.port}", "id", "secret"), Settings())
        before = time.monotonic()
        await cloud.probe()
        assert time.monotonic() - before < 8
        await cloud.close()


async def test_both_clients_give_up_in_time_where_nothing_routes(half_dead: Callable[[int], None]) -> None:
    quick = Deadlines(connect=0.7)
    with swallowing(V6) as (_, address), swallowing(V4, port := int(address[1])):
        half_dead(port)
        pool = ConnectionPool(Settings(), quick)
        cloud = Pix4dCloud(Login(f"http://localhost:{port}", "id", "secret"), Settings(), deadlines=quick)
        with pytest.raises(LinkDown, match="localhost"):
            await pool.exchange(Origin(False, "localhost", port), Request("PUT", "/b/n", [], b"x"))
        with pytest.raises(LinkDown, match="localhost"):
            await cloud.probe()
        await pool.close()
        await cloud.close()

"""TCP info of real connections, and tuning them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from tui_uploader.cloud.net.sockets import bbr_permitted
from tui_uploader.cloud.net.tcp_info import read_tcp_info, remeasure_link

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux provides TCP info")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as near,
        listener.accept()[0] as far,
    ):
        yield near, far


@linux_only
def test_the_state_of_a_healthy_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    near.sendall(bytes(100_000))
    left = 100_000
    while left:
        left -= len(far.recv(left))
    found = read_tcp_info(near)
    assert found is not None
    assert 0 < found.min_round_trip <= found.round_trip < 1
    assert (found.retransmitted, found.segments > 0, found.unacknowledged < found.segments + 1) == (0, True, True)
    assert 0 <= found.silent < 30


@linux_only
def test_unread_bytes_are_in_flight_or_queued(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    near.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            near.send(bytes(1 << 20))
    found = read_tcp_info(near)
    assert found is not None and found.segments > 0


@linux_only
def test_an_unanswered_handshake_is_silent_since_its_start() -> None:
    with socket.socket() as listener:  # whose queue is full: the kernel drops what else comes
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        found = read_tcp_info(crowd[-1])
        for one in crowd:
            one.close()
    assert found is not None
    assert found.unacknowledged == 1
    # The kernel itself counts from when the machine was booted.
    assert found.silent < 2.0


@linux_only
def test_bbr_restarts_and_stays_bbr(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    if not bbr_permitted():
        pytest.skip("this kernel permits no BBR")
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    remeasure_link(near)
    assert near.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"bbr"


@linux_only
def test_another_algorithm_is_left_alone(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    remeasure_link(near)
    assert near.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"reno"


def test_a_closed_socket_has_no_tcp_info() -> None:
    sock = socket.socket()
    sock.close()
    remeasure_link(sock)
    assert read_tcp_info(sock) is None

"""Sockets for long uploads over poor links: options, name lookup, and progress as the kernel sees it.

Options that a system does not have are skipped: each helps, none is required.
"""

from __future__ import annotations

import array
import fcntl
import functools
import socket
import struct
import sys
import termios
import threading
from collections.abc import Sequence

from tui_uploader.cloud.contract import SentCallback

UNSENT_LIMIT = 256 * 1024
"""Bytes that the kernel queues unsent. Large enough for a fast link, small enough to stop quickly."""

_MAX_SILENCE, _MAX_SILENCE_ALL_ARRIVED = 120.0, 20.0

_NO_LINGER = struct.pack("=ii", 1, 0)  # `struct linger`: on, for 0 s
_SO_NWRITE = 0x1024  # <sys/socket.h> of macOS: bytes not yet acknowledged

Address = tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]
"""An address family, and an address as `socket.connect` takes it."""


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host. Blocks as long as the resolver does. Raises `socket.gaierror`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, tuple(address)) for family, _, _, _, address in found]


def tune(sock: socket.socket, *, loopback: bool) -> None:
    """Set the socket options for a long upload.

    BBR keeps a lossy link full where loss-based congestion control backs off; loopback needs neither.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    _set_tcp(sock, "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE", 10)
    _set_tcp(sock, "TCP_KEEPINTVL", 5)
    _set_tcp(sock, "TCP_KEEPCNT", 2)
    limit_silence(sock)
    _set_tcp(sock, "TCP_NOTSENT_LOWAT", UNSENT_LIMIT)
    if not loopback and bbr_permitted():
        _use_bbr(sock)


def limit_silence(sock: socket.socket, *, all_arrived: bool = False) -> None:
    """Let the kernel close a connection without an acknowledgement for two minutes (RFC 5482), or, once all data has
    arrived (`all_arrived`), without an answer to keep-alive probes for 20 s.

    Two minutes are much longer than the deadlines of `HttpConnection`, which watches acknowledgements itself. Linux
    counts from the first retransmission of a recovery. With steady losses a recovery lasts for minutes, and a shorter
    limit would end a connection that received an acknowledgement a second ago. Without any limit it is 14 s while
    `tcp_info.retransmit` is set to often.
    """
    _set_tcp(sock, "TCP_USER_TIMEOUT", int(1000 * (_MAX_SILENCE_ALL_ARRIVED if all_arrived else _MAX_SILENCE)))


def drop_on_close(sock: socket.socket) -> None:
    """Discard queued data when the socket is closed; otherwise the kernel sends it alongside the next attempt."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    except OSError:
        pass


def _set_tcp(sock: socket.socket, option: str, value: int) -> None:
    number = getattr(socket, option, None)
    if number is not None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, number, value)
        except OSError:
            pass


@functools.cache
def bbr_permitted() -> bool:
    """Whether the kernel lets this user select BBR; checked once."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return _use_bbr(probe)


def _use_bbr(sock: socket.socket) -> bool:
    if sys.platform != "linux":
        return False
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    except OSError:
        return False
    return True


def unacknowledged(sock: socket.socket) -> int:
    """Bytes that were sent or queued but not acknowledged; 0 where the kernel does not provide the number.

    Linux: `SIOCOUTQ`, the same number as `TIOCOUTQ` (tcp(7)). macOS: `SO_NWRITE`.
    """
    try:
        if sys.platform == "darwin":
            return sock.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
        answer = array.array("i", [0])
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, answer, True)
        return answer[0]
    except (OSError, ValueError):
        return 0


class BodyProgress:
    """Reports how much of a body has been acknowledged by the other side; never less than before."""

    def __init__(self, sock: socket.socket, sent: SentCallback) -> None:
        self._socket = sock
        self._sent = sent
        self._reported = 0
        self._accepted = 0

    def accepted(self, count: int) -> None:
        """Count bytes that the kernel accepted, and report."""
        self._accepted += count
        self.report()

    def report(self) -> None:
        arrived = self._accepted - unacknowledged(self._socket)
        if arrived > self._reported:
            self._reported = arrived
            self._sent(arrived)


class _Buffers(threading.local):
    view: memoryview | None = None


_buffers = _Buffers()


def thread_buffer(size: int) -> memoryview:
    """The thread's own buffer, kept for reuse: a fresh one would have to be zeroed each time."""
    if _buffers.view is None or len(_buffers.view) != size:
        _buffers.view = memoryview(bytearray(size))
    return _buffers.view

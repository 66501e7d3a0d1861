"""Sockets for long uploads over poor links: options, names, and what the kernel knows of progress.

Options that a system does not have are passed over: none of them is needed, each of them helps.
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
"""Bytes that the kernel takes before it has sent them. Large enough for a fast link, small enough for a quick end."""

_LONGEST_SILENCE, _LONGEST_SILENCE_AFTER_ALL = 120.0, 20.0

_DROP_WHAT_IS_QUEUED = struct.pack("=ii", 1, 0)  # `struct linger`: on, and for no time
_SO_NWRITE = 0x1024  # <sys/socket.h> of macOS: bytes not yet acknowledged

Address = tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]
"""Family, and the address as `socket.connect` takes it."""


def resolve(host: str, port: int) -> Sequence[Address]:
    """Blocks as long as the resolver likes. Raises `socket.gaierror`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, tuple(address)) for family, _, _, _, address in found]


def tune(sock: socket.socket, *, loopback: bool) -> None:
    """Set what helps a long upload.

    BBR keeps a lossy link full where loss-based control backs off; on loopback there is nothing to probe for.
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
    """Have the kernel end a connection whose other side acknowledges nothing for two minutes (RFC 5482), or no probe
    for 20 s where all that was sent has arrived.

    Two minutes are much more than the deadlines of `HttpConnection`, which itself watches what is acknowledged. Linux
    counts them from the first packet of a recovery that was sent again: where losses never cease, a recovery lasts for
    minutes, and the next timer that fires ends a connection that was heard of a second ago. Without this limit it is
    14 s while `tcp_info.keep_trying` holds.
    """
    _set_tcp(sock, "TCP_USER_TIMEOUT", int(1000 * (_LONGEST_SILENCE_AFTER_ALL if all_arrived else _LONGEST_SILENCE)))


def drop_on_close(sock: socket.socket) -> None:
    """Drop what is queued when the socket is closed: the kernel would go on sending it, beside the next attempt."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_WHAT_IS_QUEUED)
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
    """Whether the kernel lets this user choose BBR; asked once."""
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
    """Bytes that the kernel took and the other side has not acknowledged; 0 where the kernel does not tell.

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
    """Tells how much of a body has arrived at the other side's kernel, never less than before."""

    def __init__(self, sock: socket.socket, sent: SentCallback) -> None:
        self._socket = sock
        self._sent = sent
        self._told = 0
        self._accepted = 0

    def accepted(self, count: int) -> None:
        self._accepted += count
        self.tell()

    def tell(self) -> None:
        arrived = self._accepted - unacknowledged(self._socket)
        if arrived > self._told:
            self._told = arrived
            self._sent(arrived)


class _Buffers(threading.local):
    view: memoryview | None = None


_buffers = _Buffers()


def thread_buffer(size: int) -> memoryview:
    """One buffer per thread, for good: a fresh one for each part would be zeroed each time."""
    if _buffers.view is None or len(_buffers.view) != size:
        _buffers.view = memoryview(bytearray(size))
    return _buffers.view

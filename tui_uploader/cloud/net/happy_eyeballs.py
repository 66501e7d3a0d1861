"""Connect to the address of a host that answers first (RFC 8305, "Happy Eyeballs").

Many networks announce IPv6 but drop its packets, so that trying one address after the other would cost ten seconds for
every connection. Attempts over both families are therefore started 250 ms apart. `aiohappyeyeballs` does not fit: it
needs an event loop in each sending thread, and other threads could not cut its attempts.
"""

from __future__ import annotations

import errno
import itertools
import os
import select
import socket
import time
from collections.abc import Callable, Sequence

from tui_uploader.cloud.net.sockets import Address, tune

ATTEMPT_DELAY = 0.25
"""Seconds between the starts of two attempts, as RFC 8305 recommends."""

_MAX_ADDRESSES = 6
_IN_PROGRESS = (errno.EINPROGRESS, errno.EAGAIN)


def connect(
    addresses: Sequence[Address], timeout: float, *, loopback: bool, on_attempt: Callable[[socket.socket], None]
) -> socket.socket:
    """A connected, non-blocking socket to the address that answers first.

    `on_attempt` gets the socket of every attempt before it connects, and again while attempts are in progress, so that
    another thread can shut it down; the last socket it gets is the one returned. An error that it raises ends all
    attempts. Raises OSError if an address refused, `TimeoutError` if none answered.
    """
    race = _Race(loopback, on_attempt)
    end = time.monotonic() + timeout
    try:
        for family, address in interleaved(addresses)[:_MAX_ADDRESSES]:
            race.start(family, address)
            if (winner := race.wait(min(end, time.monotonic() + ATTEMPT_DELAY))) is not None:
                return winner
        while race.is_running and time.monotonic() < end:
            if (winner := race.wait(end)) is not None:
                return winner
    finally:
        race.stop()
    raise race.failure


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The addresses, alternating between families, beginning with the family that the resolver puts first."""
    families = dict.fromkeys(family for family, _ in addresses)
    queues = [[address for address in addresses if address[0] == family] for family in families]
    return [address for row in itertools.zip_longest(*queues) for address in row if address is not None]


class _Race:
    """Connection attempts in progress."""

    def __init__(self, loopback: bool, on_attempt: Callable[[socket.socket], None]) -> None:
        self.failure: OSError = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        """The error of the last attempt that failed; a time-out if none did."""
        self._loopback = loopback
        self._on_attempt = on_attempt
        self._sockets: dict[int, socket.socket] = {}
        self._poller = select.poll()

    @property
    def is_running(self) -> bool:
        return bool(self._sockets)

    def start(self, family: socket.AddressFamily, address: tuple[str | int | bytes, ...]) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a system without this family
            self.failure = error
            return
        self._sockets[sock.fileno()] = sock
        sock.setblocking(False)
        tune(sock, loopback=self._loopback)
        self._on_attempt(sock)
        self._poller.register(sock, select.POLLOUT)
        status = sock.connect_ex(address)
        if status not in (0, *_IN_PROGRESS):
            self._fail(sock, status)

    def wait(self, until: float) -> socket.socket | None:
        """The socket that connected; None as soon as an attempt fails, or at `until` (monotonic)."""
        if not self._sockets:
            return None
        for number, _ in self._poller.poll(max(0.0, until - time.monotonic()) * 1000):
            sock = self._sockets[number]
            status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if status:
                self._fail(sock, status)
                continue
            self._on_attempt(sock)
            return self._sockets.pop(number)
        if self._sockets:
            self._on_attempt(next(reversed(self._sockets.values())))
        return None

    def stop(self) -> None:
        for sock in self._sockets.values():
            sock.close()

    def _fail(self, sock: socket.socket, status: int) -> None:
        self.failure = OSError(status, os.strerror(status))
        self._poller.unregister(sock)
        del self._sockets[sock.fileno()]
        sock.close()

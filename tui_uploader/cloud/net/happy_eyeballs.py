"""Opens a connection to whichever address of a host answers first.

Many networks announce IPv6 and do not carry it: its packets vanish, and who tries one address after the other waits
ten seconds for every connection. So attempts are staggered over both families (RFC 8305, "Happy Eyeballs").
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

HEAD_START = 0.25
"""Seconds that an attempt has before the next begins beside it: the delay that RFC 8305 recommends."""

_MOST_ADDRESSES = 6
_UNDER_WAY = (errno.EINPROGRESS, errno.EAGAIN)


def connect(
    addresses: Sequence[Address], timeout: float, *, loopback: bool, begun: Callable[[socket.socket], None]
) -> socket.socket:
    """A connected, non-blocking socket to the first address that answers.

    `begun` gets the socket of every attempt before it connects, and again while attempts are under way, so that
    somebody else can shut it down; the last one that it gets is the one that is returned. An error that it raises ends
    all attempts. Raises OSError of an address that refused; `TimeoutError` when none answered.
    """
    race = _Race(loopback, begun)
    end = time.monotonic() + timeout
    try:
        for family, address in in_turns(addresses)[:_MOST_ADDRESSES]:
            race.enter(family, address)
            if (winner := race.wait(min(end, time.monotonic() + HEAD_START))) is not None:
                return winner
        while race.runs and time.monotonic() < end:
            if (winner := race.wait(end)) is not None:
                return winner
    finally:
        race.stop()
    raise race.failure


def in_turns(addresses: Sequence[Address]) -> list[Address]:
    """The same addresses, one of each family in turn, beginning with the family that the resolver puts first."""
    families = dict.fromkeys(family for family, _ in addresses)
    queues = [[address for address in addresses if address[0] == family] for family in families]
    return [address for turn in itertools.zip_longest(*queues) for address in turn if address is not None]


class _Race:
    """Attempts that are under way."""

    def __init__(self, loopback: bool, begun: Callable[[socket.socket], None]) -> None:
        self.failure: OSError = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        """The latest thing that an address said; that none said anything, as long as none did."""
        self._loopback = loopback
        self._begun = begun
        self._sockets: dict[int, socket.socket] = {}
        self._poller = select.poll()

    @property
    def runs(self) -> bool:
        return bool(self._sockets)

    def enter(self, family: socket.AddressFamily, address: tuple[str | int | bytes, ...]) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a system without this family
            self.failure = error
            return
        self._sockets[sock.fileno()] = sock
        sock.setblocking(False)
        tune(sock, loopback=self._loopback)
        self._begun(sock)
        self._poller.register(sock, select.POLLOUT)
        status = sock.connect_ex(address)
        if status not in (0, *_UNDER_WAY):
            self._lost(sock, status)

    def wait(self, until: float) -> socket.socket | None:
        """The socket that is connected; None as soon as an attempt failed, or at `until` (monotonic)."""
        if not self._sockets:
            return None
        for number, _ in self._poller.poll(max(0.0, until - time.monotonic()) * 1000):
            sock = self._sockets[number]
            status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if status:
                self._lost(sock, status)
                continue
            self._begun(sock)
            return self._sockets.pop(number)
        if self._sockets:
            self._begun(next(reversed(self._sockets.values())))
        return None

    def stop(self) -> None:
        for sock in self._sockets.values():
            sock.close()

    def _lost(self, sock: socket.socket, status: int) -> None:
        self.failure = OSError(status, os.strerror(status))
        self._poller.unregister(sock)
        del self._sockets[sock.fileno()]
        sock.close()

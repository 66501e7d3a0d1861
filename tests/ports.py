"""Ports of loopback for servers that cannot choose one themselves."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator

_PORTS = range(18_000, 32_000)
"""Below those that the system gives to outgoing connections, so that none of these takes one before its server does."""


def free_ports(count: int) -> list[int]:
    """Ports without a listener, all different."""
    with contextlib.ExitStack() as taken:
        return [port for port, _ in zip(_bound(taken), range(count), strict=False)]


def _bound(taken: contextlib.ExitStack) -> Iterator[int]:
    while True:
        trial = taken.enter_context(socket.socket())
        with contextlib.suppress(OSError):
            port = random.SystemRandom().choice(_PORTS)
            trial.bind(("127.0.0.1", port))
            yield port

"""Whether anybody is there: bare connections, which cost a packet each way and no sign-in."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Sequence

from tui_uploader.cloud.sockets import Address

_MOST_ADDRESSES = 4


async def accepted(addresses: Sequence[Address], seconds: float) -> None:
    """Return as soon as one of the addresses accepts a connection; the kernel asks again about every second.

    Raises OSError of an address that refused; `TimeoutError` when none answered.
    """
    attempts = [asyncio.create_task(_connected(*address)) for address in addresses[:_MOST_ADDRESSES]]
    failure: OSError = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    try:
        for attempt in asyncio.as_completed(attempts, timeout=seconds):
            try:
                await attempt
            except OSError as error:
                failure = error
            else:
                return
    finally:
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
    raise failure


async def _connected(family: socket.AddressFamily, address: tuple[str | int | bytes, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)

"""Probe addresses with bare TCP connections, which cost one packet each way."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Coroutine, Sequence
from typing import Any

from tui_uploader.cloud.net.sockets import Address
from tui_uploader.errors import UploaderError

_MAX_ADDRESSES = 4


async def wait_accepted(addresses: Sequence[Address], seconds: float) -> None:
    """Return as soon as one of the addresses accepts a connection; the kernel retries about every second.

    Raises OSError if an address refused, `TimeoutError` if none answered.
    """
    if not addresses:
        raise _no_answer()
    try:
        async with asyncio.timeout(seconds):
            await first_success([_connect(*address) for address in addresses[:_MAX_ADDRESSES]])
    except TimeoutError:
        raise _no_answer() from None


async def first_success(attempts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Return as soon as one attempt succeeds, and cancel the others.

    Raises the last OSError or UploaderError if all fail.
    """
    tasks = [asyncio.create_task(attempt) for attempt in attempts]
    failure: OSError | UploaderError | None = None
    try:
        for task in asyncio.as_completed(tasks):
            try:
                await task
            except (OSError, UploaderError) as error:
                failure = error
            else:
                return
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert failure is not None
    raise failure


def _no_answer() -> TimeoutError:
    return TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


async def _connect(family: socket.AddressFamily, address: tuple[str | int | bytes, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)

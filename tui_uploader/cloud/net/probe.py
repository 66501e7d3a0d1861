"""Whether anybody is there: bare connections, which cost a packet each way and no sign-in."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Coroutine, Sequence
from typing import Any

from tui_uploader.cloud.net.sockets import Address
from tui_uploader.errors import UploaderError

_MOST_ADDRESSES = 4


async def accepted(addresses: Sequence[Address], seconds: float) -> None:
    """Return as soon as one of the addresses accepts a connection; the kernel asks again about every second.

    Raises OSError of an address that refused; `TimeoutError` when none answered.
    """
    if not addresses:
        raise _no_answer()
    try:
        async with asyncio.timeout(seconds):
            await first_success([_connected(*address) for address in addresses[:_MOST_ADDRESSES]])
    except TimeoutError:
        raise _no_answer() from None


async def first_success(attempts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Return as soon as one attempt succeeds; the others are cancelled.

    Raises the latest OSError or UploaderError when all have failed.
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


async def _connected(family: socket.AddressFamily, address: tuple[str | int | bytes, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)

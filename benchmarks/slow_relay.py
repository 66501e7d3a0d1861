"""A relay to the store with a limited rate per connection.

As a process: `python -m benchmarks.slow_relay PORT BYTES_PER_SECOND` prints the port that it listens on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable

_CHUNK = 16384

Passed = Callable[[int], None]
"""Called with the size of every forwarded chunk."""


def ignored(count: int) -> None: ...


async def relay(
    port: int,
    bytes_per_second: float,
    listening: Callable[[int], None],
    connection: Callable[[], Passed] = lambda: ignored,
) -> None:
    """Listen until cancelled, and forward connections to `port` of this machine; `connection` returns the callback of
    each."""

    async def connected(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        passed = connection()
        # When the loop ends all are cancelled, and asyncio's server would report each.
        with contextlib.suppress(asyncio.CancelledError):
            store, request = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(_forward(client, request, bytes_per_second, passed))
                directions.create_task(_forward(store, answer, None, ignored))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=_CHUNK)
    listening(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def _forward(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    bytes_per_second: float | None,
    passed: Passed,
) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            passed(len(data))
            target.write(data)
            await target.drain()
            if bytes_per_second is not None:
                await asyncio.sleep(len(data) / bytes_per_second)
    target.close()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1]), float(sys.argv[2]), lambda port: print(port, flush=True)))

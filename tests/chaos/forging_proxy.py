"""An HTTP proxy that means no good: it forges what the cloud says, as far as TLS lets it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

from tests.chaos.machine import Machine
from tests.cloud.servers import CERTIFICATE
from tests.local_cloud.clouds import make_certificate

__all__ = ["CERTIFICATE", "forging_proxy"]

_NAME = "storage.test"
"""One of those in the certificate."""
_OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_STORED = b'HTTP/1.1 200 OK\r\nETag: "0123456789abcdef0123456789abcdef"\r\nContent-Length: 0\r\n\r\n'
_PAGE = b"<html><body><form>Room number</form></body></html>"
_CHUNK = 64 * 1024
_SHORT, _LONG = 2_000, 40_000_000
_MIDDLE = 2_000_000


class Trick(StrEnum):
    NONE = "none"
    """The connection is passed on, and ends after a while."""
    AHEAD = "ahead"
    """Answers of the cloud come with the answer to CONNECT, and after a while the connection ends."""
    PAGE = "page"
    """A page instead of a tunnel, with the status of one."""
    BUSY = "busy"
    IMPOSTOR = "impostor"
    """The proxy plays the cloud, with a certificate that it made, and stores nothing."""
    FLIP = "flip"
    """One bit changes on the way to the cloud."""
    FLIP_BACK = "flip-back"
    """One bit changes on the way back."""
    SWALLOW = "swallow"
    """Nothing comes through any more after a while, and the connection ends."""


_HOW_OFTEN = {
    Trick.NONE: 10,
    Trick.AHEAD: 4,
    Trick.PAGE: 1,
    Trick.BUSY: 1,
    Trick.IMPOSTOR: 1,
    Trick.FLIP: 3,
    Trick.FLIP_BACK: 3,
    Trick.SWALLOW: 2,
}


@asynccontextmanager
async def forging_proxy(machine: Machine, chance: random.Random) -> AsyncIterator[None]:
    """On the way of the engine to the cloud, which has to speak https. The way to loopback never leads over a proxy, so
    the cloud gets a name that the proxy alone knows."""
    assert machine.login is not None
    machine.login = msgspec.structs.replace(machine.login, cloud_url=f"https://{_NAME}:{machine.cloud_port}")
    proxy = _Proxy(machine, chance, machine.folder)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        machine.variables |= {
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "https_proxy": "",
            "NO_PROXY": "",
            "no_proxy": "",
            "TUI_UPLOADER_CA_FILE": str(CERTIFICATE),
        }
        try:
            yield
        finally:
            server.close()
            for task in proxy.tasks:
                task.cancel()
            await asyncio.gather(*proxy.tasks, return_exceptions=True)


class _Proxy:
    def __init__(self, machine: Machine, chance: random.Random, folder: Path) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._machine = machine
        self._chance = chance
        chain, key = make_certificate(folder)
        self._false_identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._false_identity.load_cert_chain(chain, key)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            # The streams of asyncio take no cancelled connection for an end that was meant.
            with contextlib.suppress(
                OSError, asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                await reader.readuntil(b"\r\n\r\n")
                trick = self._chance.choices(list(_HOW_OFTEN), list(_HOW_OFTEN.values()))[0]
                self._machine.tampered += trick is not Trick.NONE
                await self._play(trick, reader, writer)
        finally:
            writer.close()
            self.tasks.discard(task)

    async def _play(self, trick: Trick, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        until = self._chance.randrange(_SHORT, self._chance.choice((_MIDDLE, _LONG)))
        match trick:
            case Trick.PAGE:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + _PAGE)
            case Trick.BUSY:
                writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            case Trick.IMPOSTOR:
                writer.write(_OPENED)
                await writer.start_tls(self._false_identity)
                while await reader.read(_CHUNK):
                    writer.write(_STORED)
            case Trick.AHEAD:
                writer.write(_OPENED + _STORED * self._chance.randrange(1, 5))
                await self._tunnel(reader, writer, self._chance.choice((_SHORT, until)))
            case _:
                writer.write(_OPENED)
                await self._tunnel(reader, writer, until, trick)
        await writer.drain()

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: int, trick: Trick = Trick.NONE
    ) -> None:
        """Ends when either side does, or after about so many bytes of the engine's."""
        from_cloud, to_cloud = await asyncio.open_connection("127.0.0.1", self._machine.cloud_port)
        back_at = self._chance.randrange(_SHORT)
        ways = {
            asyncio.create_task(
                _pump(reader, to_cloud, until, self._chance.randrange(_MIDDLE) if trick is Trick.FLIP else None)
            ),
            asyncio.create_task(_pump(from_cloud, writer, _LONG, back_at if trick is Trick.FLIP_BACK else None)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if trick is Trick.SWALLOW:
                await asyncio.sleep(self._chance.uniform(0.1, 1.0))
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_cloud.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: int, flip_at: int | None) -> None:
    """Pass on so many bytes; one bit of the byte `flip_at` changes."""
    passed = 0
    with contextlib.suppress(OSError):
        while passed < until and (data := bytearray(await reader.read(_CHUNK))):
            if flip_at is not None and passed <= flip_at < passed + len(data):
                data[flip_at - passed] ^= 1
            passed += len(data)
            writer.write(data)
            await writer.drain()

"""A malicious HTTP proxy: it forges replies of the cloud, within the limits of TLS."""

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
"""A name in the certificate."""
_OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_STORED = b'HTTP/1.1 200 OK\r\nETag: "0123456789abcdef0123456789abcdef"\r\nContent-Length: 0\r\n\r\n'
_PAGE = b"<html><body><form>Voucher code</form></body></html>"
_CHUNK = 64 * 1024
_SHORT, _LONG = 2_000, 40_000_000
_MIDDLE = 2_000_000


class Trick(StrEnum):
    NONE = "none"
    """The connection is forwarded, and closed after a while."""
    AHEAD = "ahead"
    """Forged replies are appended to the reply to CONNECT; the connection is closed after a while."""
    PAGE = "page"
    """An HTML page with status 200 instead of a tunnel."""
    BUSY = "busy"
    IMPOSTOR = "impostor"
    """The proxy impersonates the cloud with a certificate of its own, and stores nothing."""
    FLIP = "flip"
    """One bit is flipped on the way to the cloud."""
    FLIP_BACK = "flip-back"
    """One bit is flipped on the way back."""
    SWALLOW = "swallow"
    """After a while nothing is forwarded any more, and the connection is closed."""


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
    """Route the engine's https through the proxy. Loopback never uses a proxy, so the cloud gets a name that only the
    proxy resolves."""
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
        self._forged_identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._forged_identity.load_cert_chain(chain, key)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            # asyncio streams raise these when the connection is cancelled on purpose.
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
                await writer.start_tls(self._forged_identity)
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
        """Forward until either side closes, or until about `until` bytes came from the engine."""
        from_cloud, to_cloud = await asyncio.open_connection("127.0.0.1", self._machine.cloud_port)
        back_at = self._chance.randrange(_SHORT)
        directions = {
            asyncio.create_task(
                _pump(reader, to_cloud, until, self._chance.randrange(_MIDDLE) if trick is Trick.FLIP else None)
            ),
            asyncio.create_task(_pump(from_cloud, writer, _LONG, back_at if trick is Trick.FLIP_BACK else None)),
        }
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            if trick is Trick.SWALLOW:
                await asyncio.sleep(self._chance.uniform(0.1, 1.0))
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            to_cloud.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: int, flip_at: int | None) -> None:
    """Forward up to `until` bytes; flip one bit of byte `flip_at`."""
    passed = 0
    with contextlib.suppress(OSError):
        while passed < until and (data := bytearray(await reader.read(_CHUNK))):
            if flip_at is not None and passed <= flip_at < passed + len(data):
                data[flip_at - passed] ^= 1
            passed += len(data)
            writer.write(data)
            await writer.drain()

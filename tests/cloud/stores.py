"""A store of our client over a server of a test, with keys that are made here."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cloud.servers import CERTIFICATE
from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, origin_of
from tui_uploader.cloud.refresh import Renewable
from tui_uploader.cloud.s3.capabilities import KnownStores
from tui_uploader.cloud.s3.client import S3Client
from tui_uploader.cloud.s3.session_credentials import SessionCredentials, session_credentials
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.settings import Settings

QUICK = Deadlines(connect=2.0, stall=2.0, reply=2.0)
SECRET = "SECRETEXAMPLE000001"


@dataclass
class OpenStore:
    store: S3Store
    keys: Renewable[SessionCredentials]
    clock: ServerClock
    fetched: list[SessionCredentials]
    """Every storage key that was asked for."""


@contextlib.asynccontextmanager
async def open_store(
    url: str,
    *,
    clock: Callable[[], float] = time.time,
    access_keys: Iterator[str] | None = None,
    deadlines: Deadlines = QUICK,
    known: KnownStores | None = None,
    **fields: object,
) -> AsyncIterator[OpenStore]:
    """`access_keys` gives each storage key its own access key; `known` is what other projects learned; `fields`
    overwrite those of the credentials reply."""
    origin = origin_of(url)
    server_clock = ServerClock(clock)
    pool = ConnectionPool(Settings(ca_file=CERTIFICATE), deadlines)
    names = access_keys or (f"AKIDEXAMPLE{number:05}" for number in itertools.count(1))
    fetched: list[SessionCredentials] = []

    async def fetch() -> SessionCredentials:
        reply = {
            "access_key": next(names),
            "secret_key": SECRET,
            "bucket": "bucket",
            "key": "user-1/project-2",
            "endpoint_override": origin.netloc,
        }
        fetched.append(session_credentials({**reply, **fields}, server_clock))
        return fetched[-1]

    keys = Renewable(fetch, lambda key: key.life, server_clock.now)
    try:
        store = S3Store(S3Client("2", keys, pool, origin, server_clock, deadlines, known or KnownStores()))
        yield OpenStore(store, keys, server_clock, fetched)
    finally:
        await keys.close()
        await pool.close()


@contextlib.contextmanager
def byte_range(path: Path, content: bytes | int = 1000) -> Iterator[ByteRange]:
    """A file of that content, or of that many random bytes, as a whole."""
    data = os.urandom(content) if isinstance(content, int) else content
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        yield ByteRange(file, 0, len(data), zlib.crc32(data))


def ignore(_: int) -> None:
    """Somebody who does not care how much was sent."""

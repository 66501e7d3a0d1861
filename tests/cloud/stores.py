"""Our object store on top of a test's server, with made-up credentials."""

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
    credentials: Renewable[SessionCredentials]
    clock: ServerClock
    fetched: list[SessionCredentials]
    """All credentials fetched so far."""


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
    """`access_keys`: the access key of each set of credentials; `known`: what other projects learned; `fields`: changes
    to the credentials reply."""
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

    credentials = Renewable(fetch, lambda each: each.life, server_clock.now)
    try:
        store = S3Store(S3Client("2", credentials, pool, origin, server_clock, deadlines, known or KnownStores()))
        yield OpenStore(store, credentials, server_clock, fetched)
    finally:
        await credentials.close()
        await pool.close()


@contextlib.contextmanager
def byte_range(path: Path, content: bytes | int = 1000) -> Iterator[ByteRange]:
    """A whole file with this content, or with this many random bytes."""
    data = os.urandom(content) if isinstance(content, int) else content
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        yield ByteRange(file, 0, len(data), zlib.crc32(data))


def ignore(_: int) -> None:
    """A `SentCallback` that does nothing."""

"""Request bodies: small ones into memory up to a limit, large ones to disk in one pass with their checksums."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from starlette.requests import Request

from tui_uploader.local_cloud.s3.aws_chunked import AwsChunkedDecoder
from tui_uploader.local_cloud.storage.checksums import Digests
from tui_uploader.local_cloud.storage.objects import Incoming
from tui_uploader.local_cloud.threads import Threads

_BATCH = 1024**2
"""Bytes that go to a thread at a time: much less costs hops, much more costs memory for every stream."""


class BodyTooLarge(Exception):
    """A body that is longer than a request of its kind can need."""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises BodyTooLarge, and starlette's ClientDisconnect when the client left."""
    body = bytearray()
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > limit:
                raise BodyTooLarge
    return bytes(body)


class Intake:
    """Takes one body in: decoded, summed and written, by one thread at a time."""

    def __init__(self, incoming: Incoming, digests: Digests, decoder: AwsChunkedDecoder | None) -> None:
        self._incoming = incoming
        self._digests = digests
        self._decoder = decoder

    def take(self, pieces: Sequence[bytes]) -> None:
        """Blocking. Raises S3Refusal where the coding is broken, OSError where the disk is full."""
        for piece in pieces:
            for payload in self._decoder.feed(piece) if self._decoder else (piece,):
                self._digests.update(payload)
                self._incoming.write(payload)

    def finish(self) -> Mapping[str, str]:
        """Blocking: the bytes are on the disk afterwards. The trailers. Raises S3Refusal."""
        trailers = self._decoder.finish() if self._decoder else {}
        self._incoming.seal()
        return trailers


async def take_in(request: Request, intake: Intake, threads: Threads) -> None:
    """Read while the batch before is being summed and written; never more than two batches in memory.

    Raises what `Intake.take` does, and starlette's ClientDisconnect when the client left.
    """
    writing: asyncio.Task[None] | None = None
    try:
        async with aclosing(_batches(request)) as batches:
            async for batch in batches:
                if writing:
                    await writing
                writing = asyncio.create_task(threads.run(intake.take, batch))
        if writing:
            await writing
    finally:
        if writing:
            await asyncio.gather(writing, return_exceptions=True)


async def _batches(request: Request) -> AsyncGenerator[list[bytes], None]:
    batch: list[bytes] = []
    size = 0
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            batch.append(piece)
            size += len(piece)
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch

"""Write the body of an object or part to disk in one pass: decode, compute digests, write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from starlette.requests import Request

from tui_uploader.local_cloud.s3.aws_chunked import AwsChunkedDecoder
from tui_uploader.local_cloud.storage.checksums import Digests
from tui_uploader.local_cloud.storage.objects import IncomingFile
from tui_uploader.local_cloud.threads import Threads

_BATCH = 1024**2
"""Bytes per call to a thread: far fewer cost thread switches, far more cost memory in every stream."""


class BodyWriter:
    """Writes one body to a file, in one thread at a time."""

    def __init__(self, incoming: IncomingFile, digests: Digests, decoder: AwsChunkedDecoder | None) -> None:
        self._incoming = incoming
        self._digests = digests
        self._decoder = decoder

    def write(self, pieces: Sequence[bytes]) -> None:
        """Blocking. Raises S3Refusal for a malformed coding, and OSError when the disk is full."""
        for piece in pieces:
            for payload in self._decoder.feed(piece) if self._decoder else (piece,):
                self._digests.update(payload)
                self._incoming.write(payload)

    def finish(self) -> Mapping[str, str]:
        """Sync the file to disk and return the trailers. Blocking. Raises S3Refusal."""
        trailers = self._decoder.finish() if self._decoder else {}
        self._incoming.seal()
        return trailers


async def receive_body(request: Request, writer: BodyWriter, threads: Threads) -> None:
    """Receive a batch while the one before is written; never more than two batches are in memory.

    Raises what `BodyWriter.write` does, and starlette's ClientDisconnect when the client disconnects.
    """
    writing: asyncio.Task[None] | None = None
    try:
        async with aclosing(_batches(request)) as batches:
            async for batch in batches:
                if writing:
                    await writing
                writing = asyncio.create_task(threads.run(writer.write, batch))
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

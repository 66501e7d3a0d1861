"""What came in and what went wrong on purpose, counted so that no end of this process loses a count.

The object store can tell what it keeps, but not how often it was sent. Both counts lie in a small file that is mapped
into memory: whatever a process wrote there stays, also when it is killed the instant after.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_uploader.local_cloud.routes import is_rest

FILE_NAME = "meter"
_COUNTS = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Counts:
    """Since the root was made."""

    received: int = 0
    """Bytes of objects and parts, whatever became of them."""
    faults: int = 0
    """Requests that were hit by a fault."""


class Meter:
    """Of a root that one server has. All calls return at once; they are meant for the event loop."""

    def __init__(self, root: Path) -> None:
        descriptor = os.open(root / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _COUNTS.size)
            self._mapped = mmap.mmap(descriptor, _COUNTS.size)
        finally:
            os.close(descriptor)

    def count(self, *, received: int = 0, faults: int = 0) -> None:
        before = _COUNTS.unpack_from(self._mapped)
        _COUNTS.pack_into(self._mapped, 0, before[0] + received, before[1] + faults)

    def close(self) -> None:
        self._mapped.close()


class Metered:
    """An ASGI layer: counts the bodies of PUTs to S3 as they are read."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_and_count() -> Message:
            message = await receive()
            self._meter.count(received=len(message.get("body", b"")))
            return message

        counts = scope["method"] == "PUT" and not is_rest(scope["path"])
        await self._app(scope, receive_and_count if counts else receive, send)


def counts(root: Path) -> Counts:
    """Of a root, served or not; nothing where none was served yet."""
    try:
        return Counts(*_COUNTS.unpack((root / FILE_NAME).read_bytes()))
    except (FileNotFoundError, struct.error):
        return Counts()

"""Bounds on replies: how long one may be, how long it may take, and what it may decode to.

Whoever answers may mean no good, so every bound holds while a reply is read and not only afterwards.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from tui_uploader.cloud.http.error_mapping import Stalled
from tui_uploader.cloud.http.messages import MAX_REPLY
from tui_uploader.errors import CloudUnintelligible

MAX_HEAD = 256 * 1024
"""Bytes of the status line and headers, those of interim answers (`100 Continue`) among them."""
_MOST_CHUNKED = 2 * MAX_REPLY
"""Bytes of a body with the lengths of its chunks between them."""
_MOST_PIECES = 50_000
"""Chunks of a byte each would take minutes of computing."""
SLOWEST = 2000
"""Bytes a second that a reply has to arrive with, after the time that it has anyway."""


class ReplyLimits:
    """The time and the bytes of one reply, counted from the moment when it may begin."""

    def __init__(self, host: str, patience: float, monotonic: Callable[[], float]) -> None:
        """`patience`: seconds that the reply may take however short it is."""
        self._host = host
        self._patience = patience
        self._monotonic = monotonic
        self._since = monotonic()
        self._bytes = 0
        self._most = MAX_HEAD

    @property
    def left(self) -> float:
        """Seconds; not above 0 when the reply takes too long."""
        return self._since + self._patience + self._bytes / SLOWEST - self._monotonic()

    def head_ended(self) -> None:
        """What comes now is the body."""
        self._most += _MOST_CHUNKED

    def received(self, count: int) -> None:
        """Raises Stalled when the time is over, and CloudUnintelligible for more bytes than a reply has."""
        self._bytes += count
        if self._bytes > self._most:
            raise CloudUnintelligible(f"The reply of {self._host} is too long to be one.")
        if self.left <= 0:
            raise Stalled


class BodyDecoder:
    """Takes the coding of a body away, piece by piece, and never makes more than `MAX_REPLY` bytes of it."""

    def __init__(self, coding: str, host: str) -> None:
        """`coding`: the `Content-Encoding` header. Raises CloudUnintelligible for any other than gzip, and for several
        on top of each other: each may multiply the size by a thousand."""
        name = coding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip"):
            raise CloudUnintelligible(f"{host} sent a reply in a coding that it was not asked for.")
        self._host = host
        self._unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if name.endswith("gzip") else None
        self._body = bytearray()
        self._pieces = 0

    def feed(self, data: bytes) -> None:
        """Raises CloudUnintelligible."""
        if self._unzip is not None:
            try:
                data = self._unzip.decompress(data, MAX_REPLY + 1 - len(self._body))
            except zlib.error as error:
                raise CloudUnintelligible(f"{self._host} sent a reply that cannot be decoded.") from error
        self._body += data
        self._pieces += 1
        if self._pieces > _MOST_PIECES or len(self._body) > MAX_REPLY:
            raise CloudUnintelligible(f"The reply of {self._host} is too long to be one.")

    def whole(self) -> bytes:
        """The body. Raises CloudUnintelligible where it was cut, or where something follows it."""
        if self._unzip is not None and self._body and (not self._unzip.eof or self._unzip.unused_data):
            raise CloudUnintelligible(f"{self._host} sent a reply that cannot be decoded.")
        return bytes(self._body)

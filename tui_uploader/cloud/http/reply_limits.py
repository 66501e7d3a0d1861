"""Limits on replies: size, duration, and decoded size.

A server may be hostile, so every limit is enforced while a reply is read, not afterwards.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from tui_uploader.cloud.http.error_mapping import Stalled
from tui_uploader.cloud.http.messages import MAX_REPLY
from tui_uploader.errors import CloudUnintelligible

MAX_HEAD = 256 * 1024
"""Bytes of the status line and headers, including those of interim replies (`100 Continue`)."""
_MAX_CHUNKED = 2 * MAX_REPLY
"""Bytes of a chunked body, chunk sizes included."""
_MAX_PIECES = 50_000
"""Millions of one-byte chunks would take minutes of CPU time."""
MIN_REPLY_RATE = 2000
"""Bytes per second at which a reply must arrive once its fixed time is used up."""


class ReplyLimits:
    """Time and size limits of one reply, counted from the moment it may begin."""

    def __init__(self, host: str, fixed_time: float, monotonic: Callable[[], float]) -> None:
        """`fixed_time`: seconds that any reply may take, however short it is."""
        self._host = host
        self._fixed_time = fixed_time
        self._monotonic = monotonic
        self._since = monotonic()
        self._bytes = 0
        self._max_bytes = MAX_HEAD

    @property
    def left(self) -> float:
        """Seconds left; 0 or less if the reply takes too long."""
        return self._since + self._fixed_time + self._bytes / MIN_REPLY_RATE - self._monotonic()

    def head_ended(self) -> None:
        """Note that the body comes next."""
        self._max_bytes += _MAX_CHUNKED

    def received(self, count: int) -> None:
        """Count bytes. Raises Stalled for a reply that takes too long, CloudUnintelligible for one that is too long."""
        self._bytes += count
        if self._bytes > self._max_bytes:
            raise CloudUnintelligible(f"The reply from {self._host} is too long.")
        if self.left <= 0:
            raise Stalled


class BodyDecoder:
    """Decodes a body piece by piece, to at most `MAX_REPLY` bytes."""

    def __init__(self, coding: str, host: str) -> None:
        """`coding`: the `Content-Encoding` header.

        Raises CloudUnintelligible for encodings other than gzip, and for several: each may multiply the size by 1000.
        """
        name = coding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip"):
            raise CloudUnintelligible(f"{host} sent a reply in an encoding that was not requested.")
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
        if self._pieces > _MAX_PIECES or len(self._body) > MAX_REPLY:
            raise CloudUnintelligible(f"The reply from {self._host} is too long.")

    def whole(self) -> bytes:
        """The complete body. Raises CloudUnintelligible if it was cut, or if data follows it."""
        if self._unzip is not None and self._body and (not self._unzip.eof or self._unzip.unused_data):
            raise CloudUnintelligible(f"{self._host} sent a reply that cannot be decoded.")
        return bytes(self._body)

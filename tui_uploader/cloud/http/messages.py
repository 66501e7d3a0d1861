"""HTTP requests and replies as plain values, and the file object that `http.client` reads replies from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui_uploader.cloud.contract import ByteRange

MAX_REPLY = 8 * 1024**2
"""Bytes of a decoded reply body; replies of both protocols are much shorter."""
_MAX_VALUES = 500_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent, signed."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: Sequence[tuple[str, str]]
    body: bytes | ByteRange = b""
    reply_timeout: float = 60.0
    """Seconds from the last byte sent to the first byte of the reply."""

    @property
    def length(self) -> int:
        return self.body.length if isinstance(self.body, ByteRange) else len(self.body)

    def head(self) -> bytes:
        """The request line and the headers. Raises ValueError for a header with a line break in it."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        if self.length or self.method in ("PUT", "POST"):
            lines.append(f"Content-Length: {self.length}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("line break in a header")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP reply."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    repeated: bool = False
    """The request was sent before, on a connection that broke without a reply: it may already have taken effect."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> object:
        """The decoded JSON body.

        Raises ValueError for invalid JSON, and for more values than fit in memory: each is many times larger than its
        text.
        """
        if sum(self.body.count(mark) for mark in (b",", b"[", b"{")) > _MAX_VALUES:
            raise ValueError("too many values")
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @property
    def is_html(self) -> bool:
        """Whether this is a web page, by its body or its content type."""
        return self._begins_a_page or "html" in self.headers.get("content-type", "").lower()

    @property
    def is_html_of_store(self) -> bool:
        """`is_html` for replies of a store. Some stores label empty replies `text/html`, and successful ones carry an
        ETag; of these, only the body tells a page."""
        return self._begins_a_page or (self.is_html and bool(self.body.strip()) and "etag" not in self.headers)

    @property
    def _begins_a_page(self) -> bool:
        start = self.body[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        return start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start)


class ReplySource:
    """A stand-in for the socket that `http.client` expects, of which it only uses `makefile`.

    `read_ahead`: bytes that may be read from the connection beyond those requested.
    """

    def __init__(self, receive_into: Callable[[memoryview], int], read_ahead: int = io.DEFAULT_BUFFER_SIZE) -> None:
        self._receive_into = receive_into
        self._read_ahead = read_ahead

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_ReplyStream(self._receive_into), self._read_ahead)


class _ReplyStream(io.RawIOBase):
    def __init__(self, receive_into: Callable[[memoryview], int]) -> None:
        self._receive_into = receive_into

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._receive_into(memoryview(buffer).cast("B"))

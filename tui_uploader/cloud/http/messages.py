"""HTTP requests and replies as plain values, and the file that `http.client` reads replies from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui_uploader.cloud.contract import ByteRange

MAX_REPLY = 8 * 1024**2
"""Bytes of a reply's body, decoded; no reply of either protocol is nearly as long."""
_MOST_VALUES = 500_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes out, signed."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: Sequence[tuple[str, str]]
    body: bytes | ByteRange = b""
    patience: float = 60.0
    """Seconds from the last byte sent until the reply has to begin."""

    @property
    def length(self) -> int:
        return self.body.length if isinstance(self.body, ByteRange) else len(self.body)

    def head(self) -> bytes:
        """Raises ValueError for a header that would break out of its line."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        if self.length or self.method in ("PUT", "POST"):
            lines.append(f"Content-Length: {self.length}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line break inside a header")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, whole."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    repeated: bool = False
    """The same request went out before, on a connection that broke without an answer: it may have taken effect."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> object:
        """The value of the JSON text in the body.

        Raises ValueError where it is none, and where its values would fill the memory: each is many times larger than
        its text.
        """
        if sum(self.body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
            raise ValueError("too many values")
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @property
    def is_html(self) -> bool:
        """Whether this is a page for people, by its body or by its label."""
        return self._begins_a_page or "html" in self.headers.get("content-type", "").lower()

    @property
    def is_html_of_store(self) -> bool:
        """The same of what may be a store's answer: stores of several kinds label empty answers `text/html`, and what
        they stored carries an ETag, so that only a body that begins a page counts against those."""
        return self._begins_a_page or (self.is_html and bool(self.body.strip()) and "etag" not in self.headers)

    @property
    def _begins_a_page(self) -> bool:
        start = self.body[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        return start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start)


class ReplySource:
    """What `http.client` takes for a socket: it only asks for a file to read from.

    `read_ahead`: bytes that may be taken from the connection beyond those that were asked for.
    """

    def __init__(self, receive_into: Callable[[memoryview], int], read_ahead: int = io.DEFAULT_BUFFER_SIZE) -> None:
        self._receive_into = receive_into
        self._read_ahead = read_ahead

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._receive_into), self._read_ahead)


class _Incoming(io.RawIOBase):
    def __init__(self, receive_into: Callable[[memoryview], int]) -> None:
        self._receive_into = receive_into

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._receive_into(memoryview(buffer).cast("B"))

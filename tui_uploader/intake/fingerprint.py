"""Which content a file holds, told by one read of it.

One pass over the bytes gives both the identity that recognises a duplicate and the CRC32 that the object store checks.
Both sums, and the reads, let go of the interpreter's lock: threads run side by side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import xxhash
from zlib_ng import zlib_ng

from tui_uploader.errors import SourceChanged
from tui_uploader.intake.scan import Candidate
from tui_uploader.intake.source import open_source, source_error
from tui_uploader.text import printable

_BUFFER_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The content of a file."""

    identity: str
    """xxh3-128 of the content, 32 hex digits."""
    crc32: int
    size: int


class _ThreadBuffer(threading.local):
    """One buffer for each thread, for as long as the thread lives: reading allocates nothing."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BUFFER_SIZE))


_buffer = _ThreadBuffer()


def fingerprint(candidate: Candidate) -> Fingerprint:
    """Read the file once, from its beginning to its end. Blocking: for a thread.

    Raises SourceChanged when the file is not the one that `candidate` describes, or changed meanwhile;
    SourceVanished; SourceUnreadable.
    """
    identity, crc32, size = xxhash.xxh3_128(), 0, 0
    view = _buffer.view
    with open_source(candidate.path) as (descriptor, found):
        _check_same(candidate, found)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while count := os.readv(descriptor, [view]):
            chunk = view[:count]
            identity.update(chunk)
            crc32 = zlib_ng.crc32(chunk, crc32)
            size += count
        _check_same(candidate, Path(candidate.path).stat())
    if size != candidate.size:
        raise _changed(candidate)
    return Fingerprint(identity.hexdigest(), crc32, size)


def _check_same(candidate: Candidate, found: os.stat_result) -> None:
    if Candidate.of(candidate.path, found) != candidate:
        raise _changed(candidate)


def _changed(candidate: Candidate) -> SourceChanged:
    return SourceChanged(
        f"{printable(candidate.path)} changed while it was being read; it is read again once nothing writes to it."
    )


def crc32_of(file: BinaryIO, offset: int, length: int) -> int:
    """CRC32 of `length` bytes from `offset`, read without moving the file's position. Blocking: for a thread.

    Raises SourceChanged when the file ends before them; SourceVanished, SourceUnreadable.
    """
    view, crc32, end = _buffer.view, 0, offset + length
    while offset < end:
        try:
            count = os.preadv(file.fileno(), [view[: end - offset]], offset)
        except OSError as error:
            raise source_error(str(file.name), error) from error
        if count == 0:
            raise SourceChanged(f"{printable(str(file.name))} became shorter while it was being read.")
        crc32 = zlib_ng.crc32(view[:count], crc32)
        offset += count
    return crc32


def crc32_joined(parts: Iterable[tuple[int, int]]) -> int:
    """CRC32 of a whole from (CRC32, length in bytes) of its parts, in order."""
    whole = 0
    for crc32, length in parts:
        whole = zlib_ng.crc32_combine(whole, crc32, length)
    return whole

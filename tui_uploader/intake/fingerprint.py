"""Which content a file holds, told by one read of it.

One pass over the bytes gives both the identity that recognises a duplicate and the CRC32 that the object store checks.
Both sums, and the reads, let go of the interpreter's lock: threads run side by side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import xxhash
from zlib_ng import zlib_ng

from tui_uploader.errors import SourceChanged
from tui_uploader.intake.samples import Sampler
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
    samples: str
    """See `intake.samples`."""
    parts: tuple[int, ...]
    """CRC32 of each part, in order."""


class _ThreadBuffer(threading.local):
    """One buffer for each thread, for as long as the thread lives: reading allocates nothing."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BUFFER_SIZE))


_buffer = _ThreadBuffer()


def fingerprint(path: str, descriptor: int | None = None, part_size: int | None = None) -> Fingerprint:
    """Read the file once, from its beginning to its end. Blocking: for a thread.

    With `descriptor`, the file that is open there is read, and `path` only names it; its position is moved.
    `part_size` is the length of the parts whose CRC32 is wanted as well; None: the whole is one part.

    Raises SourceChanged when it changed meanwhile; SourceVanished; SourceUnreadable.
    """
    with open_source(path, descriptor) as (opened, before):
        found = _read(opened, before.st_size, part_size or max(1, before.st_size))
        after = os.fstat(opened)
    if (before.st_size, before.st_mtime_ns, found.size) != (after.st_size, after.st_mtime_ns, after.st_size):
        raise changed_while_read(path)
    return found


def changed_while_read(path: str) -> SourceChanged:
    return SourceChanged(
        f"{printable(path)} changed while it was being read; it is read again once nothing writes to it."
    )


def _read(descriptor: int, size: int, part_size: int) -> Fingerprint:
    identity, offset, view = xxhash.xxh3_128(), 0, _buffer.view
    sampler, parts = Sampler(size), list[int]()
    os.lseek(descriptor, 0, os.SEEK_SET)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    while count := os.readv(descriptor, [view[: part_size - offset % part_size]]):
        chunk = view[:count]
        identity.update(chunk)
        sampler.update(offset, chunk)
        if offset % part_size == 0:
            parts.append(0)
        parts[-1] = zlib_ng.crc32(chunk, parts[-1])
        offset += count
    lengths = [min(part_size, offset - start) for start in range(0, offset, part_size)]
    whole = crc32_joined(zip(parts, lengths, strict=True))
    return Fingerprint(identity.hexdigest(), whole, offset, sampler.hexdigest(), tuple(parts))


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

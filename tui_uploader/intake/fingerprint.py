"""Identify the content of a file by reading it once.

One pass over the bytes gives both the identity, which finds duplicates, and the CRC32, which the object storage checks.
Both hashes and the reads release the interpreter lock, so threads run in parallel.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
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
    """Hashes of the content of a file."""

    identity: str
    """xxh3-128 of the content, 32 hex digits."""
    crc32: int
    size: int
    samples: str
    """See `intake.samples`."""
    parts: tuple[int, ...]
    """CRC32 of each part, in order."""


class _ThreadBuffer(threading.local):
    """One buffer per thread, so that reading allocates nothing."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BUFFER_SIZE))


_buffer = _ThreadBuffer()


class ReadingStopped(Exception):
    """The observer of a reading does not want the rest."""


Observer = Callable[[int], None]
"""Called with the number of bytes read so far, every MiB or less. May raise `ReadingStopped`."""


def unobserved(done: int) -> None:
    """For readings that are not followed."""


def fingerprint(
    path: str, descriptor: int | None = None, part_size: int | None = None, observe: Observer = unobserved
) -> Fingerprint:
    """Read the file once, from beginning to end. Blocking: for a thread.

    With `descriptor`, that open file is read, its position is moved, and errors name `path`. `part_size` is the length
    of the parts that get a CRC32 of their own; None: the whole file is one part.

    Raises SourceChanged when the file changed meanwhile; SourceVanished, SourceUnreadable; what `observe` raises.
    """
    with open_source(path, descriptor) as (opened, before):
        found = _read(opened, before.st_size, part_size or max(1, before.st_size), observe)
        after = os.fstat(opened)
    if (before.st_size, before.st_mtime_ns, found.size) != (after.st_size, after.st_mtime_ns, after.st_size):
        raise changed_while_read(path)
    return found


def changed_while_read(path: str) -> SourceChanged:
    return SourceChanged(
        f"{printable(path)} changed while it was being read. It will be read again once nothing writes to it."
    )


def _read(descriptor: int, size: int, part_size: int, observe: Observer) -> Fingerprint:
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
        observe(offset)
    lengths = [min(part_size, offset - start) for start in range(0, offset, part_size)]
    whole = crc32_joined(zip(parts, lengths, strict=True))
    return Fingerprint(identity.hexdigest(), whole, offset, sampler.hexdigest(), tuple(parts))


def crc32_of(file: BinaryIO, offset: int, length: int) -> int:
    """CRC32 of `length` bytes at `offset`, read without moving the file's position. Blocking: for a thread.

    Raises SourceChanged when the file is shorter; SourceVanished, SourceUnreadable.
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
    """CRC32 of a file from (CRC32, length in bytes) of its parts, in order."""
    whole = 0
    for crc32, length in parts:
        whole = zlib_ng.crc32_combine(whole, crc32, length)
    return whole

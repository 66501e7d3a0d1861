"""Signs that a program is still writing a file, found without reading all of it.

No single sign is enough. Modification times come from clocks that are wrong; a copy can have its full size before all
of its bytes are there; and most file systems do not say who has a file open.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
from dataclasses import dataclass
from typing import BinaryIO

from xxhash import xxh3_64_intdigest

from tui_uploader.intake.mounts import mount_of
from tui_uploader.intake.source import open_source

MAX_ZERO_TAIL = 1 << 20
"""Zero bytes at the end of a file are counted up to here."""

_BLOCK = 1 << 12
_SAMPLED_BLOCKS = 4
_MIN_ZERO_TAIL = _BLOCK
_ZERO_TAIL_SHARE = 4
"""Zeros in the last quarter of a file, or in all of its tail that is read, are not part of a picture."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The state of a file at one moment."""

    size: int
    mtime_ns: int
    samples: int
    """A checksum of a few blocks between the file's beginning and its end."""
    ctime_ns: int | None = None
    """None where programs can set the file system's ctime, or it has none."""
    open_for_writing: bool = False
    """A program has the file open for writing. False also where the system does not report it."""
    holes: bool = False
    """Parts of the file were never written: no disk blocks are allocated for them."""
    trailing_zeros: int = 0
    """Zero bytes at the end, after other data; counted up to `MAX_ZERO_TAIL`."""

    @property
    def has_zero_tail(self) -> bool:
        """Whether too much of its end is zeros for a complete photo."""
        zeros = self.trailing_zeros
        return zeros > _MIN_ZERO_TAIL and zeros >= min(self.size // _ZERO_TAIL_SHARE, MAX_ZERO_TAIL)


def observe(path: str, real: str = "") -> Observation:
    """Read a few blocks of the file and ask the system about it; `real` as in `Candidate`. Blocking: for a thread.

    Raises SourceVanished, SourceUnreadable.
    """
    with open_source(path, real=real) as (descriptor, found):
        size, mount = found.st_size, mount_of(descriptor)
        is_local = mount.keeps_ctime or os.major(found.st_dev) != 0
        return Observation(
            size=size,
            mtime_ns=found.st_mtime_ns,
            samples=_samples(descriptor, size),
            ctime_ns=found.st_ctime_ns if mount.keeps_ctime else None,
            open_for_writing=is_local and _is_open_for_writing(descriptor),
            holes=_has_holes(descriptor, size),
            trailing_zeros=_zero_tail(descriptor, size),
        )


def trailing_zeros(file: BinaryIO, size: int) -> int:
    """Count the zero bytes at the end of a file of `size` bytes, within its last `MAX_ZERO_TAIL` bytes.

    Programs that copy files often give the copy its full size first. What they have not written yet reads as zeros, and
    stays zeros if the copy is interrupted. Reads 4 KiB of most files, more only where those are all zeros. Moves the
    file's position.
    """
    zeros, length = 0, _BLOCK
    most = min(size, MAX_ZERO_TAIL)
    while zeros < most:
        length = min(length, most - zeros)
        file.seek(size - zeros - length)
        chunk = file.read(length)
        run = len(chunk) - len(chunk.rstrip(b"\0"))
        zeros += run
        if run < length:
            break
        length *= 4
    return zeros


def _samples(descriptor: int, size: int) -> int:
    last = max(0, size - _BLOCK)
    offsets = {last * step // (_SAMPLED_BLOCKS - 1) for step in range(_SAMPLED_BLOCKS)}
    return xxh3_64_intdigest(b"".join(os.pread(descriptor, _BLOCK, offset) for offset in sorted(offsets)))


def _zero_tail(descriptor: int, size: int) -> int:
    """`trailing_zeros`; 0 for an image that is black from its first pixels on: a copy has written its first blocks."""
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        zeros = trailing_zeros(file, size)
    is_black = zeros and not any(os.pread(descriptor, _BLOCK, _BLOCK))
    return 0 if is_black else zeros


def _has_holes(descriptor: int, size: int) -> bool:
    """False on file systems without holes, such as FAT: there lseek finds only the one behind the end (man 2 lseek)."""
    with contextlib.suppress(OSError, AttributeError):
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < size
    return False


def _is_open_for_writing(descriptor: int) -> bool:
    """Ask for a read lease, which Linux refuses with EAGAIN while a program has the file open for writing, and release
    it at once (man 2 fcntl, F_SETLEASE: only the file's owner may, or a capability that users do not have).

    Only for local file systems, where every writer goes through this kernel. NFS and SMB refuse leases with the same
    EAGAIN when the server granted no delegation (Linux, fs/nfs/nfs4proc.c, fs/smb/client/cifsfs.c).
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        # If a program opens the file at this moment, the kernel sends a signal. The default one, SIGIO, ends the
        # process; SIGURG is ignored unless a handler is set (man 7 signal).
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False

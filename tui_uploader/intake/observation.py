"""One look at a file, without reading all of it: what can tell that a program still writes it.

No single sign is enough. Times of files come from clocks that are wrong; a copy can have its full size before its
bytes are there; and most file systems do not say who has a file open.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from tui_uploader.intake.mounts import mount_of
from tui_uploader.intake.source import open_source
from tui_uploader.intake.tail import FARTHEST_LOOK, ends_in_zeros

_SAMPLE = 1 << 12
_SAMPLES = 4
_SMALLEST_GAP = _SAMPLE
_GAP_SHARE = 4
"""A gap of a quarter of the file, or of all that is looked at of its end, is no accident of a picture."""


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it was found."""

    size: int
    mtime_ns: int
    samples: int
    """A checksum of a few blocks between the file's beginning and its end."""
    ctime_ns: int | None = None
    """None where the file system keeps none that programs cannot set."""
    written: bool = False
    """A program has the file open for writing. False also where the system does not tell."""
    holes: bool = False
    """Parts of the file were never written: they have no place on the disk."""
    zeros: int = 0
    """Bytes at the end that are zero although data comes before them, counted up to `tail.FARTHEST_LOOK`."""

    @property
    def has_gap(self) -> bool:
        """So much of its end is zeros that it cannot be taken for a whole photo."""
        return self.zeros > _SMALLEST_GAP and self.zeros >= min(self.size // _GAP_SHARE, FARTHEST_LOOK)


def look_at(path: str, real: str = "") -> Look:
    """Read a few blocks of the file and ask the system about it; `real` as in `Candidate`. Blocking: for a thread.

    Raises SourceVanished, SourceUnreadable.
    """
    with open_source(path, real=real) as (descriptor, found):
        size, mount = found.st_size, mount_of(descriptor)
        return Look(
            size=size,
            mtime_ns=found.st_mtime_ns,
            samples=_samples(descriptor, size),
            ctime_ns=found.st_ctime_ns if mount.keeps_ctime else None,
            written=_is_written(descriptor, on_this_machine=mount.keeps_ctime or os.major(found.st_dev) != 0),
            holes=_has_holes(descriptor, size),
            zeros=_zeros(descriptor, size),
        )


def _samples(descriptor: int, size: int) -> int:
    last = max(0, size - _SAMPLE)
    offsets = {last * step // (_SAMPLES - 1) for step in range(_SAMPLES)}
    return xxh3_64_intdigest(b"".join(os.pread(descriptor, _SAMPLE, offset) for offset in sorted(offsets)))


def _zeros(descriptor: int, size: int) -> int:
    """An image that is black from its first pixels on does not count: a copy has written at least its first block."""
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        zeros = ends_in_zeros(file, size)
    black = zeros and not any(os.pread(descriptor, _SAMPLE, _SAMPLE))
    return 0 if black else zeros


def _has_holes(descriptor: int, size: int) -> bool:
    """False where the file system knows no holes, as FAT: then lseek finds only that behind the end (man 2 lseek)."""
    with contextlib.suppress(OSError, AttributeError):
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < size
    return False


def _is_written(descriptor: int, *, on_this_machine: bool) -> bool:
    """Ask for a read lease, which Linux refuses with EAGAIN while a program has the file open for writing, and give it
    back at once (man 2 fcntl, F_SETLEASE: it takes the file's owner, or a capability that users do not have).

    Asked only on file systems of this machine, where every writer goes through this kernel. NFS and SMB refuse leases
    with the same EAGAIN when the server granted no delegation (Linux, fs/nfs/nfs4proc.c, fs/smb/client/cifsfs.c), and
    then it means nothing.
    """
    if not hasattr(fcntl, "F_SETLEASE") or not on_this_machine:
        return False
    try:
        # A program that opens the file in this moment makes the kernel send a signal. The usual one, SIGIO, ends the
        # process; SIGURG is ignored unless a handler is set (man 7 signal).
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False

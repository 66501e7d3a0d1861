"""The lock that keeps other processes from opening the journal.

SQLite lets several processes write to one file in turn, and two engines would send the same files. The lock is an
advisory `flock` on a file next to the journal: the kernel releases it when the process ends, and it also excludes a
second open within the same process. It is not on the journal's own file, because closing any descriptor of that file
would drop SQLite's POSIX locks on it (https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from tui_uploader.engine.journal.failures import shown
from tui_uploader.errors import JournalInUse, JournalUnwritable

_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class JournalLock:
    """Held until `release`, which removes its file."""

    def __init__(self, journal: Path) -> None:
        """`journal`: without symbolic links. Raises JournalInUse, JournalUnwritable."""
        self._path = Path(f"{journal}-guard")
        self._descriptor = _held(self._path, journal)

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def _held(path: Path, journal: Path) -> int:
    """Return a descriptor of the locked file at `path`, which the previous holder may remove at any moment."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            _lock(descriptor, path, journal)
            if _is_at(path, descriptor):
                # The process id is for messages only, so a full disk must not prevent opening the journal.
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: Path, journal: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, 20, 0).strip()
        holder = f"process {int(pid)}" if pid.isdigit() else "another process"
        raise JournalInUse(
            f"The journal {shown(journal)} is open in {holder}, and only one engine may use it. Stop that engine "
            "first (`tui-uploader engine stop`)."
        ) from None
    except OSError as error:
        raise _unusable(path, error) from error


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


def _unusable(path: Path, error: OSError) -> JournalUnwritable:
    if error.errno in _NO_LOCKS_HERE:
        return JournalUnwritable(
            f"The file system of {shown(path.parent)} does not support file locks ({error.strerror}), so the journal "
            "is not safe there. Set XDG_DATA_HOME to a folder on a local disk."
        )
    return JournalUnwritable(f"Cannot use the journal's folder {shown(path.parent)}: {error.strerror or error}.")

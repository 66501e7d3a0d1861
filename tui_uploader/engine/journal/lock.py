"""The lock that keeps every other process from the journal while it is open.

SQLite itself lets several processes write to one file in turn, and each would believe that its files are its own to
send. The lock is an advisory `flock` on a file beside the journal: the kernel drops it when the process dies, and it
holds between two opens within one process too. It is never put on the journal's own file: closing any descriptor of
that file would drop SQLite's POSIX locks on it (https://sqlite.org/howtocorrupt.html, section 2.2).
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


class Guard:
    """The lock, held until `release`. Its file goes with it."""

    def __init__(self, journal: Path) -> None:
        """`journal`: without symbolic links. Raises JournalInUse, JournalUnwritable."""
        self._path = Path(f"{journal}-guard")
        self._descriptor = _held(self._path, journal)

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def _held(path: Path, journal: Path) -> int:
    """A descriptor of the locked file that lies at `path`: the holder before may remove it at any moment."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            _lock(descriptor, path, journal)
            if _lies_at(path, descriptor):
                # The text is for messages only, so a full disk must not keep the journal closed.
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


def _lies_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


def _unusable(path: Path, error: OSError) -> JournalUnwritable:
    if error.errno in _NO_LOCKS_HERE:
        return JournalUnwritable(
            f"The file system of {shown(path.parent)} has no file locks ({error.strerror}), so the journal is not safe "
            "there. Let XDG_DATA_HOME name a folder on a local disk."
        )
    return JournalUnwritable(f"The journal's folder {shown(path.parent)} cannot be used: {error.strerror or error}.")

"""One engine per user: the lock that it holds for life, and the socket that is its door.

The lock is an advisory `flock`, which the kernel drops when the process dies, however it dies: a lock file that was
left behind locks nothing. Whoever holds it owns the socket's path, so a socket found there is stale and may go.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui_uploader.errors import EngineUnreachable, EngineWillNotStart
from tui_uploader.settings import Directories, private
from tui_uploader.text import printable


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, as far as its file tells."""

    pid: int | None = None
    version: str | None = None

    @property
    def named(self) -> str:
        """`process 4711`, for a sentence."""
        return "another process" if self.pid is None else f"process {self.pid}"

    @property
    def how_to_end(self) -> str:
        return "end it" if self.pid is None else f"end it with `kill -9 {self.pid}`"


class AlreadyRunning(Exception):
    """Not a failure for who only wants an engine to be there."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"The engine runs already ({holder.named}).")
        self.holder = holder


class Lock(msgspec.Struct, frozen=True):
    """The lock, held."""

    path: Path
    descriptor: int

    @property
    def intact(self) -> bool:
        """False when the file was removed or replaced: then another engine could start beside the holder."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self.descriptor))


def make_private(directories: Directories) -> None:
    """The folders that the engine writes to. Raises EngineWillNotStart naming the one that it cannot have."""
    for folder in (directories.data, directories.state, directories.socket.parent):
        try:
            private(folder)
        except OSError as error:
            raise _unusable(folder, error) from error


@contextlib.contextmanager
def sole_instance(directories: Directories, version: str) -> Iterator[Lock]:
    """Hold the lock. Raises AlreadyRunning, EngineWillNotStart."""
    try:
        descriptor = os.open(directories.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unusable(directories.lock, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_described(descriptor)) from None
        except OSError as error:
            raise _unusable(directories.lock, error) from error
        # The text is for messages only, so a full disk must not keep the engine from starting.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {version}\n".encode(), 0)
        yield Lock(directories.lock, descriptor)
    finally:
        os.close(descriptor)


def holder(directories: Directories) -> Holder | None:
    """Who holds the lock now; None when nobody does, or nobody can tell."""
    try:
        descriptor = os.open(directories.lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _described(descriptor)
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(descriptor)


def _described(descriptor: int) -> Holder:
    pid, _, version = os.pread(descriptor, 200, 0).decode("ascii", "replace").strip().partition(" ")
    return Holder(int(pid), printable(version)) if pid.isascii() and pid.isdecimal() else Holder()


@contextlib.contextmanager
def door(path: Path) -> Iterator[socket.socket]:
    """The engine's socket, bound at `path` with mode 0600 and not yet listening. For the holder of the lock only.

    Raises EngineWillNotStart.
    """
    _clear(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            bound.bind(os.fspath(path))
            path.chmod(0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        ours = path.stat()
        try:
            yield bound
        finally:
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), ours):
                    path.unlink()
    finally:
        bound.close()


def _clear(path: Path) -> None:
    """Remove the socket that a dead engine left at `path`, and nothing else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise EngineWillNotStart(
                f"The engine cannot start: {_shown(path)}, where its socket belongs, is something else;"
                " move it away, then try again."
            )
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(path, error) from error


def listening(path: Path) -> bool:
    """Somebody listens at the socket; it need not be in a state to answer.

    Raises EngineUnreachable when the folder is not ours: whoever listens there must not be told anything.
    """
    _refuse_foreign(path.parent)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
        visitor.setblocking(False)
        try:
            visitor.connect(os.fspath(path))
        except BlockingIOError:  # its queue of visitors is full
            return True
        except OSError:
            return False
    return True


def _refuse_foreign(folder: Path) -> None:
    try:
        found = folder.lstat()
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EngineUnreachable(
            f"The engine's folder {_shown(folder)} is no folder of yours, so what listens there cannot be trusted;"
            " have it removed, then try again."
        )


def _unusable(path: Path, error: OSError) -> EngineWillNotStart:
    if len(os.fsencode(path)) > 100 and error.errno is None:
        return EngineWillNotStart(
            f"The engine cannot start: the path of its socket is too long ({_shown(path)});"
            " let XDG_STATE_HOME or TMPDIR name a shorter folder."
        )
    return EngineWillNotStart(
        f"The engine cannot start: {_shown(path)} is not to be had ({error.strerror or error});"
        " it has to be yours and writable, on a disk that is not full."
    )


def _shown(path: Path) -> str:
    return printable(os.fspath(path))

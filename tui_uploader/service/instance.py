"""One engine per journal: a lock file beside the journal, which also says where the engine can be reached.

Front ends and engines of one user can have different environments (a login shell, cron). So only the journal's folder
decides which lock counts, and the lock file names the socket and the log.

The lock is an advisory `flock`, which the kernel releases when the process dies, however it dies: a leftover lock file
locks nothing. On NFS it holds between computers (flock(2)), so the lock file names the computer, too.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui_uploader import codec
from tui_uploader.errors import EngineUnreachable, EngineWillNotStart
from tui_uploader.ownership import foreign, private
from tui_uploader.service.process_identity import describe_process, this_machine
from tui_uploader.service.socket_file import unusable
from tui_uploader.settings import APP, Directories
from tui_uploader.text import printable, whole_number

_MOST_TEXT = 16 * 1024
_MOST_PID = 2**31 - 1
_NO_LOCKS_HERE = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})

# A front end that reads the lock file holds a shared lock for an instant, so the engine tries again.
_ATTEMPTS = 5
_PAUSE = 0.02


class LockHolder(msgspec.Struct, frozen=True, omit_defaults=True):
    """The process that holds the lock, as its file describes it."""

    pid: int | None = None
    version: str | None = None
    host: str | None = None
    boot: str | None = None
    """Boot id of `host`; two computers can have the same name."""
    started: str | None = None
    """Start time, in the format of `process_identity.Process.started`."""
    socket: str | None = None
    """Path of its socket; None before it listens."""
    log: str | None = None

    @property
    def elsewhere(self) -> bool:
        """It runs on another computer, or in a container with a host name of its own."""
        here = this_machine()
        return self.host not in (None, here.host) or self.boot not in (None, here.boot)

    @property
    def named(self) -> str:
        """The process in a sentence: `process 4711`."""
        process = "another process" if self.pid is None else f"process {self.pid}"
        return f"{process} on the computer {printable(self.host or '?', 80)}" if self.elsewhere else process

    def is_same(self, other: LockHolder | None) -> bool:
        """Whether both are the same process."""
        return other is not None and (self.pid, self.started) == (other.pid, other.started)


class EngineAlreadyRunning(Exception):
    """Another engine holds the lock; no failure for a caller that only needs an engine."""

    def __init__(self, holder: LockHolder) -> None:
        super().__init__(f"The engine is already running ({holder.named}).")
        self.holder = holder


class EngineLock:
    """The lock, held until `release`."""

    def __init__(self, path: Path, holder: LockHolder) -> None:
        """Raises EngineAlreadyRunning, EngineWillNotStart."""
        self._path = path
        self._holder = holder
        self._descriptor = _locked_file(path)
        self._write()

    @property
    def intact(self) -> bool:
        """False when the file was removed or replaced, so that a second engine could start."""
        return _is_file_at(self._path, self._descriptor)

    def retake(self) -> bool:
        """Lock a new file after the old one was removed or replaced; return False when another process was faster."""
        try:
            descriptor = _locked_file(self._path)
        except (EngineAlreadyRunning, EngineWillNotStart):
            return False
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._write()
        return True

    def announce(self, socket: Path) -> None:
        """Write the path of the engine's socket to the lock file."""
        self._holder = msgspec.structs.replace(self._holder, socket=os.fspath(socket))
        self._write()

    def _write(self) -> None:
        # Without the text front ends use the default path, so a full disk must not prevent the engine's start.
        # Overwritten before it is truncated: on a full disk the blocks of the file can still be written.
        text = f"{codec.to_json(self._holder)}\n".encode()
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, text, 0)
            os.ftruncate(self._descriptor, len(text))

    def release(self) -> None:
        os.close(self._descriptor)


def make_folders_private(directories: Directories) -> None:
    """Create the folders that the engine writes to. Raises EngineWillNotStart with the folder that cannot be used."""
    for folder in (directories.data, directories.state):
        try:
            private(folder)
        except OSError as error:
            raise unusable(folder, error) from error


@contextlib.contextmanager
def sole_instance(directories: Directories, version: str) -> Iterator[EngineLock]:
    """Hold the lock during the block. Raises EngineAlreadyRunning, EngineWillNotStart."""
    lock = EngineLock(directories.lock, _this_process(directories, version))
    try:
        earlier = _earlier_holder(directories)
        if earlier is not None:
            raise EngineAlreadyRunning(earlier)
        yield lock
    finally:
        lock.release()


def _this_process(directories: Directories, version: str) -> LockHolder:
    machine, process = this_machine(), describe_process(os.getpid())
    return LockHolder(
        pid=os.getpid(),
        version=version,
        host=machine.host,
        boot=machine.boot or None,
        started=process.started if process else None,
        log=os.fspath(directories.log),
    )


def lock_holder(directories: Directories) -> LockHolder | None:
    """The process that holds the lock; None when it is free or cannot be read."""
    return _lock_holder_at(directories.lock) or _earlier_holder(directories)


def _earlier_holder(directories: Directories) -> LockHolder | None:
    # Until 0.1 the lock was in the folder of the log, and such an engine may still run after an update. To be removed
    # with the release after the next, together with `Directories.earlier_lock`.
    if directories.earlier_lock == directories.lock:
        return None
    found = _lock_holder_at(directories.earlier_lock)
    return found and msgspec.structs.replace(found, socket=os.fspath(directories.earlier_socket))


def engine_socket_path(directories: Directories) -> Path:
    """The socket of this journal's engine: from its lock file, or the default of this environment."""
    found = lock_holder(directories)
    return Path(found.socket) if found is not None and found.socket else directories.socket


def trusted_socket_path(directories: Directories) -> Path:
    """The same, unless the journal's folder belongs to another user.

    Raises EngineUnreachable.
    """
    not_ours = foreign(directories.data)
    if not_ours is not None:
        raise EngineUnreachable(not_ours)
    return engine_socket_path(directories)


def engine_log_path(directories: Directories) -> Path:
    """The log of this journal's engine, running or last."""
    try:
        descriptor = _opened(directories.lock)
    except OSError:
        return directories.log
    try:
        return Path(_read_locked(descriptor).log or directories.log)
    finally:
        os.close(descriptor)


def running_elsewhere(directories: Directories, found: LockHolder) -> EngineUnreachable:
    """The error for an engine on another computer that shares the journal's folder."""
    return EngineUnreachable(
        f"The engine of this journal is {found.named}, which shares the folder {printable(os.fspath(directories.data))}"
        f" with this computer. Use {APP} there, or stop it there with `{APP} engine stop`: then uploads continue here."
    )


def _locked_file(path: Path) -> int:
    """A descriptor of the file at `path`, which is locked. Raises EngineAlreadyRunning, EngineWillNotStart."""
    found = LockHolder()
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        except OSError as error:
            raise unusable(path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found = _read_locked(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _cannot_lock(path, error) from error
        else:
            if _is_file_at(path, descriptor):  # it was not removed before it was locked
                return descriptor
        os.close(descriptor)
    raise EngineAlreadyRunning(found)


def _cannot_lock(path: Path, error: OSError) -> EngineWillNotStart:
    if error.errno not in _NO_LOCKS_HERE:
        return unusable(path, error)
    return EngineWillNotStart(
        f"Cannot start the engine: the file system of {printable(os.fspath(path.parent))} has no file locks"
        f" ({error.strerror}), so two engines could send the same files. Set XDG_DATA_HOME to a folder on a disk of"
        " this computer."
    )


def _is_file_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _opened(path: Path) -> int:
    """Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return descriptor


def _lock_holder_at(path: Path) -> LockHolder | None:
    try:
        descriptor = _opened(path)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_locked(descriptor)
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(descriptor)


def _read_locked(descriptor: int) -> LockHolder:
    if os.fstat(descriptor).st_uid != os.getuid():  # it could name any socket of ours
        return LockHolder()
    try:
        text = os.pread(descriptor, _MOST_TEXT, 0).partition(b"\n")[0]
    except OSError:  # on some network file systems a locked file cannot be read from another computer
        return LockHolder()
    return read_holder(text)


def read_holder(text: bytes) -> LockHolder:
    """Parse the first line of a lock file; a damaged one has only None. Engines until 0.1 wrote `4711 0.1.0`."""
    with contextlib.suppress(codec.Malformed):
        return codec.from_json(text, LockHolder)
    written, _, version = text.decode("ascii", "replace").strip().partition(" ")
    pid = whole_number(written, _MOST_PID)
    return LockHolder() if pid is None else LockHolder(pid, printable(version))

"""One engine per journal: the lock beside the journal that it holds for life, and that tells where it is found.

Front ends and engines of one user may have different environments (a login shell, cron), so nothing but the journal's
folder decides which lock counts, and the lock names the socket and the log.

The lock is an advisory `flock`, which the kernel drops when the process dies, however it dies: a lock file that was
left behind locks nothing. Over NFS it holds between computers (flock(2)), so the lock names the computer too.
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
from tui_uploader.service.process_identity import described, this_machine
from tui_uploader.service.socket_file import unusable
from tui_uploader.settings import APP, Directories
from tui_uploader.text import printable

_MOST_TEXT = 16 * 1024
_NO_LOCKS_HERE = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})

# A front end that looks at the lock holds a shared one for an instant, which is no reason to leave.
_ATTEMPTS = 5
_PAUSE = 0.02


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who holds the lock, as far as its file tells."""

    pid: int | None = None
    version: str | None = None
    host: str | None = None
    boot: str | None = None
    """Of the running system on `host`; two computers may have one name."""
    started: str | None = None
    """When the process started, in the words of `process.described`."""
    socket: str | None = None
    """Where it listens; None before it does."""
    log: str | None = None

    @property
    def elsewhere(self) -> bool:
        """It is on another computer, or in a container that has its own name for this one."""
        here = this_machine()
        return self.host not in (None, here.host) or self.boot not in (None, here.boot)

    @property
    def named(self) -> str:
        """`process 4711`, for a sentence."""
        process = "another process" if self.pid is None else f"process {self.pid}"
        return f"{process} on the computer {printable(self.host or '?', 80)}" if self.elsewhere else process

    def is_same(self, other: Holder | None) -> bool:
        """Both are one process."""
        return other is not None and (self.pid, self.started) == (other.pid, other.started)


class AlreadyRunning(Exception):
    """Not a failure for who only wants an engine to be there."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"The engine runs already ({holder.named}).")
        self.holder = holder


class Lock:
    """The lock, held."""

    def __init__(self, path: Path, holder: Holder) -> None:
        """Raises AlreadyRunning, EngineWillNotStart."""
        self._path = path
        self._holder = holder
        self._descriptor = _taken(path)
        self._write()

    @property
    def intact(self) -> bool:
        """False when the file was removed or replaced: then another engine could start beside the holder."""
        return _lies_at(self._path, self._descriptor)

    def take_anew(self) -> bool:
        """Lock a new file after the old one was removed or replaced; False when another process was faster."""
        try:
            descriptor = _taken(self._path)
        except (AlreadyRunning, EngineWillNotStart):
            return False
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._write()
        return True

    def announce(self, socket: Path) -> None:
        """Tell front ends where the engine listens."""
        self._holder = msgspec.structs.replace(self._holder, socket=os.fspath(socket))
        self._write()

    def _write(self) -> None:
        # Without the text front ends look at the usual place, so a full disk must not keep the engine from starting.
        # Written over before it is cut: a full disk takes what fits into the blocks that the file has.
        text = f"{codec.to_json(self._holder)}\n".encode()
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, text, 0)
            os.ftruncate(self._descriptor, len(text))

    def release(self) -> None:
        os.close(self._descriptor)


def make_private(directories: Directories) -> None:
    """The folders that the engine writes to. Raises EngineWillNotStart naming the one that it cannot have."""
    for folder in (directories.data, directories.state):
        try:
            private(folder)
        except OSError as error:
            raise unusable(folder, error) from error


@contextlib.contextmanager
def sole_instance(directories: Directories, version: str) -> Iterator[Lock]:
    """Hold the lock. Raises AlreadyRunning, EngineWillNotStart."""
    lock = Lock(directories.lock, _ourselves(directories, version))
    try:
        earlier = _earlier_holder(directories)
        if earlier is not None:
            raise AlreadyRunning(earlier)
        yield lock
    finally:
        lock.release()


def _ourselves(directories: Directories, version: str) -> Holder:
    machine, process = this_machine(), described(os.getpid())
    return Holder(
        pid=os.getpid(),
        version=version,
        host=machine.host,
        boot=machine.boot or None,
        started=process.started if process else None,
        log=os.fspath(directories.log),
    )


def holder(directories: Directories) -> Holder | None:
    """Who holds the lock now; None when nobody does, or nobody can tell."""
    return _holder_at(directories.lock) or _earlier_holder(directories)


def _earlier_holder(directories: Directories) -> Holder | None:
    # Until 0.1 the lock lay in the folder of the log, and an engine of then may still run when the program is updated.
    # To be removed with the release after the next, together with `Directories.earlier_lock`.
    if directories.earlier_lock == directories.lock:
        return None
    found = _holder_at(directories.earlier_lock)
    return found and msgspec.structs.replace(found, socket=os.fspath(directories.earlier_socket))


def engine_socket(directories: Directories) -> Path:
    """Where the engine of this journal listens: as its lock tells, or where one of this environment would listen."""
    found = holder(directories)
    return Path(found.socket) if found is not None and found.socket else directories.socket


def trusted_socket(directories: Directories) -> Path:
    """The same, unless the journal's folder belongs to another user, whose engine cannot be found from here.

    Raises EngineUnreachable.
    """
    not_ours = foreign(directories.data)
    if not_ours is not None:
        raise EngineUnreachable(not_ours)
    return engine_socket(directories)


def engine_log(directories: Directories) -> Path:
    """Where the engine of this journal, or the last one, wrote its log."""
    try:
        descriptor = _opened(directories.lock)
    except OSError:
        return directories.log
    try:
        return Path(_text_of(descriptor).log or directories.log)
    finally:
        os.close(descriptor)


def runs_elsewhere(directories: Directories, found: Holder) -> EngineUnreachable:
    """The error for an engine on another computer, which shares the journal's folder with this one."""
    return EngineUnreachable(
        f"The engine of this journal is {found.named}, which shares the folder {printable(os.fspath(directories.data))}"
        f" with this computer. Use {APP} there, or stop it there with `{APP} engine stop`; then uploads go on here."
    )


def _taken(path: Path) -> int:
    """A descriptor of the file at `path`, locked. Raises AlreadyRunning, EngineWillNotStart."""
    found = Holder()
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
            found = _text_of(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _cannot_lock(path, error) from error
        else:
            if _lies_at(path, descriptor):  # and was not removed before it was locked
                return descriptor
        os.close(descriptor)
    raise AlreadyRunning(found)


def _cannot_lock(path: Path, error: OSError) -> EngineWillNotStart:
    if error.errno not in _NO_LOCKS_HERE:
        return unusable(path, error)
    return EngineWillNotStart(
        f"The engine cannot start: the file system of {printable(os.fspath(path.parent))} has no file locks"
        f" ({error.strerror}), so two engines could send the same files; let XDG_DATA_HOME name a folder on a disk of"
        " this computer."
    )


def _lies_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _opened(path: Path) -> int:
    """Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", os.fspath(path))
    return descriptor


def _holder_at(path: Path) -> Holder | None:
    try:
        descriptor = _opened(path)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _text_of(descriptor)
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(descriptor)


def _text_of(descriptor: int) -> Holder:
    if os.fstat(descriptor).st_uid != os.getuid():  # it could lead us to any socket of our own
        return Holder()
    try:
        text = os.pread(descriptor, _MOST_TEXT, 0).partition(b"\n")[0]
    except OSError:  # a file system that keeps other computers from reading what one of them has locked
        return Holder()
    return read_holder(text)


def read_holder(text: bytes) -> Holder:
    """What the first line of a lock file tells; nothing where it is damaged. Engines until 0.1 wrote `4711 0.1.0`."""
    with contextlib.suppress(codec.Malformed):
        return codec.from_json(text, Holder)
    pid, _, version = text.decode("ascii", "replace").strip().partition(" ")
    return Holder(int(pid), printable(version)) if pid.isascii() and pid.isdecimal() else Holder()

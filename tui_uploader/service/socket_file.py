"""The engine's Unix socket: created and removed by the engine, checked by front ends before they connect.

It is in a folder that only its user can enter. A user who can write to that folder could plant a socket and read all
requests, so a front end connects only while the folder belongs to its own user and is closed to others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tui_uploader.errors import EngineUnreachable, EngineWillNotStart
from tui_uploader.ownership import foreign, not_yours, private
from tui_uploader.settings import APP, LONGEST_SOCKET_PATH
from tui_uploader.text import printable

_NAME = "engine.sock"


class EngineSocket:
    """The socket, bound with mode 0600 and not yet listening. Only for the holder of the lock."""

    def __init__(self, preferred: Path) -> None:
        """Raises EngineWillNotStart."""
        self._preferred = preferred
        self.path = preferred
        """`preferred`, or a path in a new temporary folder where that is not possible."""
        self.bind()

    def bind(self) -> None:
        """Bind a new socket as `listener`. An earlier listener stays open.

        Raises EngineWillNotStart.
        """
        try:
            self.listener, self._ours = _bound(self._preferred)
            self.path = self._preferred
        except OSError as error:
            try:
                self.path, self.listener, self._ours = _bound_in_temporary_folder()
            except OSError:
                raise unusable(self._preferred, error) from error

    @property
    def intact(self) -> bool:
        """False when the file was removed or replaced, so that front ends cannot find the engine."""
        try:
            return os.path.samestat(self.path.lstat(), self._ours)
        except OSError:
            return False

    def close(self) -> None:
        """Remove the socket, unless it belongs to another engine, and its folder when that is empty."""
        if self.intact:
            with contextlib.suppress(OSError):
                self.path.unlink()
                self.path.parent.rmdir()
        self.listener.close()


@contextlib.contextmanager
def bound_socket(preferred: Path) -> Iterator[EngineSocket]:
    """The engine's socket, closed and removed at the end of the block. Raises EngineWillNotStart."""
    opened = EngineSocket(preferred)
    try:
        yield opened
    finally:
        opened.close()


def _bound(path: Path) -> tuple[socket.socket, os.stat_result]:
    """A socket bound to `path`, and the stat of its file. Raises OSError, EngineWillNotStart."""
    if private(path.parent).is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, "it is a link", os.fspath(path.parent))
    _clear(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(os.fspath(path))
        path.chmod(0o600)
        return bound, path.lstat()
    except BaseException:
        bound.close()
        raise


def _clear(path: Path) -> None:
    """Remove the socket that a dead engine left at `path`. Raises OSError, and EngineWillNotStart for other files."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise EngineWillNotStart(
                f"Cannot start the engine: {_shown(path)} is not a socket, but blocks the path of the engine's socket."
                " Move it away, then try again."
            )
        path.unlink()
    except FileNotFoundError:
        return


def _bound_in_temporary_folder() -> tuple[Path, socket.socket, os.stat_result]:
    """A socket in a new temporary folder; front ends find it through the lock file. Raises OSError."""
    folder = tempfile.gettempdir()
    prefix = f"{APP}-{os.getuid()}-"
    if len(os.fsencode(f"{folder}/{prefix}12345678/{_NAME}")) > LONGEST_SOCKET_PATH:
        folder = "/tmp"
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder)) / _NAME
    try:
        return path, *_bound(path)
    except OSError:
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        raise


def listening(path: Path) -> bool:
    """Whether a process listens on the socket; it may be unable to answer.

    Raises EngineUnreachable when the folder cannot be trusted.
    """
    refuse_untrusted(path.parent)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(os.fspath(path))
        except BlockingIOError:  # its queue of connections is full
            return True
        except OSError:
            return False
    return True


def refuse_untrusted(folder: Path) -> None:
    """Raises EngineUnreachable unless `folder` is missing, or a folder of this user that others cannot enter."""
    try:
        found = folder.lstat()
    except OSError:
        return
    if found.st_uid != os.getuid():
        raise EngineUnreachable(not_yours(folder, found.st_uid))
    if not stat.S_ISDIR(found.st_mode):
        fault, help_ = "it is a link or a file", "Move it away, then try again"
    elif found.st_mode & 0o077:
        fault, help_ = "other users can enter it", f"Run `chmod 700 {_shown(folder)}`, then try again"
    else:
        return
    raise EngineUnreachable(f"Cannot trust the folder of the engine's socket, {_shown(folder)}: {fault}. {help_}.")


def unusable(path: Path, error: OSError) -> EngineWillNotStart:
    """The error for a file or folder that the engine needs."""
    not_ours = foreign(path) or foreign(path.parent)
    if not_ours is not None and isinstance(error, PermissionError):
        return EngineWillNotStart(f"Cannot start the engine. {not_ours}")
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH and error.errno is None:
        return EngineWillNotStart(
            f"Cannot start the engine: the path of its socket is too long ({_shown(path)})."
            " Set XDG_DATA_HOME or TMPDIR to a shorter folder."
        )
    return EngineWillNotStart(
        f"Cannot start the engine: cannot use {_shown(path)} ({error.strerror or error})."
        " Check owner, permissions and free disk space."
    )


def _shown(path: Path) -> str:
    return printable(os.fspath(path))

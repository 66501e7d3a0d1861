"""The engine's Unix socket: made, made again and removed by the engine, and looked at by front ends before they go in.

It lies in a folder that its user alone can enter. Whoever can write to that folder could put another socket there and
be told everything, so a front end connects only where the folder is still its user's own.
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


class Door:
    """The socket, bound with mode 0600 and not yet listening. For the holder of the lock only."""

    def __init__(self, preferred: Path) -> None:
        """Raises EngineWillNotStart."""
        self._preferred = preferred
        self.path = preferred
        """Where it lies: at `preferred`, or in a new folder for temporary files where that is not possible."""
        self.bind()

    def bind(self) -> None:
        """Make the socket anew as `listener`; one from before is left to whoever listens to it.

        Raises EngineWillNotStart.
        """
        try:
            self.listener, self._ours = _bound(self._preferred)
            self.path = self._preferred
        except OSError as error:
            try:
                self.path, self.listener, self._ours = _bound_elsewhere()
            except OSError:
                raise unusable(self._preferred, error) from error

    @property
    def intact(self) -> bool:
        """False when the file was removed or replaced: then nobody finds the engine."""
        try:
            return os.path.samestat(self.path.lstat(), self._ours)
        except OSError:
            return False

    def close(self) -> None:
        """Remove the socket, unless it is that of a successor, and the folder, if nothing else is in it."""
        if self.intact:
            with contextlib.suppress(OSError):
                self.path.unlink()
                self.path.parent.rmdir()
        self.listener.close()


@contextlib.contextmanager
def door(preferred: Path) -> Iterator[Door]:
    """The engine's socket for the length of the block. Raises EngineWillNotStart."""
    opened = Door(preferred)
    try:
        yield opened
    finally:
        opened.close()


def _bound(path: Path) -> tuple[socket.socket, os.stat_result]:
    """A socket at `path`, and its file. Raises OSError, EngineWillNotStart for a file in its place."""
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
    """Remove the socket that a dead engine left at `path`, and nothing else. Raises OSError, EngineWillNotStart."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise EngineWillNotStart(
                f"The engine cannot start: {_shown(path)}, where its socket belongs, is something else;"
                " move it away, then try again."
            )
        path.unlink()
    except FileNotFoundError:
        return


def _bound_elsewhere() -> tuple[Path, socket.socket, os.stat_result]:
    """A socket in a new folder that nobody could prepare; the lock tells front ends of it. Raises OSError."""
    folder = tempfile.gettempdir()
    prefix = f"{APP}-{os.getuid()}-"
    if len(os.fsencode(f"{folder}/{prefix}12345678/{_NAME}")) > LONGEST_SOCKET_PATH:
        folder = "/tmp"
    place = Path(tempfile.mkdtemp(prefix=prefix, dir=folder)) / _NAME
    try:
        return place, *_bound(place)
    except OSError:
        with contextlib.suppress(OSError):
            place.parent.rmdir()
        raise


def listening(path: Path) -> bool:
    """Somebody listens at the socket; it need not be in a state to answer.

    Raises EngineUnreachable when the folder is not ours alone: whoever listens there must not be told anything.
    """
    refuse_foreign(path.parent)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
        visitor.setblocking(False)
        try:
            visitor.connect(os.fspath(path))
        except BlockingIOError:  # its queue of visitors is full
            return True
        except OSError:
            return False
    return True


def refuse_foreign(folder: Path) -> None:
    """Raises EngineUnreachable unless `folder`, if it is there, is a folder that this user alone can enter."""
    try:
        found = folder.lstat()
    except OSError:
        return
    if found.st_uid != os.getuid():
        raise EngineUnreachable(not_yours(folder, found.st_uid))
    if not stat.S_ISDIR(found.st_mode):
        fault, help_ = "is a link or a file", "move it away, then try again"
    elif found.st_mode & 0o077:
        fault, help_ = "can be entered by other users", f"forbid that with `chmod 700 {_shown(folder)}`, then try again"
    else:
        return
    raise EngineUnreachable(
        f"The engine's folder {_shown(folder)} {fault}, so what listens there cannot be trusted; {help_}."
    )


def unusable(path: Path, error: OSError) -> EngineWillNotStart:
    """The error for a file or folder that the engine needs."""
    not_ours = foreign(path) or foreign(path.parent)
    if not_ours is not None and isinstance(error, PermissionError):
        return EngineWillNotStart(f"The engine cannot start. {not_ours}")
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH and error.errno is None:
        return EngineWillNotStart(
            f"The engine cannot start: the path of its socket is too long ({_shown(path)});"
            " let XDG_DATA_HOME or TMPDIR name a shorter folder."
        )
    return EngineWillNotStart(
        f"The engine cannot start: {_shown(path)} is not to be had ({error.strerror or error});"
        " it has to be yours and writable, on a disk that is not full."
    )


def _shown(path: Path) -> str:
    return printable(os.fspath(path))

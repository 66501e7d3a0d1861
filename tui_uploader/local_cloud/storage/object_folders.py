"""Folders of object files, opened one by one and never through a symbolic link.

Each folder is opened relative to the descriptor of its parent, so replacing a folder meanwhile cannot redirect the
path.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from tui_uploader.local_cloud.storage.names import BUCKET

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class ObjectFolders:
    """The folders below `objects/<bucket>/` of a root."""

    def __init__(self, root: Path) -> None:
        """Raises NotADirectoryError where a file or a link blocks the path."""
        top = os.open(root, _FOLDER)
        try:
            objects = _entered(top, "objects", make=True)
            try:
                self._bucket = _entered(objects, BUCKET, make=True)
            finally:
                os.close(objects)
        finally:
            os.close(top)

    def close(self) -> None:
        os.close(self._bucket)

    def enter(self, key: str, *, make: bool = False) -> tuple[int, str]:
        """Return a descriptor of the folder of a checked key, which the caller closes, and the file's name in it.

        With `make`, missing folders are created with mode 0700 and synced. Raises FileNotFoundError without it, and
        NotADirectoryError where a file or a link blocks the path.
        """
        *folders, name = key.split("/")
        descriptor = os.dup(self._bucket)
        for folder in folders:
            try:
                inner = _entered(descriptor, folder, make=make)
            finally:
                os.close(descriptor)
            descriptor = inner
        return descriptor, name


def _entered(folder: int, name: str, *, make: bool) -> int:
    try:
        return _opened(folder, name)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):  # another request was faster
        os.mkdir(name, 0o700, dir_fd=folder)
    os.fsync(folder)
    return _opened(folder, name)


def _opened(folder: int, name: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link, on some systems
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name) from error
        raise

"""Where the bytes of objects lie: files in folders that are entered one by one, and never through a link.

Every step is taken from the descriptor of the folder before, so nothing that is put in the place of a folder
meanwhile leads anywhere else.
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
        """Raises NotADirectoryError where a file or a link is in the way."""
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
        """A descriptor of the folder of a checked key, which the caller closes, and the name of the file in it.

        With `make`, folders that are missing are made with mode 0700 and synced. Raises FileNotFoundError without it,
        NotADirectoryError where a file or a link is in the way.
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
        if error.errno == errno.ELOOP:  # so say some systems of a link
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name) from error
        raise

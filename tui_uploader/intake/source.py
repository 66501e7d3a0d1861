"""Open the user's files without following links, and translate errors of the system into those of `errors`.

The scan decides which file a path means. From then on no link is followed: a person who can write to a card, or to a
folder above, could point one at another file between the scan and the upload.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from tui_uploader.errors import SourceError, SourceReplaced, SourceUnreadable, SourceVanished
from tui_uploader.text import printable

_GONE = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ENOTCONN),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, getattr(errno, "ENOMEDIUM", errno.ENODEV)),
    }
)
"""A card or disk was taken out, the server of a network folder is unreachable, or the program behind a FUSE file system
exited (ENOTCONN)."""
_ADVICE = {
    errno.EACCES: "give your user the right to read it",
    errno.EPERM: "give your user the right to read it",
    errno.EIO: "the card or its reader may be failing; copy its files to another disk at once",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.ENAMETOOLONG: "move the folder nearer to the root: its path is too long to be opened",
    errno.EMFILE: "too many files are open at once; try again",
}


# O_NONBLOCK: if a pipe has replaced the file, opening it must not wait for a writer.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
# O_PATH: permission to enter a folder is enough, as on any path; permission to read it is not needed.
_ENTER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def open_source(path: str, descriptor: int | None = None, *, real: str = "") -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file for the block; gives its descriptor and its status at the beginning.

    `real` is the path that is opened, see `Candidate.real`; no symbolic link on it is followed. A `descriptor` opened
    by the caller is used instead and stays open; errors then name `path`.

    Raises SourceVanished, SourceUnreadable, also for an OSError raised in the block.
    """
    try:
        opened = _opened(path, real or path) if descriptor is None else descriptor
        try:
            found = os.fstat(opened)
            if not stat.S_ISREG(found.st_mode):
                raise SourceUnreadable(f"{printable(path)} cannot be read: it is {kind_of(found)}.")
            yield opened, found
        finally:
            if descriptor is None:
                os.close(opened)
    except OSError as error:
        raise source_error(path, error) from error


def _opened(path: str, real: str) -> int:
    """Open the absolute path `real`. Raises OSError; SourceUnreadable, which names `path`, if a link is on it."""
    if sys.platform == "darwin" and hasattr(os, "O_NOFOLLOW_ANY"):
        try:
            return os.open(real, _READ | os.O_NOFOLLOW_ANY)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _over_a_link(path) from error
            raise
    folder, _, name = real.rpartition("/")
    here = open_folder(path, folder)
    try:
        return open_in(here, path, name or ".")
    finally:
        os.close(here)


def open_folder(path: str, real: str) -> int:
    """Enter the absolute path `real` of a folder. Raises OSError; SourceUnreadable, naming `path`, for a link on it."""
    here = os.open("/", _ENTER)
    try:
        for folder in real.split("/"):
            if folder:
                inner = _step(path, folder, _ENTER, here)
                os.close(here)
                here = inner
    except BaseException:
        os.close(here)
        raise
    return here


def open_in(folder: int, path: str, name: str) -> int:
    """Open a file of an entered folder. Raises as `open_folder`."""
    return _step(path, name, _READ | os.O_NOFOLLOW, folder)


def _step(path: str, name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR) and _is_link(name, folder):
            raise _over_a_link(path) from error
        raise


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _over_a_link(path: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{printable(path)} was not read: its path now leads over a link, which may lead out of the folders you named. "
        "Upload its folder again to use its present path."
    )


def source_error(path: str, error: OSError) -> SourceError:
    """The error for an OSError about the file or folder `path`."""
    if error.errno in _GONE:
        return SourceVanished(f"{printable(path)} is missing; put the card or disk back in and retry.")
    return SourceUnreadable(f"{printable(path)} cannot be read: {cause(error)}.")


def replaced_error(path: str) -> SourceReplaced:
    """The error for a file in whose place there is one of another card."""
    return SourceReplaced(
        f"{printable(PurePath(path).name)} was not uploaded: another card seems to be in its place, with a different "
        "file at the same path. Put the first card back in, and the file is retried automatically. To upload the files "
        "of the other card, add its folder."
    )


def cause(error: OSError) -> str:
    """The system's message and, where there is one, advice; without a full stop."""
    said = printable(error.strerror or str(error))
    advice = _ADVICE.get(error.errno or 0)
    return f"{said} ({advice})" if advice else said


def kind_of(found: os.stat_result) -> str:
    """`a folder`, `a named pipe, not a file` and the like, for anything but a regular file."""
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe, not a file"),
        (stat.S_ISSOCK, "a socket, not a file"),
        (stat.S_ISBLK, "a disk, not a file"),
        (stat.S_ISCHR, "a device, not a file"),
    )
    return next((words for matches, words in kinds if matches(found.st_mode)), "not a file")

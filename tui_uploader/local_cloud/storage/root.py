"""The folder in which a local cloud keeps everything: its user's own, closed to everybody else, and without links.

Whoever can write to it could read the secret out of a database that they prepared, or have objects land elsewhere
through a link. So it is looked at before anything in it is opened.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from tui_uploader.errors import UsageError
from tui_uploader.local_cloud.storage import database, meter
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.ownership import make_folders, not_yours
from tui_uploader.text import printable

_FOLDERS = ("incoming", "objects")
_FILES = (
    database.LOCK_NAME,
    meter.FILE_NAME,
    *(database.FILE_NAME + suffix for suffix in ("", "-wal", "-shm", "-journal")),
)
_OPEN_TO_OTHERS = 0o077
_WRITABLE_BY_OTHERS = 0o022
_MOST_NAMED = 3


def prepared(root: Path) -> tuple[str, ...]:
    """Make the folder, or close one of this user to others; what was done or has to be known, for people.

    Raises UsageError where the folder or something in it is not this user's own, is a link, or holds other things too
    while others can enter it.
    """
    try:
        _refuse_unsafe_way(root)
        make_folders(root)
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(root, error) from error
    try:
        return _checked(root, descriptor)
    except OSError as error:
        raise _unusable(root, error) from error
    finally:
        os.close(descriptor)


def _unusable(root: Path, error: OSError) -> UsageError:
    if root.is_symlink():
        return UsageError(
            f"{_shown(root)} is a link, and the folder of a local cloud must be none. Name the folder that it leads"
            f" to: --root {shlex.quote(_shown(Path(os.path.realpath(root))))}."
        )
    return UsageError(f"{_shown(root)} cannot be used as the folder of a local cloud: {error.strerror or error}.")


def _refuse_unsafe_way(root: Path) -> None:
    """Raises UsageError where another user could put another folder in the place of `root`. Raises OSError."""
    # The owner of `/` stands for root where a container numbers users in its own way.
    trusted = {os.getuid(), 0, Path("/").stat().st_uid}
    for folder in dict.fromkeys((*root.parents, *Path(os.path.realpath(root.parent), "_").parents)):
        try:
            found = folder.lstat()
        except FileNotFoundError:
            continue
        if found.st_uid not in trusted:
            raise UsageError(
                f"{_shown(root)} cannot be the folder of a local cloud: whoever owns {_shown(folder)} could replace it."
                f" {not_yours(folder, found.st_uid)}"
            )
        if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise UsageError(
                f"{_shown(root)} cannot be the folder of a local cloud: every user may write to {_shown(folder)} and"
                f" could replace it. Name a folder elsewhere, or run {_command('chmod o-w', folder)}."
            )


def _checked(root: Path, descriptor: int) -> tuple[str, ...]:
    found = os.fstat(descriptor)
    if found.st_uid != os.getuid():
        raise UsageError(
            f"{_shown(root)} cannot be the folder of a local cloud. {not_yours(root, found.st_uid)}"
            " Or name another folder with --root."
        )
    if not found.st_mode & _OPEN_TO_OTHERS:
        _refuse_planted(root, descriptor)
        return ()
    _refuse_other_things(root, os.listdir(descriptor))
    remark = _close(root, descriptor)
    _refuse_planted(root, descriptor)
    if os.fstat(descriptor).st_mode & _OPEN_TO_OTHERS:
        return (remark,)
    for name in _FILES:
        with contextlib.suppress(FileNotFoundError):
            os.chmod(name, 0o600, dir_fd=descriptor)
    for name in _FOLDERS:
        with contextlib.suppress(FileNotFoundError):
            _close_all(root / name, descriptor, name)
    return (remark,)


def _refuse_other_things(root: Path, names: Sequence[str]) -> None:
    others = sorted(set(names) - {*_FOLDERS, *_FILES})
    if others:
        named = ", ".join(printable(name, 40) for name in others[:_MOST_NAMED])
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        own = f"Name a folder of its own, such as --root {shlex.quote(_shown(root / 'local-cloud'))}."
        keep = f"It keeps a local cloud already: to go on with it, run {_command('chmod 700', root)}, or move the rest."
        raise UsageError(
            f"Other users can enter the folder {_shown(root)}, and it holds other things ({named}{more}), so the local"
            f" cloud does not close it. {keep if database.FILE_NAME in names else own}"
        )


def _close(root: Path, descriptor: int) -> str:
    """Take every right from others, and say so. Raises UsageError where they keep the right to write."""
    with contextlib.suppress(PermissionError):  # so do file systems without permissions, such as FAT
        os.fchmod(descriptor, 0o700)
    left = os.fstat(descriptor).st_mode
    if left & _WRITABLE_BY_OTHERS:
        raise UsageError(
            f"Other users can write to {_shown(root)}, and its file system does not let that be forbidden. Name a"
            " folder on another disk, or mount this one so that only you can write to it."
        )
    if left & _OPEN_TO_OTHERS:
        return (
            f"The file system of {_shown(root)} keeps no permissions: every user of this computer who can get to that"
            " folder can read the images."
        )
    return f"{_shown(root)} was open to other users of this computer; now only you can enter it."


def _refuse_planted(root: Path, descriptor: int) -> None:
    """Raises UsageError for a link or something of another user where the local cloud keeps its own things."""
    for name in (*_FOLDERS, f"objects/{BUCKET}", *_FILES):
        try:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            continue
        is_file = name in _FILES
        _refuse_unless_ours(root / name, found, is_file=is_file)
        if is_file and found.st_nlink != 1:
            raise _planted(root / name, "has a second name elsewhere")


def _refuse_unless_ours(path: Path, found: os.stat_result, *, is_file: bool) -> None:
    if found.st_uid != os.getuid():
        raise UsageError(f"The local cloud does not use what others made. {not_yours(path, found.st_uid)}")
    if not (stat.S_ISREG(found.st_mode) if is_file else stat.S_ISDIR(found.st_mode)):
        raise _planted(path, f"is a link or no {'file' if is_file else 'folder'}")


def _planted(path: Path, fault: str) -> UsageError:
    return UsageError(
        f"{_shown(path)} {fault}, so it was not made by the local cloud. Move it away, or name another folder with"
        " --root."
    )


def _close_all(path: Path, root: int, name: str) -> None:
    """Close what lies in a folder that others could enter until now. Raises UsageError for what is not ours."""
    for folder, _, _, descriptor in os.fwalk(name, dir_fd=root, onerror=_raise):
        os.fchmod(descriptor, 0o700)
        for inner, found in _entries(descriptor):
            place = path.parent / folder / inner
            _refuse_unless_ours(place, found, is_file=not stat.S_ISDIR(found.st_mode))
            if stat.S_ISREG(found.st_mode) and found.st_mode & _OPEN_TO_OTHERS:
                os.chmod(inner, 0o600, dir_fd=descriptor)


def _entries(descriptor: int) -> Iterator[tuple[str, os.stat_result]]:
    for name in os.listdir(descriptor):
        yield name, os.stat(name, dir_fd=descriptor, follow_symlinks=False)


def _raise(error: OSError) -> None:
    raise error


def _command(command: str, path: Path) -> str:
    return f"`{command} {shlex.quote(_shown(path))}`"


def _shown(path: Path) -> str:
    return printable(os.fspath(path))

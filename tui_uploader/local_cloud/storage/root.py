"""Check and protect the root folder of a local cloud: owned by its user, closed to others, without symbolic links.

A user who can write to it could plant a database to learn the secret, or a link to redirect objects. So it is checked
before anything in it is opened.
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


def prepare_root(root: Path) -> tuple[str, ...]:
    """Create the folder, or close this user's folder to others; return remarks for the user.

    Raises UsageError where the folder or something in it belongs to another user or is a link, and where others can
    enter it and it holds other files.
    """
    try:
        _refuse_unsafe_parents(root)
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
            f"{_shown(root)} is a link, which the local cloud does not accept as its folder. Name the folder that it"
            f" points to: --root {shlex.quote(_shown(Path(os.path.realpath(root))))}."
        )
    return UsageError(f"Cannot use {_shown(root)} as the folder of a local cloud: {error.strerror or error}.")


def _refuse_unsafe_parents(root: Path) -> None:
    """Raises UsageError where another user could replace `root`, and OSError."""
    # The owner of `/` is root, also in a container that maps user ids.
    trusted = {os.getuid(), 0, Path("/").stat().st_uid}
    for folder in dict.fromkeys((*root.parents, *Path(os.path.realpath(root.parent), "_").parents)):
        try:
            found = folder.lstat()
        except FileNotFoundError:
            continue
        if found.st_uid not in trusted:
            raise UsageError(
                f"Cannot use {_shown(root)} as the folder of a local cloud: the owner of {_shown(folder)} could replace"
                f" it. {not_yours(folder, found.st_uid)}"
            )
        if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise UsageError(
                f"Cannot use {_shown(root)} as the folder of a local cloud: every user can write to {_shown(folder)}"
                f" and could replace it. Name another folder, or run {_command('chmod o-w', folder)}."
            )


def _checked(root: Path, descriptor: int) -> tuple[str, ...]:
    found = os.fstat(descriptor)
    if found.st_uid != os.getuid():
        raise UsageError(
            f"Cannot use {_shown(root)} as the folder of a local cloud. {not_yours(root, found.st_uid)} Or name"
            " another folder with --root."
        )
    if not found.st_mode & _OPEN_TO_OTHERS:
        _refuse_planted(root, descriptor)
        return ()
    _refuse_other_files(root, os.listdir(descriptor))
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


def _refuse_other_files(root: Path, names: Sequence[str]) -> None:
    others = sorted(set(names) - {*_FOLDERS, *_FILES})
    if others:
        named = ", ".join(printable(name, 40) for name in others[:_MOST_NAMED])
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        own = f"Name an empty folder, such as --root {shlex.quote(_shown(root / 'local-cloud'))}."
        keep = (
            f"It already has a local cloud: to continue with it, run {_command('chmod 700', root)}, or move the other"
            " files away."
        )
        raise UsageError(
            f"Other users can enter the folder {_shown(root)}, and it has other files ({named}{more}), so the local"
            f" cloud does not close it. {keep if database.FILE_NAME in names else own}"
        )


def _close(root: Path, descriptor: int) -> str:
    """Remove all permissions of others; return a remark. Raises UsageError where others can still write."""
    with contextlib.suppress(PermissionError):  # file systems without permissions, such as FAT
        os.fchmod(descriptor, 0o700)
    left = os.fstat(descriptor).st_mode
    if left & _WRITABLE_BY_OTHERS:
        raise UsageError(
            f"Other users can write to {_shown(root)}, and its file system has no permissions to prevent that. Name a"
            " folder on another disk, or mount this one so that only you can write to it."
        )
    if left & _OPEN_TO_OTHERS:
        return (
            f"The file system of {_shown(root)} has no permissions: every user of this computer who can reach that"
            " folder can read the images."
        )
    return f"{_shown(root)} was open to other users of this computer; now only you can enter it."


def _refuse_planted(root: Path, descriptor: int) -> None:
    """Raises UsageError where a file or folder of the local cloud is a link or belongs to another user."""
    for name in (*_FOLDERS, f"objects/{BUCKET}", *_FILES):
        try:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            continue
        is_file = name in _FILES
        _refuse_unless_ours(root / name, found, is_file=is_file)
        if is_file and found.st_nlink != 1:
            raise _planted(root / name, "has a second hard link")


def _refuse_unless_ours(path: Path, found: os.stat_result, *, is_file: bool) -> None:
    if found.st_uid != os.getuid():
        raise UsageError(f"The local cloud does not use files of other users. {not_yours(path, found.st_uid)}")
    if not (stat.S_ISREG(found.st_mode) if is_file else stat.S_ISDIR(found.st_mode)):
        raise _planted(path, f"is a link or not a {'file' if is_file else 'folder'}")


def _planted(path: Path, fault: str) -> UsageError:
    return UsageError(
        f"{_shown(path)} {fault}, so the local cloud did not create it. Move it away, or name another folder with"
        " --root."
    )


def _close_all(path: Path, root: int, name: str) -> None:
    """Remove the permissions of others below a folder that they could enter. Raises UsageError for foreign files."""
    for folder, _, _, descriptor in os.fwalk(name, dir_fd=root, onerror=_raise):
        os.fchmod(descriptor, 0o700)
        for inner, found in _entries(descriptor):
            _refuse_unless_ours(path.parent / folder / inner, found, is_file=not stat.S_ISDIR(found.st_mode))
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

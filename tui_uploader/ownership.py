"""Ownership of files and folders: what this program stores belongs to its user and is closed to others."""

from __future__ import annotations

import errno
import os
import pwd
import shlex
from pathlib import Path

from tui_uploader.settings import APP
from tui_uploader.text import printable

_ROOT = 0


def make_folders(folder: Path) -> None:
    """Create `folder` and its missing parents with mode 0700, whatever the umask, as the XDG Base Directory
    Specification asks.

    Raises OSError, FileExistsError if a file or a dangling link is in the way.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folders(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def private(folder: Path) -> Path:
    """Create `folder` with mode 0700, and return it.

    Raises OSError, also if another user owns it or the link in its place: then it is not private.
    """
    make_folders(folder)
    found = folder.stat()
    if {found.st_uid, folder.lstat().st_uid} != {os.getuid()}:
        raise PermissionError(errno.EPERM, "it belongs to another user", str(folder))
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def foreign(path: Path) -> str | None:
    """The message that `path` belongs to another user, and what to do; None if it is this user's, or does not exist.

    It never advises to remove anything: the owner's engine may be using it right now.
    """
    try:
        owners = {path.lstat().st_uid, path.stat().st_uid}
    except OSError:
        return None
    owners.discard(os.getuid())
    return not_yours(path, owners.pop()) if owners else None


def not_yours(path: Path, owner: int) -> str:
    """The message for a path that belongs to another user, `owner`."""
    shown, theirs, ours = printable(os.fspath(path)), user_name(owner), user_name(os.getuid())
    if os.getuid() == _ROOT:
        return (
            f"You are running as root, but {shown} belongs to {theirs}. Run {APP} as {theirs} (without sudo), or set"
            " HOME to root's own home directory."
        )
    if owner == _ROOT:
        return (
            f"{shown} belongs to root, probably from a run with sudo, but you are {ours}. Change its owner with"
            f" `sudo chown -R {ours} {shlex.quote(shown)}`, then try again."
        )
    return (
        f"{shown} belongs to {theirs}, but you are {ours}. Run {APP} as {theirs}, or set HOME and XDG_DATA_HOME to"
        " folders of your own."
    )


def user_name(uid: int) -> str:
    """The user name of `uid` in the system's user database, or its number."""
    try:
        return printable(pwd.getpwuid(uid).pw_name, 80)
    except KeyError:
        return f"user number {uid}"

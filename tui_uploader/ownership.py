"""Whose files and folders are: what this program keeps belongs to its user, and nobody else can enter it."""

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
    """Make `folder` and what is missing on the way there, all with mode 0700, as the XDG Base Directory Specification
    has it and whatever the umask is.

    Raises OSError, FileExistsError where a file or a link to nothing is in the way.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folders(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def private(folder: Path) -> Path:
    """Make `folder` with mode 0700, and return it.

    Raises OSError, also when somebody else owns it, or put a link in its place: then it is not private.
    """
    make_folders(folder)
    found = folder.stat()
    if {found.st_uid, folder.lstat().st_uid} != {os.getuid()}:
        raise PermissionError(errno.EPERM, "it belongs to another user", str(folder))
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def foreign(path: Path) -> str | None:
    """Say that `path` belongs to another user, and what to do; None where it is this user's own or is not there.

    Never advises to remove anything: the owner's engine may be working in it right now.
    """
    try:
        owners = {path.lstat().st_uid, path.stat().st_uid}
    except OSError:
        return None
    owners.discard(os.getuid())
    return not_yours(path, owners.pop()) if owners else None


def not_yours(path: Path, owner: int) -> str:
    """The sentence for a path that belongs to user `owner`, who is not the one of this process."""
    shown, theirs, ours = printable(os.fspath(path)), user_name(owner), user_name(os.getuid())
    if os.getuid() == _ROOT:
        return (
            f"You are running as root, but {shown} belongs to {theirs}. Run {APP} as {theirs} (without sudo), or set"
            " HOME to root's own home directory."
        )
    if owner == _ROOT:
        return (
            f"{shown} belongs to root, as after a run with sudo, and you are {ours}. Give it back with"
            f" `sudo chown -R {ours} {shlex.quote(shown)}`, then try again."
        )
    return (
        f"{shown} belongs to {theirs}, and you are {ours}. Run {APP} as {theirs}, or let HOME and XDG_DATA_HOME name"
        " folders of your own."
    )


def user_name(uid: int) -> str:
    """The name that the system's list of users has for `uid`, or else its number."""
    try:
        return printable(pwd.getpwuid(uid).pw_name, 80)
    except KeyError:
        return f"user number {uid}"

"""List folders, and count the files in them that an upload would take. Blocking and bounded; never raises.

The counts are estimates by name, by the rules of the engine's scan, which decides in the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tui_uploader.file_kinds import (
    extension_of,
    has_mesh,
    is_hidden,
    is_within,
    system_content,
    upload_extensions,
)
from tui_uploader.model.projects import ProjectKind
from tui_uploader.text import counted, natural_key

MOST_ENTRIES = 50_000
"""Entries read at most, of one folder and for one count."""
MOST_SHOWN = 2_000
"""Entries of one folder that are listed at most."""


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A file or folder on this machine."""

    path: str
    """Absolute."""
    is_folder: bool

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2] or self.path


@dataclass(frozen=True, slots=True)
class FolderCount:
    """How many files in and below a folder an upload would take."""

    files: int
    complete: bool = True
    """False: there may be more, because the folder is too large or partly unreadable."""

    def __str__(self) -> str:
        return f"{self.files:,}" if self.complete else f"{self.files:,}+"


@dataclass(frozen=True, slots=True)
class FolderListing:
    """The entries of one folder: subfolders first, then files, both in natural order."""

    entries: tuple[LocalPath, ...] = ()
    problem: str | None = None
    """Why the folder cannot be read, or is not listed completely."""


def child_path(folder: str, name: str) -> str:
    """The path of `name` in `folder`. Called thousands of times, and `pathlib` would normalise the path."""
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def uploadable(names: Iterable[str], kind: ProjectKind) -> list[str]:
    """The names, of all in one folder, that look like images, or like results and their textures."""
    known = list(names)
    extensions = upload_extensions(kind, with_mesh=has_mesh(known))
    return [name for name in known if extension_of(name) in extensions and not is_hidden(name)]


def list_folder(folder: str, kind: ProjectKind, *, hidden: bool, files: bool, most: int = MOST_SHOWN) -> FolderListing:
    """List the subfolders of `folder` and, with `files`, its files of `kind`.

    Hidden folders and system folders such as a recycle bin are listed only with `hidden`.
    """
    try:
        read = _read_folder(folder, MOST_ENTRIES)
    except (OSError, ValueError) as error:
        return FolderListing(problem=f"cannot be read: {_cause(error)}")
    shown = read.folders if hidden else [name for name in read.folders if not _is_left_out(folder, name)]
    entries = [LocalPath(child_path(folder, name), True) for name in sorted(shown, key=natural_key)]
    if files:
        found = sorted(uploadable(read.others, kind), key=natural_key)
        entries += [LocalPath(child_path(folder, name), False) for name in found]
    if read.complete and len(entries) <= most:
        return FolderListing(tuple(entries))
    cut = f"only the first {counted(min(most, len(entries)), 'entry', 'entries')} shown"
    return FolderListing(tuple(entries[:most]), cut)


@dataclass(frozen=True, slots=True)
class WalkedFolder:
    """One folder of a walk, by the names of what is directly in it."""

    path: str
    files: tuple[str, ...] = ()
    """Names of the files that an upload would take."""
    others: tuple[str, ...] = ()
    """Names of all other files, hidden ones and system folders included."""
    links: tuple[str, ...] = ()
    """Names of symbolic links that are not followed."""
    complete: bool = True
    """False: it has more entries than were read."""
    problem: str | None = None
    """Why it cannot be read."""


def walk_folders(
    folder: str, kind: ProjectKind, stopped: Callable[[], bool], limit: int = MOST_ENTRIES
) -> Iterator[WalkedFolder]:
    """Walk `folder` and all below it. A folder that is reached twice comes once.

    Links are followed only to targets within `folder`, as the engine does. The walk ends early, with a folder that is
    not complete, when `stopped()` or after `limit` entries.
    """
    entries = 0
    pending, seen = [folder], set[tuple[int, int]]()
    try:
        root = os.path.realpath(folder)
    except (OSError, ValueError) as error:
        yield WalkedFolder(folder, problem=_cause(error))
        return
    while pending:
        if stopped() or entries >= limit:
            yield WalkedFolder(pending[-1], complete=False)
            return
        current = pending.pop()
        try:
            status = Path(current).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            found = _read_folder(current, limit - entries, partial(_is_followed, root, kind))
        except (OSError, ValueError) as error:
            yield WalkedFolder(current, problem=_cause(error))
            continue
        taken = uploadable(found.others, kind)
        left_out = [name for name in found.folders if _is_left_out(current, name)]
        others = (*set(found.others).difference(taken), *left_out)
        yield WalkedFolder(current, tuple(taken), others, found.links, found.complete)
        entries += len(found.folders) + len(found.others)
        pending += [child_path(current, name) for name in found.folders if name not in left_out]


def count_files(folder: str, kind: ProjectKind, stopped: Callable[[], bool], limit: int = MOST_ENTRIES) -> FolderCount:
    """Count the files of `kind` in and below `folder`; see `walk_folders`."""
    files, complete = 0, True
    for walked in walk_folders(folder, kind, stopped, limit):
        files += len(walked.files)
        complete = complete and walked.complete and walked.problem is None
    return FolderCount(files, complete)


@dataclass(frozen=True, slots=True)
class _Entries:
    """Names of the entries of one folder."""

    folders: list[str]
    others: list[str]
    links: tuple[str, ...]
    """Symbolic links that are not followed."""
    complete: bool


def _read_folder(
    folder: str, limit: int, is_followed: Callable[[os.DirEntry[str]], bool] = lambda link: True
) -> _Entries:
    """The entries of `folder`, at most `limit`. Raises OSError, ValueError."""
    folders: list[str] = []
    others: list[str] = []
    links: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(folders) + len(others) >= limit:
                return _Entries(folders, others, tuple(links), complete=False)
            if entry.is_symlink() and not is_followed(entry):
                links.append(entry.name)
            else:
                (folders if _is_folder(entry) else others).append(entry.name)
    return _Entries(folders, others, tuple(links), complete=True)


def _cause(error: OSError | ValueError) -> str:
    """What is wrong, as the end of a sentence."""
    strerror = getattr(error, "strerror", None)
    return strerror.lower() if strerror else "invalid name"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_followed(root: str, kind: ProjectKind, link: os.DirEntry[str]) -> bool:
    """Whether a count of `root` follows `link`; a file that it links to already counts in its own folder."""
    target = os.path.realpath(link.path)
    return is_within(target, [root]) and (_is_folder(link) or not uploadable([target.rpartition("/")[2]], kind))


def _is_left_out(folder: str, name: str) -> bool:
    """Whether the engine's scan of `folder` skips its subfolder `name` unless the user names it."""
    if is_hidden(name) or system_content(name) is not None:
        return True
    path = child_path(folder, name)
    target = os.path.realpath(path) if os.path.islink(path) else ""  # noqa: PTH114 - pathlib would normalise the path
    return bool(target) and system_content(target, os.path.realpath(folder)) is not None

"""What lies in a folder, as far as somebody who chooses files for an upload wants to know.

Blocking, bounded, and never raising: for a thread beside the screen. The engine's own walk decides in the end; this
only counts names, by the same rules.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tui_uploader.file_kinds import (
    IMAGE_EXTENSIONS,
    RESULT_EXTENSIONS,
    TEXTURE_EXTENSIONS,
    extension_of,
    has_mesh,
    is_hidden,
    system_content,
)
from tui_uploader.links import lies_within
from tui_uploader.model import ProjectKind
from tui_uploader.text import counted, natural_key

MOST_ENTRIES = 50_000
"""Entries that are counted at most, and looked through at most in one folder."""
MOST_SHOWN = 2_000
"""Entries of one folder that are listed at most."""


@dataclass(frozen=True, slots=True)
class FolderCount:
    """How many files in and below a folder an upload would take."""

    files: int
    complete: bool = True
    """False: there may be more, because there is too much to look at, or something that cannot be read."""

    def __str__(self) -> str:
        return f"{self.files:,}" if self.complete else f"{self.files:,}+"


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder or file that may be chosen."""

    path: str
    name: str
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What of a folder is shown: its folders, then the files that were asked for, both as people count."""

    entries: tuple[Entry, ...] = ()
    trouble: str | None = None
    """Why it could not be read, or is not shown whole."""


def joined(folder: str, name: str) -> str:
    """The path of `name` in `folder`, as it stands: `pathlib` would tidy it, and thousands of times."""
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def wanted(names: Iterable[str], kind: ProjectKind) -> list[str]:
    """Those of the names in one folder that look like images, or like results and their textures."""
    known = list(names)
    endings = IMAGE_EXTENSIONS
    if kind is ProjectKind.RESULTS:
        endings = RESULT_EXTENSIONS | TEXTURE_EXTENSIONS if has_mesh(known) else RESULT_EXTENSIONS
    return [name for name in known if extension_of(name) in endings and not is_hidden(name)]


def count_files(folder: str, kind: ProjectKind, stopped: Callable[[], bool], limit: int = MOST_ENTRIES) -> FolderCount:
    """The files of `kind` in and below `folder`; a place that is reached twice counts once.

    Links are followed to what lies in `folder`, and no farther, as the engine does.

    Ends early, incomplete, when `stopped` or after `limit` entries.
    """
    files, entries, complete = 0, 0, True
    pending, seen = [folder], set[tuple[int, int]]()
    try:
        root = os.path.realpath(folder)
    except (OSError, ValueError):
        return FolderCount(0, complete=False)
    while pending:
        if stopped() or entries >= limit:
            return FolderCount(files, complete=False)
        place = pending.pop()
        try:
            status = Path(place).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            folders, names, whole = _looked_through(place, limit - entries, partial(_is_counted, root, kind))
        except (OSError, ValueError):
            complete = False
            continue
        files += len(wanted(names, kind))
        entries += len(folders) + len(names)
        complete = complete and whole
        pending += [joined(place, name) for name in folders if not _left_out(place, name)]
    return FolderCount(files, complete)


def listed(folder: str, kind: ProjectKind, *, hidden: bool, files: bool, most: int = MOST_SHOWN) -> Listing:
    """The folders directly in `folder` and, with `files`, its files of `kind`.

    Hidden folders, and those that systems keep for themselves, only with `hidden`.
    """
    try:
        folders, names, whole = _looked_through(folder, MOST_ENTRIES)
    except (OSError, ValueError) as error:
        return Listing(trouble=f"cannot be read: {getattr(error, 'strerror', None) or 'no such name'}")
    shown = folders if hidden else [name for name in folders if not _left_out(folder, name)]
    entries = [_entry(folder, name, True) for name in _sorted(shown)]
    if files:
        entries += [_entry(folder, name, False) for name in _sorted(wanted(names, kind))]
    if whole and len(entries) <= most:
        return Listing(tuple(entries))
    return Listing(tuple(entries[:most]), f"only {counted(min(most, len(entries)), 'entry', 'entries')} shown")


def _entry(folder: str, name: str, is_folder: bool) -> Entry:
    return Entry(joined(folder, name), name, is_folder)


def _is_counted(root: str, kind: ProjectKind, link: os.DirEntry[str]) -> bool:
    """Whether a count of `root` follows the link. What it leads to counts in its own folder, if its name is wanted."""
    target = os.path.realpath(link.path)
    return lies_within(target, [root]) and (_is_folder(link) or not wanted([target.rpartition("/")[2]], kind))


def _looked_through(
    folder: str, limit: int, is_followed: Callable[[os.DirEntry[str]], bool] = lambda link: True
) -> tuple[list[str], list[str], bool]:
    """Names of the folders and of everything else in `folder`, and whether that is all; without links that are not to
    be followed. Raises OSError, ValueError."""
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(folders) + len(others) >= limit:
                return folders, others, False
            if entry.is_symlink() and not is_followed(entry):
                continue
            (folders if _is_folder(entry) else others).append(entry.name)
    return folders, others, True


def _left_out(folder: str, name: str) -> bool:
    """Whether the engine's walk of `folder` passes its subfolder `name` over, unless that is named outright."""
    if is_hidden(name) or system_content(name) is not None:
        return True
    path = joined(folder, name)
    leads_to = os.path.realpath(path) if os.path.islink(path) else ""  # noqa: PTH114 - pathlib would tidy the path
    return bool(leads_to) and system_content(leads_to, os.path.realpath(folder)) is not None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _sorted(names: Iterable[str]) -> list[str]:
    """As people count: `100MEDIA` before `1000MEDIA`."""
    return sorted(names, key=natural_key)

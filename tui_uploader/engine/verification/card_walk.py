"""Find everything below the paths of a verification: images, other files, and what is left out, with the reason.

Unlike the scan of an upload, nothing is skipped silently: wiping a card takes all of it. No symbolic link is followed
below a path: what a link leads to is verified where it is, or is not on the card. Folders are never recognised by their
inode numbers, which some file systems repeat: a folder that was taken for another one would not be verified.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tui_uploader.file_kinds import card_kind, is_hidden, is_own_record, is_within, system_content
from tui_uploader.intake.mounts import Mount, mount_at
from tui_uploader.intake.scan import Candidate, named_path
from tui_uploader.intake.source import cause, kind_of
from tui_uploader.model.verification import CardFileKind, Finding

_BATCH = 500
_DEEPEST = 100
"""Folders inside each other. A damaged file system may hold a folder inside itself."""


@dataclass(frozen=True, slots=True)
class Root:
    """A path of a verification."""

    path: str
    real: str
    """Without symbolic links."""
    named: frozenset[str] = frozenset()
    """Paths without symbolic links that the user named as well: they count, even if they are hidden."""

    def real_of(self, path: str) -> str:
        """The path without symbolic links of a file below this one."""
        return self.real if path == self.path else f"{self.real.rstrip('/')}/{path[len(self.path) :].lstrip('/')}"


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A file below the paths, or a folder that is not looked into."""

    found: Candidate
    kind: CardFileKind
    finding: Finding | None = None
    """None: it is to be read."""
    reason: str | None = None


def root_of(path: str) -> Root:
    """Blocking: for a thread. Raises NoSuchPath, SourceUnreadable, SourceVanished."""
    named = named_path(path)
    return Root(named, os.path.realpath(named))


def without_inner(roots: Sequence[Root]) -> list[Root]:
    """Only those that the walk of another one does not come to, so that each file is counted once."""
    named = frozenset(root.real for root in roots)
    kept: list[Root] = []
    for root in sorted(roots, key=lambda root: len(root.real)):
        outer = [other.real for other in kept if is_within(root.real, [other.real])]
        if not outer or all(system_content(root.real, other) for other in outer):
            kept.append(replace(root, named=named))
    return kept


def walk(root: Root) -> Iterator[list[CardEntry]]:
    """Yield everything below the root, or the file itself, in batches. Blocking: for a thread. Raises nothing."""
    batch: list[CardEntry] = []
    for entry in _entries(root):
        batch.append(entry)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    depth: int
    hidden: bool
    """Below a hidden folder."""


def _entries(root: Root) -> Iterator[CardEntry]:
    try:
        status = os.lstat(root.real)
    except OSError as error:
        yield _unreadable(root.path, error)
        return
    if not stat.S_ISDIR(status.st_mode):
        yield _file(root.path, status, mount_at(root.real), hidden=False)
        return
    pending = [_Folder(root.path, 0, hidden=False)]
    while pending:
        folder = pending.pop()
        for found in _inside(root, folder):
            if isinstance(found, _Folder):
                pending.append(found)
            else:
                yield found


def _inside(root: Root, folder: _Folder) -> Iterator[CardEntry | _Folder]:
    real = root.real_of(folder.path)
    if folder.depth > _DEEPEST:
        yield _not_read(folder.path, folder, "is nested too deeply, or contains itself")
        return
    try:
        with os.scandir(real) as listing:
            names = sorted(entry.name for entry in listing)
        device, mount = os.lstat(real).st_dev, mount_at(real)
    except OSError as error:
        yield _not_read(folder.path, folder, f"cannot be read: {cause(error)}")
        return
    for name in names:
        path, where = f"{folder.path.rstrip('/')}/{name}", f"{real.rstrip('/')}/{name}"
        hidden = where not in root.named and (folder.hidden or is_hidden(name))
        try:
            # Not from the listing: its entries keep half a kilobyte each, and some file systems' types are wrong.
            status = os.lstat(where)
        except OSError as error:
            yield _unreadable(path, error, hidden=hidden)
            continue
        if stat.S_ISDIR(status.st_mode):
            content = system_content(name)  # one that the user named is a root of its own
            if content is not None:
                found = Candidate(path, 0, 0, 0)
                yield CardEntry(found, CardFileKind.SYSTEM, Finding.APART, f"a folder of {content}")
            else:
                yield _Folder(path, folder.depth + 1, hidden)
            continue
        yield _file(path, status, mount if status.st_dev == device else mount_at(where), hidden=hidden)


def _file(path: str, status: os.stat_result, mount: Mount, *, hidden: bool) -> CardEntry:
    found = Candidate.of(path, status, mount)
    if stat.S_ISLNK(status.st_mode):
        target = "a symbolic link: what it leads to is verified only if it is below the paths, too"
        return CardEntry(found, CardFileKind.LINK, Finding.APART, target)
    if hidden:
        return CardEntry(found, CardFileKind.HIDDEN, Finding.APART, "hidden")
    if not stat.S_ISREG(status.st_mode):
        return CardEntry(found, CardFileKind.OTHER, Finding.APART, f"is {kind_of(status)}")
    if is_own_record(path):
        return CardEntry(found, CardFileKind.RECEIPT, Finding.APART, "a receipt or list of checksums of this program")
    return CardEntry(found, card_kind(path))


def _unreadable(path: str, error: OSError, *, hidden: bool = False) -> CardEntry:
    found = Candidate(path, 0, 0, 0)
    gone = isinstance(error, FileNotFoundError)
    reason = "vanished during the verification" if gone else f"cannot be read: {cause(error)}"
    if hidden:
        return CardEntry(found, CardFileKind.HIDDEN, Finding.APART, reason)
    return CardEntry(found, card_kind(path), Finding.UNREADABLE, reason)


def _not_read(path: str, folder: _Folder, reason: str) -> CardEntry:
    """A folder that cannot be looked into."""
    found = Candidate(path, 0, 0, 0)
    if folder.hidden:
        return CardEntry(found, CardFileKind.HIDDEN, Finding.APART, reason)
    return CardEntry(found, CardFileKind.OTHER, Finding.UNREADABLE, reason)


def is_there(root: Root) -> bool:
    """Whether the path still leads to the same place, and that can be read. Blocking: for a thread."""
    try:
        if os.path.realpath(root.path) != root.real:
            return False
        if Path(root.real).is_dir():
            os.scandir(root.real).close()
        else:
            os.lstat(root.real)
    except OSError:
        return False
    return True

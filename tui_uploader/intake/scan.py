"""Find the files to upload in paths that a user named; everything left out is reported with the reason.

Memory cards are messy: other files beside the images, system folders, links, damaged file systems. One bad entry never
ends the scan, and nothing but folders is opened.

A path that the user named may be a link. Below it a link is followed only to targets within paths that the user named:
a card, or a person who wrote to it, must not choose which files of this machine are uploaded. A candidate keeps its
real path, and is later opened there without following any link (see `source`), so replacing a link after the scan has
no effect. A hard link cannot be distinguished from a file of the card.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from tui_uploader.errors import NoSuchPath, SourceVanished
from tui_uploader.file_kinds import (
    has_mesh,
    is_hidden,
    is_within,
    skip_reason,
    system_content,
)
from tui_uploader.intake.mounts import UNKNOWN, Mount, mount_at, mount_of
from tui_uploader.intake.source import cause, kind_of, open_source, source_error
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import counted, natural_key, printable

_LEADS_OUT = "a link that leads out of the folders you named; name its target to upload it"

_FolderKey = tuple[int, int]  # device and inode


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to upload, as it was at one moment."""

    path: str
    """Absolute; undecodable bytes as surrogate escapes."""
    size: int
    mtime_ns: int
    """Whatever the file system reports, however large or far before 1970."""
    inode: int
    ctime_ns: int | None = None
    """None where programs can set the file system's ctime, or it has none."""
    mount: str = ""
    """`Mount.identity`; empty if unknown."""
    real: str = ""
    """The path without symbolic links; empty if `path` has none."""

    @classmethod
    def of(cls, path: str, status: os.stat_result, mount: Mount = UNKNOWN, real: str = "") -> Candidate:
        ctime_ns = status.st_ctime_ns if mount.keeps_ctime else None
        where = "" if real == path else real
        return cls(path, status.st_size, status.st_mtime_ns, status.st_ino, ctime_ns, mount.identity, where)


@dataclass(frozen=True, slots=True)
class ScanBatch:
    """A part of what a scan found, in its order."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]


def scan(
    paths: Sequence[str], kind: ProjectKind, *, named: Iterable[str] = (), batch_size: int = 500
) -> Iterator[ScanBatch]:
    """Scan files and folders in natural order: `DJI_2` before `DJI_10`. Blocking: for a thread.

    A file that is reached in two ways comes once; hard links are files of their own. No batch is empty. `named` are
    other paths that the user named: like `paths`, they are never skipped for their names, and links may lead to them.

    Raises NoSuchPath and SourceUnreadable before the first batch, see `named_path`; at the end SourceVanished when a
    card was taken out during the scan.
    """
    given = [named_path(path) for path in paths]
    found: list[Candidate | Skipped] = []
    for entry in _PathScan(kind, given, list(named)).entries(given):
        found.append(entry)
        if len(found) >= batch_size:
            yield _batch(found)
            found = []
    if found:
        yield _batch(found)


def named_path(given: str) -> str:
    """Return the absolute path, without `..`, of a file or folder that a user named. Blocking: for a thread.

    This is the only place that judges such paths. Raises NoSuchPath if there is nothing, SourceUnreadable if it cannot
    be read or entered, SourceVanished if its card or server is not connected.
    """
    if not given:
        raise NoSuchPath("An empty path names no file; write . for the current folder.")
    try:
        path = os.path.realpath(given) if ".." in PurePath(given).parts else str(Path(given).absolute())
        if Path(path).is_dir():
            os.scandir(path).close()
        elif stat.S_ISREG(Path(path).stat().st_mode) and not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoSuchPath(
            f"No such file or folder: {printable(given)}. Check the spelling, and whether the card is mounted."
        ) from error
    except OSError as error:
        raise source_error(given, error) from error
    except ValueError as error:  # a zero byte, or a character that no file name can have
        raise NoSuchPath(f"Invalid path: {printable(given)}.") from error
    return path


def candidate_of(path: str, real: str = "") -> Candidate:
    """The file as it is now; `real` as in `Candidate`. Raises SourceVanished, SourceUnreadable."""
    with open_source(path, real=real) as (descriptor, _):
        return candidate_at(path, descriptor, real)


def candidate_at(path: str, descriptor: int, real: str = "") -> Candidate:
    """The open file as it is now; `path` and `real` are where it was opened. Raises OSError."""
    return Candidate.of(path, os.fstat(descriptor), mount_of(descriptor), real)


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    """As the user reaches it."""
    real: str
    """Without symbolic links."""
    key: _FolderKey
    lineage: frozenset[_FolderKey]
    """Keys of this folder and of those through which it was reached."""
    mount: Mount


class _PathScan:
    """One scan. It remembers visited folders and files, because several paths can lead to one place."""

    def __init__(self, kind: ProjectKind, given: Sequence[str], named: Sequence[str]) -> None:
        """`given` is scanned; `named` are all other paths that the user named."""
        self._kind = kind
        self._roots = {path: os.path.realpath(path) for path in given}
        self._elsewhere = [path for path in named if path not in self._roots]
        self._named = frozenset([*named, *self._roots.values()])
        self._visited_folders: set[_FolderKey] = set()
        self._visited_files: set[str] = set()  # real paths

    def entries(self, paths: Iterable[str]) -> Iterator[Candidate | Skipped]:
        for path in paths:
            try:
                status = Path(path).stat()
            except OSError as error:  # it existed when the scan began
                yield _unreadable(path, error)
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._below(_folder(path, self._roots[path], status, above=frozenset()))
                _check_still_there(path, status)
                continue
            with_mesh = self._kind is ProjectKind.RESULTS and has_mesh(_siblings(path))
            if found := self._file(path, self._roots[path], status, with_mesh, mount_at(path)):
                yield found

    def _may_lead_to(self, real: str) -> bool:
        """Whether a link to this real path is followed."""
        if is_within(real, self._roots.values()):
            return True
        # Resolved only if needed: the other named paths may be on a card that hangs.
        return is_within(real, map(os.path.realpath, self._elsewhere))

    def _below(self, top: _Folder) -> Iterator[Candidate | Skipped]:
        """Depth first; in each folder the files before the subfolders."""
        pending = [top]
        while pending:
            folder = pending.pop()
            if folder.key in self._visited_folders:
                continue
            self._visited_folders.add(folder.key)
            subfolders = []
            for found in self._inside(folder):
                if isinstance(found, _Folder):
                    subfolders.append(found)
                else:
                    yield found
            pending.extend(reversed(subfolders))

    def _inside(self, folder: _Folder) -> Iterator[Candidate | Skipped | _Folder]:
        try:
            with os.scandir(folder.path) as listing:
                entries = list(listing)
        except OSError as error:
            yield _unreadable(folder.path, error)
            return
        visible = [entry for entry in entries if not is_hidden(entry.name) or _is_system_folder(entry)]
        if hidden := len(entries) - len(visible):
            yield Skipped(folder.path, f"{counted(hidden, 'hidden entry', 'hidden entries')} inside")
        with_mesh = has_mesh(entry.name for entry in visible)
        del entries
        visible.sort(key=lambda entry: natural_key(entry.name), reverse=True)
        while visible:
            entry = visible.pop()  # frees it: an entry keeps its stat result, half a kilobyte
            try:
                found = self._entry(folder, entry, with_mesh)
            except OSError as error:
                found = _unreadable(entry.path, error)
            if found:
                yield found

    def _entry(self, folder: _Folder, entry: os.DirEntry[str], with_mesh: bool) -> Candidate | Skipped | _Folder | None:
        is_link = entry.is_symlink()
        if is_link:
            real = os.path.realpath(entry.path)
            if not self._may_lead_to(real):
                return Skipped(entry.path, _LEADS_OUT)
        else:
            real = entry.path if folder.real is folder.path else f"{folder.real.rstrip('/')}/{entry.name}"
        if entry.is_dir():
            inner = _folder(entry.path, real, entry.stat(), above=folder.lineage)
            if inner.key in folder.lineage:
                return Skipped(entry.path, "links to a folder that contains it")
            is_named = inner.path in self._named or inner.real in self._named
            if not is_named and (content := _system_content(entry, inner, folder)):
                return Skipped(entry.path, f"a folder of {content}; uploaded only if you name it")
            return inner
        if is_link:
            return self._file(entry.path, real, entry.stat(), with_mesh, mount_at(entry.path))
        if reason := skip_reason(entry.name, self._kind, with_mesh):
            return Skipped(entry.path, reason)
        status = entry.stat()
        # A single file can be a mount point.
        mount = folder.mount if status.st_dev == folder.key[0] else mount_at(entry.path)
        return self._file(entry.path, real, status, with_mesh, mount)

    def _file(
        self, path: str, real: str, status: os.stat_result, with_mesh: bool, mount: Mount
    ) -> Candidate | Skipped | None:
        """None for a file that was already found."""
        if real in self._visited_files:
            return None
        self._visited_files.add(real)
        if not stat.S_ISREG(status.st_mode):
            return Skipped(path, f"is {kind_of(status)}")
        if reason := skip_reason(path.rpartition("/")[2], self._kind, with_mesh):
            return Skipped(path, reason)
        return Candidate.of(path, status, mount, real)


def _check_still_there(path: str, before: os.stat_result) -> None:
    """Raises SourceVanished when another file system, or nothing, is at `path` now: the scan is incomplete."""
    try:
        there = Path(path).stat().st_dev == before.st_dev
    except OSError:
        there = False
    if not there:
        raise SourceVanished(f"{printable(path)} was disconnected during the scan; put the card or disk back in.")


def _batch(found: Sequence[Candidate | Skipped]) -> ScanBatch:
    return ScanBatch(
        candidates=tuple(entry for entry in found if isinstance(entry, Candidate)),
        skipped=tuple(entry for entry in found if isinstance(entry, Skipped)),
    )


def _folder(path: str, real: str, status: os.stat_result, above: frozenset[_FolderKey]) -> _Folder:
    key = (status.st_dev, status.st_ino)
    return _Folder(path, path if real == path else real, key, above | {key}, mount_at(path))


def _unreadable(path: str, error: OSError) -> Skipped:
    if not isinstance(error, FileNotFoundError):
        return Skipped(path, f"cannot be read: {cause(error)}")
    dead_link = Path(path).is_symlink()
    return Skipped(path, "links to something that does not exist" if dead_link else "vanished during the scan")


def _is_system_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return system_content(entry.name) is not None and entry.is_dir()
    except OSError:
        return False


def _system_content(entry: os.DirEntry[str], inner: _Folder, above: _Folder) -> str | None:
    """The content of a system folder, judged by its name and, for a link, by its target; None for others."""
    return system_content(entry.name) or (system_content(inner.real, above.real) if entry.is_symlink() else None)


def _siblings(path: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(Path(path).parent)]
    except OSError:  # a file can be read in a folder that cannot be listed
        return []

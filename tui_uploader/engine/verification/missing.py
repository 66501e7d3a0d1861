"""The paths to upload so that exactly the missing images of a verification are queued: pure."""

from __future__ import annotations

from collections.abc import Iterable

from tui_uploader.file_kinds import is_within
from tui_uploader.model.verification import CardFileKind, Finding


def paths_of_missing(files: Iterable[tuple[str, CardFileKind, int, Finding]], paths: Iterable[str]) -> tuple[str, ...]:
    """Return files, and folders in place of all images in them where all are missing.

    `files`: path, kind, size and finding of all files; `paths`: of the verification, above which nothing is named.
    """
    limits = tuple(paths)
    missing: list[str] = []
    mixed: set[str] = set()
    for path, kind, _, finding in files:
        if finding is Finding.MISSING:
            missing.append(path)
        elif finding is Finding.UNREADABLE or (kind is CardFileKind.IMAGE and finding is not Finding.APART):
            mixed.update(_folders(path, limits, mixed))
    return tuple(dict.fromkeys(_highest(path, limits, mixed) for path in missing))


def _folders(path: str, limits: tuple[str, ...], known: set[str]) -> Iterable[str]:
    """The folders above the path, up to the paths of the verification."""
    folder = path.rpartition("/")[0]
    while folder not in known and is_within(folder or "/", limits):
        yield folder
        if not folder:
            return
        folder = folder.rpartition("/")[0]


def _highest(path: str, limits: tuple[str, ...], mixed: set[str]) -> str:
    """The highest folder above the path in which all images are missing, or the path."""
    found = path
    for folder in _folders(path, limits, mixed):
        found = folder or "/"
    return found

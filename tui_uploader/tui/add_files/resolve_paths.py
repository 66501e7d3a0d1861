"""Which of the paths that somebody typed or dropped are on this machine, and what to say of the others."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.text import counted, printable
from tui_uploader.tui.add_files.folder_counts import FolderCount
from tui_uploader.tui.add_files.pasted_paths import LONGEST_PASTE, bounded, is_absolute, parsed
from tui_uploader.tui.add_files.path_completion import meant_path

_LONGEST_SHOWN = 60
"""Characters of a path in a sentence."""


@dataclass(frozen=True, slots=True)
class GivenPath:
    """A path that is there."""

    path: str
    """Absolute."""
    is_folder: bool


@dataclass(frozen=True, slots=True)
class GivenPaths:
    found: tuple[GivenPath, ...]
    missing: tuple[str, ...]
    """Not on this machine."""
    unreadable: tuple[str, ...] = ()
    """Sentences about paths that may be here, but cannot be looked at."""
    cut: bool = False
    """The paste was longer than what is looked at."""


def is_drop(text: str) -> bool:
    """Whether a paste is files dropped onto the terminal, and not a piece of text for the field in focus."""
    paths = parsed(bounded(text)[0])
    return bool(paths) and all(map(is_absolute, paths))


def dropped(text: str, home: str) -> GivenPaths:
    """The paths in a paste. Blocking: it looks at the disk."""
    kept, cut = bounded(text)
    return _sorted_out(list(dict.fromkeys(parsed(kept))), "/", home, cut)


def typed(text: str, here: str, home: str) -> GivenPaths:
    """The one path in a field. Blocking: it looks at the disk."""
    return _sorted_out([text], here, home, cut=False)


def _sorted_out(paths: Sequence[str], here: str, home: str, cut: bool) -> GivenPaths:
    found: list[GivenPath] = []
    missing: list[str] = []
    unreadable: list[str] = []
    for given in paths:
        path = meant_path(given, here, home)
        try:
            found.append(GivenPath(path, stat.S_ISDIR(Path(path).stat().st_mode)))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            missing.append(given)
        except OSError as error:
            unreadable.append(f"{_shown(given)} cannot be looked at: {error.strerror}.")
    return GivenPaths(tuple(found), tuple(missing), tuple(unreadable), cut)


def said_of_drop(given: GivenPaths) -> str:
    """What went wrong with a drop, as sentences; empty when nothing did."""
    sentences = list(given.unreadable[:1])
    if given.missing:
        others = len(given.missing) - 1
        more = f" and {counted(others, 'other path')}" if others else ""
        sentences.append(
            f"{_shown(given.missing[0])}{more}: not on this machine. A file dropped into an SSH"
            " window stays on your own computer; copy it here first."
        )
    if given.cut:
        sentences.append(f"The paste was cut at {LONGEST_PASTE:,} characters: drop the folder instead of its files.")
    return " ".join(sentences)


def said_of_typed(given: GivenPaths) -> str:
    """What is wrong with a typed path; empty when nothing is."""
    if given.missing:
        return (
            f"{_shown(given.missing[0])} does not exist on this machine; check the spelling, and whether the card is"
            " mounted."
        )
    return " ".join(given.unreadable)


def _shown(path: str) -> str:
    """What to call a path in a sentence: its end, which tells it from others."""
    inert = printable(path)
    return inert if len(inert) <= _LONGEST_SHOWN else f"…{inert[1 - _LONGEST_SHOWN :]}"


def topmost(paths: Sequence[GivenPath]) -> list[GivenPath]:
    """Without those that lie in another one of them: an upload takes each file once."""
    folders = {path.path.rstrip("/") for path in paths if path.is_folder}
    return [path for path in paths if not any(above in folders for above in _above(path.path))]


def _above(path: str) -> Iterator[str]:
    """The folders that `path` lies in, without slashes at their ends."""
    end = path.rstrip("/").rfind("/")
    while end >= 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def total(paths: Sequence[GivenPath], counts: Mapping[str, FolderCount]) -> FolderCount:
    """How many files an upload of `paths` would take, as far as they were counted."""
    files, complete = 0, True
    for path in topmost(paths):
        count = counts.get(path.path, FolderCount(0, complete=False)) if path.is_folder else FolderCount(1)
        files += count.files
        complete = complete and count.complete
    return FolderCount(files, complete)

"""Find typed and pasted paths on this machine, and word what is wrong with the others."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.text import counted, printable
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath
from tui_uploader.tui.add_files.paths.pasted_paths import LONGEST_PASTE, cut_paste, is_absolute, parse_paths
from tui_uploader.tui.add_files.paths.path_completion import absolute_path

_LONGEST_SHOWN = 60
"""Characters of a path in a sentence."""


@dataclass(frozen=True, slots=True)
class ResolvedPaths:
    """Typed or pasted paths, sorted by whether they exist."""

    found: tuple[LocalPath, ...]
    """Also paths that cannot be examined: the engine reports why, when they are uploaded."""
    missing: tuple[str, ...]
    """Not on this machine; as typed."""
    cut: bool = False
    """Whether the paste was too long to be parsed completely."""
    unreadable: str = ""
    """A sentence about the first path that cannot be examined."""


def is_drop(text: str) -> bool:
    """Whether a paste consists of absolute paths, as dropped files do, and is not text for the focused field."""
    paths = parse_paths(cut_paste(text)[0])
    return bool(paths) and all(map(is_absolute, paths))


def resolve_paste(text: str, home: str) -> ResolvedPaths:
    """Look up the paths in a paste. Blocking."""
    kept, cut = cut_paste(text)
    return _resolve(list(dict.fromkeys(parse_paths(kept))), "/", home, cut)


def resolve_typed(text: str, here: str, home: str) -> ResolvedPaths:
    """Look up the one path in a field. Blocking."""
    return _resolve([text], here, home, cut=False)


def _resolve(paths: Sequence[str], here: str, home: str, cut: bool) -> ResolvedPaths:
    found: list[LocalPath] = []
    missing: list[str] = []
    unreadable = ""
    for given in paths:
        path = absolute_path(given, here, home)
        try:
            found.append(LocalPath(path, stat.S_ISDIR(Path(path).stat().st_mode)))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            missing.append(given)
        except OSError as error:
            found.append(LocalPath(path, False))
            unreadable = unreadable or f"{_shown(given)} cannot be read: {(error.strerror or 'unknown').lower()}."
    return ResolvedPaths(tuple(found), tuple(missing), cut, unreadable)


def paste_warning(resolved: ResolvedPaths) -> str:
    """Sentences about what is wrong with a paste; empty if nothing is."""
    sentences = []
    if resolved.missing:
        others = len(resolved.missing) - 1
        more = f" and {counted(others, 'other path')}" if others else ""
        sentences.append(
            f"{_shown(resolved.missing[0])}{more}: not on this machine. A file dropped into an SSH"
            " window stays on your own computer; copy it here first."
        )
    if resolved.unreadable:
        sentences.append(resolved.unreadable)
    if resolved.cut:
        sentences.append(f"The paste was cut at {LONGEST_PASTE:,} characters; drop the folder instead of its files.")
    return " ".join(sentences)


def typed_warning(resolved: ResolvedPaths) -> str:
    """A sentence about what is wrong with a typed path; empty if nothing is."""
    if not resolved.missing:
        return resolved.unreadable
    return (
        f"{_shown(resolved.missing[0])} does not exist on this machine. Check the spelling and whether the card is"
        " mounted."
    )


def _shown(path: str) -> str:
    """`path` for a sentence; only the end of a long one, where paths differ."""
    safe = printable(path)
    return safe if len(safe) <= _LONGEST_SHOWN else f"…{safe[1 - _LONGEST_SHOWN :]}"

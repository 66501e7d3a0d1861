"""Resolve and complete typed paths. Pure.

Typed text is taken literally, without shell quoting. Control characters of a name are never written into the field;
such names are shown, and can be chosen in the tree.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.text import printable


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of completing a typed path."""

    text: str
    """The new text of the field."""
    candidates: tuple[str, ...] = ()
    """Matching names, folders with a slash at the end; empty if there is only one or none."""


def absolute_path(typed: str, here: str, home: str) -> str:
    """The absolute path of `typed`: `~` is `home`, and a relative path starts in `here`."""
    if typed == "~" or typed.startswith("~/"):
        typed = home + typed[1:]
    return os.path.normpath(os.path.join(here, typed))  # noqa: PTH118 - pathlib keeps `..`


def folder_and_start(typed: str) -> tuple[str, str]:
    """Split `typed` behind its last slash into the folder and the start of a name."""
    if typed == "~":
        return "~/", ""
    folder, slash, start = typed.rpartition("/")
    return folder + slash, start


def complete(typed: str, names: Sequence[str]) -> Completion:
    """Extend `typed` as far as `names`, the names in its folder, allow; folders among them end with a slash.

    Upper and lower case count only if a name matches exactly. Hidden names match only if the dot is typed.
    """
    folder, start = folder_and_start(typed)
    matching = _matching(start, names)
    if not matching:
        return Completion(folder + start)
    common = _common_start(matching)
    grown = folder + printable_start(common if len(common) >= len(start) else start)
    return Completion(grown, () if len(matching) == 1 and grown == folder + matching[0] else tuple(matching))


def _matching(start: str, names: Sequence[str]) -> list[str]:
    eligible = [name for name in names if start.startswith(".") or not name.startswith(".")]
    exact = [name for name in eligible if name.startswith(start)]
    return exact or [name for name in eligible if name.lower().startswith(start.lower())]


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)  # the prefix of these two is common to all
    return next((first[:index] for index, character in enumerate(first) if last[index] != character), first)


def printable_start(name: str) -> str:
    """`name` up to its first control character."""
    return next((name[:index] for index, character in enumerate(name) if printable(character) != character), name)

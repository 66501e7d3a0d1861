"""What a path field knows by itself: where a typed path leads, and how it may go on. Pure.

What is typed is a path as it stands, without shell quoting. Names that hold something a terminal would obey are never
written into the field: they are shown, and can be chosen in the tree.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.text import printable


@dataclass(frozen=True, slots=True)
class Completion:
    """How a typed path goes on."""

    text: str
    """What the field should hold now."""
    candidates: tuple[str, ...] = ()
    """Names that it may become, folders with a slash at the end; empty where there is no choice."""


def meant_path(typed: str, here: str, home: str) -> str:
    """The absolute path that `typed` means: `~` is the home folder, a relative path starts in `here`."""
    if typed == "~" or typed.startswith("~/"):
        typed = home + typed[1:]
    return os.path.normpath(os.path.join(here, typed))  # noqa: PTH118 - pathlib keeps `..`


def folder_and_start(typed: str) -> tuple[str, str]:
    """`typed` cut behind its last slash: the folder to look in, and how the name starts."""
    if typed == "~":
        return "~/", ""
    folder, slash, start = typed.rpartition("/")
    return folder + slash, start


def completed(typed: str, names: Sequence[str]) -> Completion:
    """`typed` as far as one of `names`, those in its folder, must make it; folders among them end with a slash.

    Names in another case are taken where nothing fits exactly. A hidden name has to be asked for with its dot.
    """
    folder, start = folder_and_start(typed)
    fitting = _fitting(start, names)
    if not fitting:
        return Completion(folder + start)
    common = _common_start(fitting)
    grown = folder + inert_part(common if len(common) >= len(start) else start)
    return Completion(grown, () if len(fitting) == 1 and grown == folder + fitting[0] else tuple(fitting))


def _fitting(start: str, names: Sequence[str]) -> list[str]:
    askable = [name for name in names if start.startswith(".") or not name.startswith(".")]
    exact = [name for name in askable if name.startswith(start)]
    return exact or [name for name in askable if name.lower().startswith(start.lower())]


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)  # what these two share, all between them share
    return next((first[:index] for index, character in enumerate(first) if last[index] != character), first)


def inert_part(name: str) -> str:
    """The beginning of `name`, up to the first character that a terminal would obey."""
    return next((name[:index] for index, character in enumerate(name) if printable(character) != character), name)

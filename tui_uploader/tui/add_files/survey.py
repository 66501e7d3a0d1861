"""What an upload of the chosen paths would take, and what it would leave out. Blocking, for threads; never raises.

By the rules of the engine's scan, which decides in the end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.file_kinds import has_mesh, is_hidden, is_within, skip_reason, system_content
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import counted, natural_key
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath, WalkedFolder, child_path, uploadable, walk_folders

MOST_LISTED = 1_000
"""Paths that are left out and listed with their reasons; more are only counted."""
_MOST_READ = 1_000_000
"""Entries read at most in and below one folder."""
_STEP = 250
"""Files between two reports."""
_LEADS_OUT = "a link that leads out of the chosen folder; choose its target to upload it"


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What is known so far about one chosen path, or about several."""

    files: int = 0
    """That would be uploaded."""
    size: int = 0
    """Their bytes."""
    left_out: int = 0
    """Files and folders that would not be."""
    listed: tuple[Skipped, ...] = ()
    """The first of these, with reasons."""
    complete: bool = False
    """Nothing more will be found."""


def together(facts: Iterable[PathFacts]) -> PathFacts:
    """The sum; complete if all are."""
    known = list(facts)
    listed = [skipped for each in known for skipped in each.listed]
    return PathFacts(
        sum(each.files for each in known),
        sum(each.size for each in known),
        sum(each.left_out for each in known),
        tuple(listed[:MOST_LISTED]),
        all(each.complete for each in known),
    )


def survey(
    path: LocalPath, kind: ProjectKind, stopped: Callable[[], bool], report: Callable[[PathFacts], None]
) -> PathFacts:
    """Look at everything in and below `path`; `report` what is known every few hundred files."""
    found = _Found()
    if path.is_folder:
        root = os.path.realpath(path.path)
        for walked in walk_folders(path.path, kind, stopped, _MOST_READ):
            found.add_left_out(_left_out(walked, kind, root))
            for number, name in enumerate(walked.files):
                if number % _STEP == 0:
                    report(found.facts())
                    if stopped():
                        return found.facts()
                found.add_file(child_path(walked.path, name))
    elif reason := _reason_of(path, kind):
        found.add_left_out([Skipped(path.path, reason)])
    else:
        found.add_file(path.path)
    return found.facts(complete=not stopped())


class _Found:
    def __init__(self) -> None:
        self._files = self._size = self._left_out = 0
        self._listed: list[Skipped] = []

    def add_file(self, path: str) -> None:
        """Add what an upload would take, unless it turns out that it cannot be read."""
        try:
            status = Path(path).stat()
            readable = os.access(path, os.R_OK)
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None)
            self.add_left_out([Skipped(path, f"cannot be read: {cause.lower() if cause else 'invalid name'}")])
            return
        if not stat.S_ISREG(status.st_mode):
            self.add_left_out([Skipped(path, "is not a regular file")])
        elif not readable:
            self.add_left_out([Skipped(path, "cannot be read: permission denied")])
        else:
            self._files += 1
            self._size += status.st_size

    def add_left_out(self, skipped: Iterable[Skipped]) -> None:
        for each in skipped:
            self._left_out += 1
            if len(self._listed) < MOST_LISTED:
                self._listed.append(each)

    def facts(self, *, complete: bool = False) -> PathFacts:
        return PathFacts(self._files, self._size, self._left_out, tuple(self._listed), complete)


def _left_out(folder: WalkedFolder, kind: ProjectKind, root: str) -> list[Skipped]:
    """What an upload leaves out of one folder. Hidden entries count as one, as in the engine's scan."""
    if folder.problem is not None:
        return [Skipped(folder.path, f"cannot be read: {folder.problem}")]
    with_mesh = has_mesh((*folder.files, *folder.others))
    found = [skipped for name in folder.links if (skipped := _skipped_link(child_path(folder.path, name), root))]
    hidden = 0
    for name in sorted(folder.others, key=natural_key):
        if content := system_content(name):
            found.append(Skipped(child_path(folder.path, name), f"a folder of {content}"))
        elif is_hidden(name):
            hidden += 1
        else:
            reason = skip_reason(name, kind, with_mesh) or "links to another file or folder"
            found.append(Skipped(child_path(folder.path, name), reason))
    if hidden:
        found.append(Skipped(folder.path, f"{counted(hidden, 'hidden entry', 'hidden entries')} inside"))
    if not folder.complete:
        found.append(Skipped(folder.path, "has more entries than are counted here"))
    return found


def _skipped_link(link: str, root: str) -> Skipped | None:
    """None for a link to a file that is uploaded from its own folder."""
    target = os.path.realpath(link)
    if not is_within(target, [root]):
        return Skipped(link, _LEADS_OUT)
    return None if Path(target).exists() else Skipped(link, "links to something that does not exist")


def _reason_of(path: LocalPath, kind: ProjectKind) -> str | None:
    """Why a file that the user named is not uploaded."""
    siblings = [path.name]
    if kind is ProjectKind.RESULTS:
        try:
            siblings += os.listdir(Path(path.path).parent)  # noqa: PTH208 - names only
        except OSError:  # a file can be read in a folder that cannot be listed
            pass
    return None if path.name in uploadable(siblings, kind) else skip_reason(path.name, kind, has_mesh(siblings))

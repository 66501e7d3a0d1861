"""Short names of folders that tell files apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tui_uploader.tui.lines.columns import cell_text

_MOST_FOLDERS = 500
"""Folders that are told apart; those seen after them keep their last name alone."""


class FolderNames:
    """The folders seen so far, and a name for each: `100MEDIA`, or `card2/100MEDIA` if another one is called the same.

    A name grows when a folder of the same name is seen, and never shrinks.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def see(self, folders: Iterable[str]) -> bool:
        """Take note of more folders; return whether names changed."""
        unseen = {folder for folder in folders if folder not in self._names}
        if not unseen or len(self._names) >= _MOST_FOLDERS:
            return False
        self._names = dict(folder_names([*self._names, *sorted(unseen)]))
        return True

    def forget(self) -> None:
        self._names.clear()

    def of(self, path: str) -> str:
        """The name of the folder of the file at `path`."""
        folder = folder_of(path)
        return self._names.get(folder) or cell_text(_parts(folder)[-1])

    def located(self, path: str) -> str:
        """`2/100MEDIA/DJI_0003.JPG`: the file with the name of its folder."""
        return f"{self.of(path)}/{cell_text(path.rpartition('/')[2])}"


def folder_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def folder_names(folders: Sequence[str]) -> Mapping[str, str]:
    """A different name for each of the different `folders` (absolute paths)."""
    alike: dict[str, list[str]] = {}
    for folder in folders:
        alike.setdefault(cell_text(_parts(folder)[-1]), []).append(folder)
    return {folder: name for group in alike.values() for folder, name in _told_apart(group).items()}


def _told_apart(group: Sequence[str]) -> dict[str, str]:
    """Names for folders whose last part is the same."""
    parts = {folder: _parts(folder) for folder in group}
    if len(group) == 1:
        return {group[0]: cell_text(parts[group[0]][-1])}
    for level in range(2, max(map(len, parts.values())) + 1):
        above = {folder: cell_text(each[-level]) if len(each) >= level else "" for folder, each in parts.items()}
        if len(set(above.values())) == len(group):
            return {
                folder: f"{name}/{cell_text(parts[folder][-1])}" if name else cell_text(parts[folder][-1])
                for folder, name in above.items()
            }
    return _by_whole_ends(parts)


def _by_whole_ends(parts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The shortest ends of the paths that are all different: no single level tells the folders apart."""
    longest = max(map(len, parts.values()))
    for depth in range(2, longest + 1):
        ends = {folder: cell_text("/".join(each[-depth:])) for folder, each in parts.items()}
        if len(set(ends.values())) == len(parts):
            return ends
    return {folder: cell_text(folder) for folder in parts}


def _parts(folder: str) -> Sequence[str]:
    return [part for part in folder.split("/") if part] or ["/"]

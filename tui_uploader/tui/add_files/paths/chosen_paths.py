"""The list of files and folders chosen for the upload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_uploader.tui.add_files.paths.folder_counts import FolderCount, LocalPath
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.list import LineList

_REMOVE = "x "


class ChosenPaths(LineList):
    """Shows each path with the number of its files; `x` removes one from the list."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x,delete,backspace", "remove", "Remove", show=False)]

    class PathRemoved(Message):
        """The user removed a path from the list."""

    def __init__(self, glyphs: Glyphs, counts: Mapping[str, FolderCount], *, id: str) -> None:
        """`counts`: those of the folders counted so far, which others add to."""
        super().__init__(glyphs, id=id)
        self._paths: dict[str, LocalPath] = {}
        self._counts = counts

    @property
    def paths(self) -> tuple[LocalPath, ...]:
        """In the order in which they were chosen."""
        return tuple(self._paths.values())

    def add(self, paths: Sequence[LocalPath]) -> None:
        self._paths |= {path.path: path for path in paths}
        self.changed()

    def toggle(self, path: LocalPath) -> None:
        """Add the path, or remove it if it is in the list."""
        if self._paths.pop(path.path, None) is None:
            self._paths[path.path] = path
        self.changed()

    @property
    def length(self) -> int:
        return max(1, len(self._paths))

    def spans(self, index: int, width: int) -> Sequence[Span]:
        if not self._paths:
            return (Span("nothing chosen yet"),)
        path = self.paths[index]
        count = str(self._counts.get(path.path, "")) if path.is_folder else "1"
        path_width = width - len(_REMOVE) - len(count) - 1
        shown = clip_start(cell_text(path.path), path_width, self.glyphs.cut)
        return Span(_REMOVE), Span(shown + " " * (path_width - cell_len(shown) + 1)), Span(count)

    def action_remove(self) -> None:
        if self._paths:
            del self._paths[self.paths[self.cursor].path]
            self.changed()
            self.post_message(self.PathRemoved())

    def clicked(self, index: int, x: int) -> None:
        super().clicked(index, x)
        if 1 <= x < 1 + len(_REMOVE):
            self.action_remove()


def clip_start(path: str, width: int, cut: str) -> str:
    """The end of a path in at most `width` cells; most paths start alike."""
    if cell_len(path) <= width:
        return path
    kept = ""
    for character in reversed(path):
        if cell_len(character + kept) > width - 1:
            break
        kept = character + kept
    return cut + kept if width > 0 else ""


def topmost(paths: Sequence[LocalPath]) -> list[LocalPath]:
    """Leave out paths that lie in another of `paths`: an upload takes each file once."""
    folders = {path.path.rstrip("/") for path in paths if path.is_folder}
    return [path for path in paths if not any(parent in folders for parent in _parents(path.path))]


def _parents(path: str) -> Iterator[str]:
    """The folders above `path`, without slashes at their ends."""
    end = path.rstrip("/").rfind("/")
    while end >= 0:
        yield path[:end]
        end = path.rfind("/", 0, end)

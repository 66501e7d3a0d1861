"""The list of what will be uploaded, from which things can be taken out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_uploader.tui.add_files.folder_counts import FolderCount
from tui_uploader.tui.add_files.resolve_paths import GivenPath
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.list import LineList

_REMOVE = "x "


class ChosenPaths(LineList):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("x,delete,backspace", "remove", "Take out", show=False)]

    class Changed(Message):
        """Something was taken out."""

    def __init__(self, glyphs: Glyphs, counts: Mapping[str, FolderCount], *, id: str) -> None:
        super().__init__(glyphs, id=id)
        self._paths: dict[str, GivenPath] = {}
        self._counts = counts

    @property
    def paths(self) -> tuple[GivenPath, ...]:
        """In the order in which they were chosen."""
        return tuple(self._paths.values())

    def add(self, paths: Sequence[GivenPath]) -> None:
        self._paths |= {path.path: path for path in paths}
        self.changed()

    def flip(self, path: GivenPath) -> None:
        """Put it in, or take it out if it is in."""
        if self._paths.pop(path.path, None) is None:
            self._paths[path.path] = path
        self.changed()

    @property
    def length(self) -> int:
        return max(1, len(self._paths))

    def spans(self, index: int, width: int) -> Sequence[Span]:
        if not self._paths:
            return (Span("nothing chosen yet", "muted"),)
        path = self.paths[index]
        count = str(self._counts.get(path.path, "")) if path.is_folder else "1"
        room = width - len(_REMOVE) - len(count) - 1
        shown = clipped_start(cell_text(path.path), room, self.glyphs.cut)
        return Span(_REMOVE, "muted"), Span(shown + " " * (room - cell_len(shown) + 1)), Span(count, "muted")

    def action_remove(self) -> None:
        if self._paths:
            del self._paths[self.paths[self.cursor].path]
            self.changed()
            self.post_message(self.Changed())

    def clicked(self, index: int, x: int) -> None:
        super().clicked(index, x)
        if 1 <= x < 1 + len(_REMOVE):
            self.action_remove()


def clipped_start(path: str, width: int, cut: str) -> str:
    """At most `width` cells of a path, its end: the beginning of all of them is the same."""
    if cell_len(path) <= width:
        return path
    kept = ""
    for character in reversed(path):
        if cell_len(character + kept) > width - 1:
            break
        kept = character + kept
    return cut + kept if width > 0 else ""

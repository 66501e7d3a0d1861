"""The tree of folders with how many files of the wanted kind lie in each, counted beside the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import Worker

from tui_uploader.model import ProjectKind
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.folder_counts import FolderCount, Listing, count_files, listed
from tui_uploader.tui.add_files.folder_rows import FolderRow, FolderRows
from tui_uploader.tui.add_files.resolve_paths import GivenPath
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import UNICODE, Glyphs, Span
from tui_uploader.tui.lines.list import LineList

_INDENT = 2


class FolderTree(LineList):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "open", "Open", show=False),
        Binding("left,h,backspace", "close", "Close, or go up", show=False),
        Binding("space", "choose", "Choose", show=False),
        Binding("full_stop", "show_hidden", "Hidden folders", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A row is to be uploaded, or not any more."""

        path: GivenPath

    @dataclass
    class Moved(Message):
        """The user went up to another root."""

        root: str

    class Counted(Message):
        """One more folder was counted."""

    def __init__(self, root: str, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(glyphs, id=id)
        self.counts: dict[str, FolderCount] = {}
        self._rows = FolderRows(root)
        self._kind = ProjectKind.IMAGES
        self._hidden = False
        self._chosen: frozenset[str] = frozenset()
        self._counting: Worker[None] | None = None

    def on_mount(self) -> None:
        self.go_to(self.root)

    @property
    def root(self) -> str:
        return self._rows.root

    @property
    def at_cursor(self) -> GivenPath:
        entry = self._rows[self.cursor].entry
        return GivenPath(entry.path, entry.is_folder)

    @property
    def length(self) -> int:
        return len(self._rows)

    def changed(self) -> None:
        super().changed()
        self._count()

    # ---------------------------------------------------------------------------------------------- drawing

    def spans(self, index: int, width: int) -> Sequence[Span]:
        row = self._rows[index]
        chosen = row.entry.path in self._chosen
        indent = " " * min(row.depth * _INDENT, width // 2)
        head = f"{indent}{self._marker(row)} {'[x]' if chosen else '[ ]'} "
        note = row.trouble or str(self.counts.get(row.entry.path, "" if row.entry.is_folder else "1"))
        room = width - cell_len(head) - min(cell_len(note) + 1, width // 2)
        name = clipped_name(cell_text(row.entry.name), room, self.glyphs.cut)
        space = " " * max(1, width - cell_len(head) - cell_len(name) - cell_len(note))
        style = "strong" if chosen else ""
        return Span(head, style), Span(name, style), Span(space), Span(note, "error" if row.trouble else "muted")

    def _marker(self, row: FolderRow) -> str:
        if not row.entry.is_folder:
            return " "
        if row.is_open:
            return self.glyphs.descending
        return "▸" if self.glyphs is UNICODE else ">"

    # -------------------------------------------------------------------------------------- what it is told

    def show_kind(self, kind: ProjectKind) -> None:
        """Count files of `kind`, and show those of results."""
        if kind is not self._kind:
            self._kind = kind
            self._read_again()

    def show_chosen(self, paths: frozenset[str]) -> None:
        self._chosen = paths
        self.refresh()
        self._count()

    def go_to(self, root: str) -> None:
        """Make `root` the root, if it can be looked into or nothing else is shown yet."""
        self._root_at(root)

    @work(group="folder root", exclusive=True, description="list a folder")
    async def _root_at(self, root: str) -> None:
        listing = await in_own_thread(self._look_into(root))
        if root != self.root:
            if listing.trouble and not listing.entries:
                return
            self._rows = FolderRows(root)
            self.cursor = 0
        self._rows.show(root, listing)
        self.changed()

    def _look_into(self, folder: str) -> Callable[[], Listing]:
        return partial(listed, folder, self._kind, hidden=self._hidden, files=self._kind is ProjectKind.RESULTS)

    @work(group="folders", exclusive=False, description="list folders")
    async def _open(self, folders: Sequence[str]) -> None:
        for folder in folders:
            self._rows.show(folder, await in_own_thread(self._look_into(folder)))
            self.changed()

    def _read_again(self) -> None:
        self.counts.clear()
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None
        self._open(self._rows.open_folders())

    # --------------------------------------------------------------------------------------------- counting

    def _count(self) -> None:
        """Count what is in sight and was not counted yet. One walk at a time: cards are slow."""
        if self._counting is None or self._counting.is_finished:
            self._counting = self._count_on()

    @work(group="folder counts", exclusive=True, description="count files in folders")
    async def _count_on(self) -> None:
        left = threading.Event()
        try:
            while (folder := self._next_to_count()) is not None:
                self.counts[folder] = await in_own_thread(partial(count_files, folder, self._kind, left.is_set))
                if (index := self._rows.index_of(folder)) is not None:
                    self.refresh_line(index)
                self.post_message(self.Counted())
        finally:
            left.set()

    def _next_to_count(self) -> str | None:
        """What was chosen first, then what is in sight, the root last: it holds all the others."""
        top = self.scroll_offset.y
        seen = range(top, min(self.length, top + self.size.height))
        rows = [self._rows[index].entry for index in seen if self._rows[index].entry.is_folder]
        folders = [*self._chosen, *sorted((entry.path for entry in rows), key=lambda path: path == self.root)]
        return next((folder for folder in folders if folder not in self.counts), None)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._count()

    # ----------------------------------------------------------------------------------------------- actions

    def action_open(self) -> None:
        row = self._rows[self.cursor]
        if row.entry.is_folder and not row.is_open:
            self._open([row.entry.path])
        elif row.is_open:
            self.cursor += 1

    def action_close(self) -> None:
        row = self._rows[self.cursor]
        if row.is_open and self.cursor:
            self._rows.close(self.cursor)
            self.changed()
        elif self.cursor:
            self.cursor = self._rows.holder_of(self.cursor)
        elif self.root != "/":
            parent = self._rows.parent
            self.post_message(self.Moved(parent))
            self.go_to(parent)

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self.at_cursor))
        self.cursor += 1

    def action_show_hidden(self) -> None:
        self._hidden = not self._hidden
        self._read_again()

    def clicked(self, index: int, x: int) -> None:
        """On its marker a folder opens or closes, on its box it is chosen."""
        self.cursor = index
        box = 1 + self._rows[index].depth * _INDENT + 2
        if box <= x < box + 3:
            self.post_message(self.Chosen(self.at_cursor))
        elif x < box and self._rows[index].is_open and index:
            self.action_close()
        elif x < box:
            self.action_open()

"""The folder tree, with the number of uploadable files in each folder, counted in a thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import Worker

from tui_uploader.model.projects import ProjectKind
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.paths.folder_counts import (
    FolderCount,
    FolderListing,
    LocalPath,
    count_files,
    list_folder,
)
from tui_uploader.tui.add_files.paths.folder_rows import FolderRow, FolderRows
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import UNICODE, Glyphs, Span
from tui_uploader.tui.lines.list import LineList

_INDENT = 2


class FolderTree(LineList):
    """Opens and closes folders, and lets the user choose folders and files."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "open", "Open", show=False),
        Binding("left,h,backspace", "close", "Close, or go up", show=False),
        Binding("space", "choose", "Choose", show=False),
        Binding("full_stop", "show_hidden", "Hidden folders", show=False),
    ]

    @dataclass
    class PathToggled(Message):
        """The user chose a path, or removed it from the choice."""

        path: LocalPath

    @dataclass
    class RootChanged(Message):
        """The user moved the root up."""

        root: str

    class FolderCounted(Message):
        """The files of one more folder were counted."""

    def __init__(self, root: str, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(glyphs, id=id)
        self.counts: dict[str, FolderCount] = {}
        """By folder path; filled as folders are counted."""
        self._rows = FolderRows(root)
        self._kind = ProjectKind.IMAGES
        self._hidden = False
        self._chosen: frozenset[str] = frozenset()
        self._chosen_folders: tuple[str, ...] = ()
        self._counting: Worker[None] | None = None
        self._sought = ""
        """The path to which the cursor goes once its folder is listed."""

    def on_mount(self) -> None:
        self.set_root(self.root)

    @property
    def root(self) -> str:
        return self._rows.root

    @property
    def at_cursor(self) -> LocalPath:
        return self._rows[self.cursor].entry

    @property
    def length(self) -> int:
        return len(self._rows)

    def changed(self) -> None:
        super().changed()
        self._start_counting()

    # ---------------------------------------------------------------------------------------------- drawing

    def spans(self, index: int, width: int) -> Sequence[Span]:
        row = self._rows[index]
        chosen = row.entry.path in self._chosen
        indent = " " * min(row.depth * _INDENT, width // 2)
        head = f"{indent}{self._marker(row)} {'[x]' if chosen else '[ ]'} "
        note = row.problem or str(self.counts.get(row.entry.path, "" if row.entry.is_folder else "1"))
        name_width = width - cell_len(head) - min(cell_len(note) + 1, width // 2)
        name = clipped_name(cell_text(row.name), name_width, self.glyphs.cut)
        space = " " * max(1, width - cell_len(head) - cell_len(name) - cell_len(note))
        style = "strong" if chosen else ""
        return Span(head, style), Span(name, style), Span(space), Span(note, "error" if row.problem else "")

    def _marker(self, row: FolderRow) -> str:
        if not row.entry.is_folder:
            return " "
        if row.is_open:
            return self.glyphs.descending
        return "▸" if self.glyphs is UNICODE else ">"

    # -------------------------------------------------------------------------------------- content

    def set_kind(self, kind: ProjectKind) -> None:
        """Count files of `kind`; result files are shown too."""
        if kind is not self._kind:
            self._kind = kind
            self._reload()

    def set_chosen(self, paths: Sequence[LocalPath]) -> None:
        self._chosen = frozenset(path.path for path in paths)
        self._chosen_folders = tuple(path.path for path in paths if path.is_folder)
        self.refresh()
        self._start_counting()

    def point_at(self, root: str, path: str) -> None:
        """Show the folder `root`, and move the cursor to `path` if that is in it."""
        self._sought = path
        if root != self.root:
            self.set_root(root)
        else:
            self._seek()

    def _seek(self) -> None:
        if (index := self._rows.index_of(self._sought)) is not None:
            self.cursor = index
            self._sought = ""

    @work(group="folder root", exclusive=True, description="list a folder")
    async def set_root(self, root: str) -> None:
        """Make `root` the root of the tree; ignore one that cannot be read, except the first."""
        listing = await self._list(root)
        if root != self.root:
            if listing.problem and not listing.entries:
                return
            self._rows = FolderRows(root)
            self.cursor = 0
        self._rows.open(root, listing)
        self.changed()
        self._seek()

    async def _list(self, folder: str) -> FolderListing:
        files = self._kind is ProjectKind.RESULTS
        return await in_own_thread(partial(list_folder, folder, self._kind, hidden=self._hidden, files=files))

    @work(group="folders", exclusive=False, description="list folders")
    async def _open_folders(self, folders: Sequence[str]) -> None:
        for folder in folders:
            self._rows.open(folder, await self._list(folder))
            self.changed()

    def _reload(self) -> None:
        self.counts.clear()
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None
        self._open_folders(self._rows.open_folders())

    # --------------------------------------------------------------------------------------------- counting

    def _start_counting(self) -> None:
        """Count the visible folders that are not counted yet, one at a time: cards are slow."""
        if self._counting is None or self._counting.is_finished:
            self._counting = self._count_visible()

    @work(group="folder counts", exclusive=True, description="count files in folders")
    async def _count_visible(self) -> None:
        cancelled = threading.Event()
        try:
            while (folder := self._next_to_count()) is not None:
                self.counts[folder] = await in_own_thread(partial(count_files, folder, self._kind, cancelled.is_set))
                if (index := self._rows.index_of(folder)) is not None:
                    self.refresh_line(index)
                self.post_message(self.FolderCounted())
        finally:
            cancelled.set()

    def _next_to_count(self) -> str | None:
        """Chosen folders first, then the visible ones, the root last: it contains all others."""
        top = self.scroll_offset.y
        visible = range(top, min(self.length, top + self.size.height))
        rows = [self._rows[index].entry for index in visible if self._rows[index].entry.is_folder]
        folders = [*self._chosen_folders, *sorted((entry.path for entry in rows), key=lambda path: path == self.root)]
        return next((folder for folder in folders if folder not in self.counts), None)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._start_counting()

    # ----------------------------------------------------------------------------------------------- actions

    def action_open(self) -> None:
        row = self._rows[self.cursor]
        if row.entry.is_folder and not row.is_open:
            self._open_folders([row.entry.path])
        elif row.is_open:
            self.cursor += 1

    def action_close(self) -> None:
        row = self._rows[self.cursor]
        if row.is_open and self.cursor:
            self._rows.close(self.cursor)
            self.changed()
        elif self.cursor:
            self.cursor = self._rows.parent_of(self.cursor)
        elif self.root != "/":
            parent = self._rows.above_root
            self.post_message(self.RootChanged(parent))
            self.set_root(parent)

    def action_choose(self) -> None:
        self.post_message(self.PathToggled(self.at_cursor))
        self.cursor += 1

    def action_show_hidden(self) -> None:
        self._hidden = not self._hidden
        self._reload()

    def clicked(self, index: int, x: int) -> None:
        """A click on its marker opens or closes a folder, one on its box chooses it."""
        self.cursor = index
        box = 1 + self._rows[index].depth * _INDENT + 2
        if box <= x < box + 3:
            self.post_message(self.PathToggled(self.at_cursor))
        elif x < box and self._rows[index].is_open and index:
            self.action_close()
        elif x < box:
            self.action_open()

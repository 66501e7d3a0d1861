"""The rows of a tree of folders: one is opened into its own, or closed over them. No I/O."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from tui_uploader.tui.add_files.folder_counts import Entry, Listing


@dataclass(frozen=True, slots=True)
class FolderRow:
    entry: Entry
    depth: int
    is_open: bool = False
    trouble: str | None = None
    """Why what is in it cannot be shown, or not all of it."""


class FolderRows:
    """A root and what is open below it, as they stand on the screen."""

    def __init__(self, root: str) -> None:
        self._rows = [FolderRow(Entry(root, root, True), 0)]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> FolderRow:
        return self._rows[index]

    @property
    def root(self) -> str:
        return self._rows[0].entry.path

    @property
    def parent(self) -> str:
        """The folder that holds the root."""
        return os.path.dirname(self.root.rstrip("/")) or "/"  # noqa: PTH120 - pathlib would repair the path

    def index_of(self, path: str) -> int | None:
        return next((index for index, row in enumerate(self._rows) if row.entry.path == path), None)

    def holder_of(self, index: int) -> int:
        """The row of the folder that row `index` lies in; the root's own."""
        depth = self._rows[index].depth
        return next((above for above in range(index - 1, -1, -1) if self._rows[above].depth < depth), 0)

    def open_folders(self) -> list[str]:
        return [row.entry.path for row in self._rows if row.is_open]

    def show(self, folder: str, listing: Listing) -> None:
        """Open `folder` and put what it holds below it. A folder that went meanwhile is passed over."""
        index = self.index_of(folder)
        if index is None:
            return
        self.close(index)
        opened = replace(self._rows[index], is_open=True, trouble=listing.trouble)
        held = [FolderRow(entry, opened.depth + 1) for entry in listing.entries]
        self._rows[index : index + 1] = [opened, *held]

    def close(self, index: int) -> None:
        row = self._rows[index]
        end = index + 1
        while end < len(self._rows) and self._rows[end].depth > row.depth:
            end += 1
        self._rows[index:end] = [replace(row, is_open=False, trouble=None)]

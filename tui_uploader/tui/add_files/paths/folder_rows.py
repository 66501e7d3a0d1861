"""The rows of the folder tree: opening a folder inserts its entries, closing it removes them. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from tui_uploader.tui.add_files.paths.folder_counts import FolderListing, LocalPath


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One row of the tree."""

    entry: LocalPath
    depth: int
    is_open: bool = False
    problem: str | None = None
    """Why its content cannot be shown, or not all of it."""

    @property
    def name(self) -> str:
        """The root goes by its whole path."""
        return self.entry.name if self.depth else self.entry.path


class FolderRows:
    """A root folder and the open folders below it, as rows from top to bottom."""

    def __init__(self, root: str) -> None:
        self._rows = [FolderRow(LocalPath(root, True), 0)]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> FolderRow:
        return self._rows[index]

    @property
    def root(self) -> str:
        return self._rows[0].entry.path

    @property
    def above_root(self) -> str:
        """The parent folder of the root."""
        return os.path.dirname(self.root.rstrip("/")) or "/"  # noqa: PTH120 - pathlib would normalise the path

    def index_of(self, path: str) -> int | None:
        return next((index for index, row in enumerate(self._rows) if row.entry.path == path), None)

    def parent_of(self, index: int) -> int:
        """The row of the parent folder of row `index`; that of the root is the root."""
        depth = self._rows[index].depth
        return next((above for above in range(index - 1, -1, -1) if self._rows[above].depth < depth), 0)

    def open_folders(self) -> list[str]:
        return [row.entry.path for row in self._rows if row.is_open]

    def open(self, folder: str, listing: FolderListing) -> None:
        """Open `folder`, with the entries of `listing` below it. A folder that has no row any more is ignored."""
        index = self.index_of(folder)
        if index is None:
            return
        self.close(index)
        opened = replace(self._rows[index], is_open=True, problem=listing.problem)
        children = [FolderRow(entry, opened.depth + 1) for entry in listing.entries]
        self._rows[index : index + 1] = [opened, *children]

    def close(self, index: int) -> None:
        """Close the folder of row `index`: remove all rows below it."""
        row = self._rows[index]
        end = index + 1
        while end < len(self._rows) and self._rows[end].depth > row.depth:
            end += 1
        self._rows[index:end] = [replace(row, is_open=False, problem=None)]

"""The commands of the files pane, on a file that another screen shows."""

from __future__ import annotations

from collections.abc import Callable

from tui_uploader.model.files import FileItem
from tui_uploader.tui.files.pane import FilesPane
from tui_uploader.tui.pictures.file_steps import Place


class FilesPaneActions:
    """`FileActions` of the picture screen, which was opened from the pane."""

    def __init__(self, give: Callable[[str, FileItem], object], pane: FilesPane) -> None:
        """`give` gives the command of this name for one file."""
        self._give = give
        self._pane = pane

    def retry(self, item: FileItem) -> None:
        self._give("retry_selected", item)

    def remove(self, item: FileItem) -> None:
        self._give("remove_selected", item)

    def undo(self, item: FileItem) -> None:
        self._give("undo", item)

    def toggle_mark(self, item: FileItem) -> None:
        self._pane.toggle(item.id)

    def is_marked(self, item: FileItem) -> bool:
        return item.id in self._pane.table.marks

    def go_to(self, place: Place | None) -> None:
        """Put the cursor on the file that was shown last."""
        if place is not None and not place.gone:
            self._pane.go_to(place.item.id)

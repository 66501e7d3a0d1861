"""The title of the files pane and the line below the files as widgets, redrawn only when they say something else."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui_uploader.model.states import FileStatus
from tui_uploader.tui.files.title import Title, filtered, info_spans, title_spans
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import SpanLine


class TitleLine(SpanLine):
    """The title as one line. A click on a count asks to filter by it."""

    class CountClicked(Message):
        def __init__(self, status: FileStatus) -> None:
            super().__init__()
            self.status = status

    def __init__(self, glyphs: Glyphs, *, id: str, classes: str) -> None:
        super().__init__(glyphs, id=id, classes=classes)
        self._shown = Title("")

    def show_title(self, title: Title) -> None:
        if title != self._shown:
            self._shown = title
            self.refresh()

    @property
    def text(self) -> str:
        """The whole text, whether it fits or not."""
        return "".join(span.text for span in title_spans(self._shown, 10_000, self._glyphs))

    def spans(self, width: int) -> Sequence[Span]:
        return title_spans(self._shown, width, self._glyphs)

    def on_click(self, event: events.Click) -> None:
        x = event.get_content_offset_capture(self).x
        for span in self.spans(self.size.width):
            if 0 <= x < cell_len(span.text) and span.style in set(FileStatus):
                self.post_message(self.CountClicked(FileStatus(span.style)))
            x -= cell_len(span.text)


class InfoLine(SpanLine):
    """The line below the files."""

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(glyphs, id=id)
        self._shown = Title("")

    @property
    def wanted(self) -> bool:
        title = self._shown
        return bool(title.selected or title.ranging or title.unfolded or filtered(title.query))

    def show_title(self, title: Title) -> None:
        if title != self._shown:
            self._shown = title
            self.refresh()

    def spans(self, width: int) -> Sequence[Span]:
        return info_spans(self._shown, width, self._glyphs)

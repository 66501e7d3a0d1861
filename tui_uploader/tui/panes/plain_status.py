"""One line for each upload, for terminals too small for the panes."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.states import UploadState
from tui_uploader.tui.lines.columns import cell_text, clipped
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import segments
from tui_uploader.wording.uploads import NO_UPLOADS, percent_stored


def plain_lines(status: EngineStatus | None, problem: str) -> list[str]:
    """The newest upload first; before them `problem`, what is wrong with the engine (empty: nothing)."""
    lines = [problem] if problem else []
    for upload in reversed(status.uploads if status else ()):
        state = f"{percent_stored(upload)} %" if upload.state is UploadState.ACTIVE else str(upload.state)
        failed = f", {upload.counts.failed} failed" if upload.counts.failed else ""
        lines.append(f"{state}{failed} {cell_text(upload.project_name)}")
    return lines or [NO_UPLOADS]


class PlainStatus(Widget):
    """Shown in terminals below 60 by 16."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._lines = plain_lines(None, "")

    def show(self, status: EngineStatus | None, problem: str) -> None:
        lines = plain_lines(status, problem)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        text = clipped(self._lines[y], width, self._glyphs.cut) if y < len(self._lines) else ""
        return Strip(segments(self, [Span(text)], base)).adjust_cell_length(width, base)

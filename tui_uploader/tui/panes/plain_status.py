"""One line for each upload, for terminals too small for the panes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from textual.strip import Strip
from textual.widget import Widget

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.tui.lines.columns import cell_text, clipped, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import segments
from tui_uploader.wording.banner import Banner
from tui_uploader.wording.uploads import NO_UPLOADS, percent_sent

_BANNER_LINES = 3


def plain_lines(status: EngineStatus | None, problem: Banner | None, width: int) -> list[Span]:
    """What is wrong, in at most three lines without a countdown; then the uploads, the newest first."""
    lines: list[Span] = []
    if problem is not None:
        still = replace(problem, then="") if problem.counts_down else problem
        words = without_ornament(f"! {still.essence} {still.waits}".strip())
        lines += [Span(line, "error") for line in wrapped(words, max(1, width), most=_BANNER_LINES)]
    uploads = status.uploads if status else ()
    lines += [Span(_upload_line(upload)) for upload in reversed(uploads)]
    return lines or [Span(NO_UPLOADS)]


def _upload_line(upload: UploadStatus) -> str:
    if upload.state is UploadState.COMPLETE:
        return f"complete {cell_text(upload.project_name)}"
    state = "" if upload.state is UploadState.ACTIVE else f", {upload.state}"
    failed = f", {upload.counts.failed} failed" if upload.counts.failed else ""
    return f"{percent_sent(upload)} %{state}{failed} {cell_text(upload.project_name)}"


class PlainStatus(Widget):
    """Shown in terminals below 60 by 16."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._status: EngineStatus | None = None
        self._problem: Banner | None = None
        self._lines: Sequence[Span] = ()

    def show(self, status: EngineStatus | None, problem: Banner | None) -> None:
        self._status, self._problem = status, problem
        if self.is_attached and self.is_on_screen:
            self._draw()

    def _draw(self) -> None:
        lines = plain_lines(self._status, self._problem, self.size.width)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def on_resize(self) -> None:
        self._draw()

    def on_show(self) -> None:
        self._draw()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        lines = self._lines
        shown = [lines[y]._replace(text=clipped(lines[y].text, width, self._glyphs.cut))] if y < len(lines) else []
        return Strip(segments(self, shown, base)).adjust_cell_length(width, base)

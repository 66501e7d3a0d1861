"""Notices above the uploads pane: one at a time, always the newest."""

from __future__ import annotations

from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui_uploader.text import printable
from tui_uploader.tui.lines.columns import cell_text, wrapped
from tui_uploader.tui.lines.glyphs import Span, without_ornament
from tui_uploader.tui.lines.spans import segments
from tui_uploader.tui.messages import Noticed

_MOST_LINES = 4
_STYLES = {"information": "strong", "warning": "warning", "error": "error"}
_LONGEST = 600


def notice_lines(text: str, width: int) -> list[str]:
    """`text` made safe for the terminal, cut to a maximum length and wrapped at `width` cells."""
    return wrapped(cell_text(printable(without_ornament(text), _LONGEST)), width, most=_MOST_LINES)


def combined(before: Noticed | None, notice: Noticed) -> Noticed:
    """`notice`, followed by `before` if that stays until closed: a call for action must not hide another."""
    if before is None or before.seconds or not notice.attention or before.text in notice.text:
        return notice
    if notice.text in before.text:
        return before
    return Noticed(f"{notice.text} {before.text}", before.severity, seconds=0, attention=True)


class Notices(Widget):
    """Hidden while there is no notice. A click closes it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.current: Noticed | None = None
        self._timer: Timer | None = None

    def show(self, notice: Noticed, below: int) -> None:
        """`below`: lines to leave free at the end of the screen."""
        if self._timer is not None:
            self._timer.stop()
        notice = combined(self.current, notice)
        self._timer = self.set_timer(notice.seconds, self.close) if notice.seconds else None
        self.current = notice
        self.move_above(below)
        self.display = True
        self._fit()

    def move_above(self, below: int) -> None:
        """Move to `below` lines above the end of the screen."""
        self.styles.margin = (0, 0, below, 0)

    def close(self) -> None:
        self.current = None
        self.display = False

    def _lines(self) -> list[str]:
        return notice_lines(self.current.text, self._text_width) if self.current else []

    @property
    def _text_width(self) -> int:
        return max(1, self.app.size.width - 4)

    def _fit(self) -> None:
        self.styles.height = max(1, len(self._lines()))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        lines = self._lines()
        if self.current is None or y >= len(lines):
            return Strip.blank(self.size.width, base)
        spans = [Span("  "), Span(lines[y], _STYLES[self.current.severity])]
        return Strip(segments(self, spans, base)).adjust_cell_length(self.size.width, base)

    def on_resize(self) -> None:
        if self.current is not None:
            self._fit()

    def on_click(self) -> None:
        self.close()

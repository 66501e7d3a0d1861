"""News that stay until they are closed: a band above the uploads, of at most three lines.

It takes no key of the user but Enter and Escape, and those only when it could have been read.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import msgspec
from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui_uploader.model.projects import Processing
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.tui.lines.columns import cell_text, clipped, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.spans import between, segments
from tui_uploader.wording.notices import submission_words
from tui_uploader.wording.processing import ready_at

TITLE = "Submitted for processing"
DONE = " DONE "
_MOST_LINES = 3
_HINT = " Enter"
_MORE = "and {} more (e lists them)"
_GAP = "   "
_SHORTEST_NAME = 10
_MOST_STARTING = 3
_AFTER = 0.02
_READ_SECONDS = 1.0
"""News that are younger are not closed by a key: it was pressed for something else."""


class Submission(msgspec.Struct, frozen=True):
    """A project that was submitted for processing."""

    name: str
    processing: Processing


def band_lines(submissions: Sequence[Submission], width: int, now: float, glyphs: Glyphs) -> list[str]:
    """The title and the submissions, the newest first, in at most three lines of at most `width` cells.

    A few have all estimates of the service, many their names and when they will be ready. Names give way to times. The
    first line leaves space for DONE. `now`: seconds since the epoch.
    """
    newest_first = list(reversed(submissions))
    free = width - cell_len(DONE + _HINT) - 1
    if len(newest_first) == 1:
        (only,) = newest_first
        line = f"{TITLE}: {cell_text(only.name)}, {submission_words(only.processing, now)}"
        if cell_len(line) <= free:
            return [line]
    title = clipped(TITLE if len(newest_first) == 1 else f"{TITLE}: {len(newest_first)} projects", free, glyphs.cut)
    if len(newest_first) < _MOST_LINES:
        return [title, *(_full(each, width, now, glyphs) for each in newest_first)]
    return [title, *_packed(newest_first, width, now, glyphs)]


def _full(submission: Submission, width: int, now: float, glyphs: Glyphs) -> str:
    words = submission_words(submission.processing, now)
    if cell_len(words) + _SHORTEST_NAME + 2 > width:
        return _short(submission, width, now, glyphs)
    return f"{_name(submission, width - cell_len(words) - 2, glyphs)}: {words}"


def _short(submission: Submission, width: int, now: float, glyphs: Glyphs) -> str:
    at = ready_at(submission.processing, now)
    words = f" ~{at}" if at else ""
    return clipped(_name(submission, max(0, width - cell_len(words)), glyphs) + words, width, glyphs.cut)


def _name(submission: Submission, width: int, glyphs: Glyphs) -> str:
    return clipped_name(cell_text(submission.name), width, glyphs.cut)


def _packed(submissions: Sequence[Submission], width: int, now: float, glyphs: Glyphs) -> list[str]:
    """As many as fit into the remaining lines; what is left out is counted."""
    lines = _MOST_LINES - 1
    each = max(2 * _SHORTEST_NAME, (width * lines - len(_MORE)) // len(submissions) - len(_GAP))
    shown = [_short(submission, min(width, each), now, glyphs) for submission in submissions]
    filled: list[str] = [""]
    for number, text in enumerate(shown):
        more = len(shown) - number - 1
        reserved = cell_len(_GAP + _MORE.format(more)) if more and len(filled) == lines else 0
        joined = f"{filled[-1]}{_GAP}{text}" if filled[-1] else text
        if cell_len(joined) + reserved <= width:
            filled[-1] = joined
        elif len(filled) < lines and filled[-1]:
            filled.append(text)
        else:
            rest = _MORE.format(more + 1)
            filled[-1] = clipped(f"{filled[-1]}{_GAP}{rest}" if filled[-1] else rest, width, glyphs.cut)
            break
    return filled


class Starting(msgspec.Struct, frozen=True):
    """A project whose processing starts at a time, in seconds since the epoch, unless the user stops it."""

    name: str
    at: float


def starting_of(uploads: Sequence[UploadStatus]) -> list[Starting]:
    """The projects that are about to be processed, the next one first."""
    found = {upload.project or upload.upload: upload for upload in uploads if upload.process_at is not None}
    starting = [Starting(upload.project_name, upload.process_at or 0.0) for upload in found.values()]
    return sorted(starting, key=lambda each: each.at)


def starting_line(starting: Sequence[Starting], width: int, now: float, glyphs: Glyphs) -> str:
    """`Processing of Quarry starts in 8 s; U stops it`. Names give way."""
    left = [f"in {math.ceil(each.at - now)} s" for each in starting]
    if len(starting) == 1:
        words = f"Processing of  starts {left[0]}; U stops it"
        name = clipped_name(cell_text(starting[0].name), max(4, width - cell_len(words)), glyphs.cut)
        return f"Processing of {name} starts {left[0]}; U stops it"
    line = ""
    for most in range(min(len(starting), _MOST_STARTING), 0, -1):
        more = f" and {len(starting) - most} more" if len(starting) > most else ""
        words = f"Processing starts: {more}; U stops it"
        each = max(4, (width - cell_len(words)) // most - len(" in 10 s, "))
        names = [clipped_name(cell_text(one.name), each, glyphs.cut) for one in starting[:most]]
        listed = ", ".join(f"{name} {seconds}" for name, seconds in zip(names, left, strict=False))
        line = f"Processing starts: {listed}{more}; U stops it"
        if cell_len(line) <= width:
            break
    return line


class NewsBand(Widget):
    """Hidden while there are no news. More are added while it is open; DONE closes them all."""

    class Resized(Message):
        """Its number of lines changed."""

    def __init__(
        self,
        glyphs: Glyphs,
        *,
        wall: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.submissions: tuple[Submission, ...] = ()
        self._glyphs = glyphs
        self._wall = wall
        self._clock = clock
        self._shown_since = 0.0
        self._lines: list[str] = []
        self._starting: tuple[Starting, ...] = ()
        self._title = -1
        """The line with DONE."""
        self._timer: Timer | None = None

    def add(self, submissions: Sequence[Submission]) -> None:
        if submissions:
            self.submissions += tuple(submissions)
            self.shown_anew()
            self._fit()

    def show_starting(self, starting: Sequence[Starting]) -> None:
        """Count the seconds until these start; no longer those that were shown before and are not among them."""
        if tuple(starting) != self._starting:
            self._starting = tuple(starting)
            self._fit()

    def shown_anew(self) -> None:
        """Note that the user sees the news from now on: they changed, or a dialog covered them."""
        self._shown_since = self._clock()

    def takes_keys(self, delay: float = 0.0) -> bool:
        """Whether Enter and Escape are for the news: they could have been read before the key was pressed.

        `delay`: seconds that a picture and the key after it are on their way.
        """
        return bool(self.submissions) and self._clock() - self._shown_since > _READ_SECONDS + delay

    @property
    def lines(self) -> int:
        """Number of lines that it takes."""
        return len(self._lines)

    def close(self) -> None:
        self.submissions = ()
        self._fit()

    def _fit(self) -> None:
        before = len(self._lines)
        width = max(1, self.app.size.width - 2)
        now = self._wall()
        self._starting = tuple(each for each in self._starting if each.at > now)
        counting = [starting_line(self._starting, width, now, self._glyphs)] if self._starting else []
        news = band_lines(self.submissions, width, now, self._glyphs) if self.submissions else []
        self._lines, self._title = [*counting, *news], len(counting) if news else -1
        self._count_down(now)
        self.set_class(bool(self._lines), "-shown")
        if len(self._lines) != before:
            self.styles.height = max(1, len(self._lines))
            self.post_message(self.Resized())
        self.refresh()

    def _count_down(self, now: float) -> None:
        """Draw again when the next second is over."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._starting:
            self._timer = self.set_timer(min(each.at - now for each in self._starting) % 1 + _AFTER, self._fit)

    def on_resize(self) -> None:
        if self._lines:
            self._fit()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, base)
        left = [Span(" "), Span(self._lines[y], "strong" if y in (0, self._title) else "")]
        right = [Span(DONE, "button"), Span(_HINT, "muted")] if y == self._title else []
        return Strip(segments(self, between(left, right, width, self._glyphs), base)).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        start = self.size.width - cell_len(DONE + _HINT)
        if event.y == self._title and event.x >= start:
            self.close()

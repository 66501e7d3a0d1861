"""Live views of uploads: a block redrawn in place on a terminal, or lines at growing intervals for logs and pipes."""

from __future__ import annotations

import asyncio
import io
import select
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from tui_uploader.cli.lines import (
    bar,
    link_line,
    notice_line,
    progress_line,
    status_lines,
)
from tui_uploader.cli.output import print_note, print_now, style_of
from tui_uploader.cli.streams import UnfailingStream
from tui_uploader.cli.waiting import next_silence
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import without_ornament
from tui_uploader.wording.processing import start_note
from tui_uploader.wording.uploads import percent_sent, without_stale_rate

if TYPE_CHECKING:
    from rich.live import Live

_REDRAW_SECONDS = 0.5
"""Few enough redraws for a slow SSH link."""

_READER_CHECK_SECONDS = 0.5

BAR_CELLS = 40


Write = Callable[[str], None]
Block = Callable[[EngineStatus, float], list[str]]
"""The lines to draw at a time, in seconds since the epoch."""


class ProgressView(Protocol):
    """Shows the status of the engine whenever it changes."""

    def show(self, engine: EngineStatus) -> None: ...


def log_of_uploads(write: Write) -> ProgressView:
    return LogView(write, clock=time.monotonic, wall=time.time)


@asynccontextmanager
async def live_view(
    stream: TextIO,
    *,
    keep: bool = False,
    block: Block | None = None,
    log: Callable[[Write], ProgressView] = log_of_uploads,
) -> AsyncIterator[ProgressView]:
    """The view for `stream`, stdout or stderr: redrawn on a terminal, unless `NO_COLOR` asks for plain text.

    `keep`: leave the last drawing on the screen; otherwise it is erased at the end. `block`, `log`: the view of
    something else than uploads, on a terminal and elsewhere.
    """
    if style_of(stream).colour:
        view = TerminalView(stream, block or block_lines, keep=keep)
        async with view.painting():
            yield view
    else:
        yield log(print_now if stream is sys.stdout else print_note)


@asynccontextmanager
async def while_reader_stays(stream: TextIO) -> AsyncIterator[None]:
    """End the block silently when `stream` has lost its reader, even if nothing is written."""
    task, gone = asyncio.current_task(), asyncio.Event()
    assert task is not None

    async def check() -> None:
        while _is_read(stream):  # noqa: ASYNC110 - asyncio reports a pipe's lost reader on some systems only
            await asyncio.sleep(_READER_CHECK_SECONDS)
        gone.set()
        task.cancel()

    watcher = asyncio.create_task(check(), name="reader watch")
    try:
        yield
    except asyncio.CancelledError:
        if not gone.is_set():
            raise
        task.uncancel()
    finally:
        watcher.cancel()


def _is_read(stream: TextIO) -> bool:
    if isinstance(stream, UnfailingStream) and not stream.works:
        return False
    try:
        descriptor = stream.fileno()
    except (io.UnsupportedOperation, ValueError):
        return True
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP come unasked
    if not poll.poll(0):
        return True
    if isinstance(stream, UnfailingStream):
        stream.lose_reader()
    return False


class LogView:
    """A line for each event that matters, and otherwise lines at growing intervals."""

    def __init__(self, write: Write, *, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._wall = wall
        self._shown: dict[int, object] = {}
        """By upload: the facts behind its last line."""
        self._link_reason: str | None = None
        self._silence = 0.0
        self._next_line = clock()

    def show(self, engine: EngineStatus) -> None:
        self._show_link(engine)
        due = self._clock() >= self._next_line
        for status in (without_stale_rate(upload, engine.streams) for upload in engine.uploads):
            shown, facts = self._shown.get(status.upload), _notable(status)
            if due or facts != shown:
                self._write(f"{status.upload}: {progress_line(status)}{_stopped_state(status)}")
            if facts != shown and status.notice is not None:
                self._write(f"{status.upload}: {notice_line(status.notice)}")
            if facts != shown and status.process_at is not None:
                self._write(f"{status.upload}: {start_note(status, self._wall())}")
            self._shown[status.upload] = facts
        if due:
            self._silence = next_silence(self._silence)
            self._next_line = self._clock() + self._silence

    def _show_link(self, engine: EngineStatus) -> None:
        line = link_line(engine.link, self._wall())
        reason = (engine.link.reason or line) if line else None
        if reason != self._link_reason:
            self._write(line or "Online again.")
        self._link_reason = reason


class TerminalView:
    """A block of lines, redrawn in place after changes, at most twice a second."""

    def __init__(self, stream: TextIO, block: Block, *, keep: bool) -> None:
        self._stream = stream
        self._block = block
        self._keep = keep
        self._latest: EngineStatus | None = None
        self._changed = asyncio.Event()

    def show(self, engine: EngineStatus) -> None:
        if engine != self._latest:
            self._latest = engine
            self._changed.set()

    @asynccontextmanager
    async def painting(self) -> AsyncIterator[None]:
        """Draw until the block ends, and then the last state once more."""
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, highlight=False)
        with Live(console=console, auto_refresh=False, transient=not self._keep) as live:
            painter = asyncio.create_task(self._paint(live), name="progress painter")
            try:
                yield
            finally:
                painter.cancel()
                await asyncio.gather(painter, return_exceptions=True)
                self._draw(live)

    async def _paint(self, live: Live) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._draw(live)
            await asyncio.sleep(_REDRAW_SECONDS)

    def _draw(self, live: Live) -> None:
        from rich.text import Text

        if self._latest is not None:
            lines = self._block(self._latest, time.time())
            if style_of(self._stream).ascii:
                lines = [without_ornament(line) for line in lines]
            live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)


def block_lines(engine: EngineStatus, now: float) -> list[str]:
    """The lines of the terminal view; a single upload gets a bar."""
    lines = status_lines(engine, now)
    if len(engine.uploads) == 1:
        lines.append(f"   {bar(percent_sent(engine.uploads[0]), BAR_CELLS)}")
    return lines


def _stopped_state(status: UploadStatus) -> str:
    return f", {status.state}" if status.state in (UploadState.PAUSED, UploadState.CANCELLED) else ""


def _notable(status: UploadStatus) -> object:
    """The facts whose change is worth a line of its own."""
    return status.state, status.notice, status.counts.failed, status.processing.state, status.process_at

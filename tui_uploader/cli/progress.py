"""The live view of uploads: a block that a terminal redraws, or lines at growing intervals for logs and pipes."""

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
from tui_uploader.cli.streams import Output
from tui_uploader.cli.waiting import next_silence
from tui_uploader.model import EngineStatus, UploadState, UploadStatus
from tui_uploader.text import without_ornament
from tui_uploader.wording.uploads import percent_stored, without_stale_rate

if TYPE_CHECKING:
    from rich.live import Live

_REDRAW_SECONDS = 0.5
"""A slow SSH link must not be filled by its own progress bar."""

_LOOK_FOR_READER_SECONDS = 0.5

_BAR_CELLS = 40


class View(Protocol):
    """Something that shows how far the engine is."""

    def show(self, engine: EngineStatus) -> None: ...


@asynccontextmanager
async def live_view(stream: TextIO, *, keep: bool = False) -> AsyncIterator[View]:
    """The view that `stream`, stdout or stderr, can take: redrawn on a terminal, unless `NO_COLOR` asks for plain text.

    With `keep` the last drawing stays; otherwise it makes room for what follows.
    """
    if style_of(stream).colour:
        view = TerminalView(stream, keep=keep)
        async with view.painting():
            yield view
    else:
        yield LogView(print_now if stream is sys.stdout else print_note, clock=time.monotonic, wall=time.time)


@asynccontextmanager
async def while_read(stream: TextIO) -> AsyncIterator[None]:
    """End the block in silence when nobody can read `stream` any more, even if nothing is written."""
    task, gone = asyncio.current_task(), asyncio.Event()
    assert task is not None

    async def look() -> None:
        while _is_read(stream):  # noqa: ASYNC110 - asyncio tells of a pipe's lost reader on some systems only
            await asyncio.sleep(_LOOK_FOR_READER_SECONDS)
        gone.set()
        task.cancel()

    watcher = asyncio.create_task(look(), name="reader watch")
    try:
        yield
    except asyncio.CancelledError:
        if not gone.is_set():
            raise
        task.uncancel()
    finally:
        watcher.cancel()


def _is_read(stream: TextIO) -> bool:
    if isinstance(stream, Output) and not stream.is_heard:
        return False
    try:
        descriptor = stream.fileno()
    except (io.UnsupportedOperation, ValueError):
        return True
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP come unasked
    if not poll.poll(0):
        return True
    if isinstance(stream, Output):
        stream.lose_reader()
    return False


class LogView:
    """A line when something happened that somebody should know, and otherwise at growing intervals."""

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._wall = wall
        self._told: dict[int, object] = {}
        """By upload: what its last line was about."""
        self._link_reason: str | None = None
        self._silence = 0.0
        self._next_line = clock()

    def show(self, engine: EngineStatus) -> None:
        self._show_link(engine)
        due = self._clock() >= self._next_line
        for status in (without_stale_rate(upload, engine.streams) for upload in engine.uploads):
            told, news = self._told.get(status.upload), _news(status)
            if due or news != told:
                self._write(f"{status.upload}: {progress_line(status)}{_standing(status)}")
            if news != told and status.notice is not None:
                self._write(f"{status.upload}: {notice_line(status.notice)}")
            self._told[status.upload] = news
        if due:
            self._silence = next_silence(self._silence)
            self._next_line = self._clock() + self._silence

    def _show_link(self, engine: EngineStatus) -> None:
        line = link_line(engine.link, self._wall())
        reason = (engine.link.reason or line) if line else None
        if reason != self._link_reason:
            self._write(line or "Link up again.")
        self._link_reason = reason


class TerminalView:
    """A block of lines that is redrawn in place when something changed, at most twice a second."""

    def __init__(self, stream: TextIO, *, keep: bool) -> None:
        self._stream = stream
        self._keep = keep
        self._latest: EngineStatus | None = None
        self._changed = asyncio.Event()

    def show(self, engine: EngineStatus) -> None:
        if engine != self._latest:
            self._latest = engine
            self._changed.set()

    @asynccontextmanager
    async def painting(self) -> AsyncIterator[None]:
        """Draw until the block ends, and the last state once more if it stays."""
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
            lines = drawn(self._latest, time.time(), ascii_only=style_of(self._stream).ascii)
            live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)


def drawn(engine: EngineStatus, now: float, *, ascii_only: bool = False) -> list[str]:
    """The block of the terminal view; one upload alone gets a bar."""
    lines = status_lines(engine, now)
    if len(engine.uploads) == 1:
        lines.append(f"   {bar(percent_stored(engine.uploads[0]), _BAR_CELLS)}")
    return [without_ornament(line) for line in lines] if ascii_only else lines


def _standing(status: UploadStatus) -> str:
    stands = status.state in (UploadState.PAUSED, UploadState.CANCELLED)
    return f", {status.state}" if stands else ""


def _news(status: UploadStatus) -> object:
    """What is worth a line of its own when it changes."""
    return status.state, status.notice, status.counts.failed, status.processing.state

"""Opens a file that was checked for being sent, if nothing says that its bytes are others by now.

What proves them is the CRC32 that goes with every body: the store refuses any others. A look at the file only saves
sending what would be refused, so a card that was taken out and put back costs nothing that was sent before.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import FileIO

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files, known_contents
from tui_uploader.errors import SourceChanged
from tui_uploader.intake.comparison import Sameness, sameness
from tui_uploader.intake.samples import read_samples
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source, source_error

_CHANGED = "The file changed after it was checked; it is checked again, and sent anew where its content is another."
_SECONDS_FOR_LOOK = 5.0


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file of the user. Every system call on its descriptor may wait for its card, so each is made in a thread."""

    file: FileIO
    """Unbuffered; does not close `descriptor`."""
    descriptor: int
    found: Candidate
    """The file as it was when it was opened."""
    state: os.stat_result
    """The same, as the system tells it."""


@asynccontextmanager
async def opened(context: EngineContext, row: FileRecord) -> AsyncIterator[OpenFile]:
    """The file, until the block ends. If it only looks different, that is written down in the journal.

    Raises SourceChanged, SourceVanished, SourceUnreadable.
    """
    source = await _in_thread(context, row)
    try:
        if source.found != row.candidate:
            await _make_sure(context, row, source)
        yield source
    finally:
        _close(context, source)


async def _make_sure(context: EngineContext, row: FileRecord, source: OpenFile) -> None:
    if sameness(row.candidate, source.found) is Sameness.READ:
        raise SourceChanged(_CHANGED)
    before = await context.journal.read(lambda connection: known_contents.find(connection, row.path))
    if before is None or before.content.identity != row.identity or before.content.samples is None:
        return
    try:
        samples = await context.sources.run(row.path, read_samples, source.descriptor, source.found.size)
    except OSError as error:
        raise source_error(row.path, error) from error
    if samples != before.content.samples:
        raise SourceChanged(_CHANGED)
    await context.journal.write(lambda connection: files.recognise(connection, row.id, source.found))


async def check_unwritten(context: EngineContext, source: OpenFile) -> None:
    """Raises SourceChanged when something was written to the file since it was opened.

    A card that is gone, or gives no answer in time, is no sign of that: the store has confirmed the bytes.
    """
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_SECONDS_FOR_LOOK):
            now = await context.sources.run_briefly(source.found.path, os.fstat, source.descriptor)
        if (now.st_size, now.st_mtime_ns) != (source.state.st_size, source.state.st_mtime_ns):
            raise SourceChanged(_CHANGED)


async def _in_thread(context: EngineContext, row: FileRecord) -> OpenFile:
    """A card that has just been pulled out may take its time to say so."""
    opening = asyncio.ensure_future(context.sources.run_briefly(row.path, _open, row.path, row.real))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(lambda _: _close_opened(context, opening))
        raise


def _close_opened(context: EngineContext, opening: asyncio.Future[OpenFile]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(context, opening.result())


def _open(path: str, real: str) -> OpenFile:
    with open_source(path, real=real) as (descriptor, state):
        found = candidate_at(path, descriptor, real)
        kept = os.dup(descriptor)
        return OpenFile(FileIO(kept, closefd=False), kept, found, state)


def _close(context: EngineContext, source: OpenFile) -> None:
    """Nothing waits for the end of it: closing a file of a network or FUSE file system asks the other side."""
    source.file.close()
    context.sources.leave(source.found.path, os.close, source.descriptor)

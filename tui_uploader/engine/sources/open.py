"""Open a checked file for sending, unless its content may have changed since.

The proof is the CRC32 that goes with every body: the storage refuses any other bytes. The comparison made here only
saves sending what would be refused, so a card that was taken out and put back loses nothing that was already sent.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import FileIO

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files, known_contents
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import SourceChanged
from tui_uploader.intake.comparison import FileComparison, compare, is_on_other_card
from tui_uploader.intake.samples import read_samples
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source, replaced_error, source_error

_CHANGED = "The file changed after it was checked. It will be checked again, and sent again if its content differs."
_FSTAT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file of the user. Any system call on its descriptor may block on its card, so each runs in a thread."""

    file: FileIO
    """Unbuffered; does not close `descriptor`."""
    descriptor: int
    found: Candidate
    """The file as it was when it was opened."""
    status: os.stat_result
    """Of the same moment."""


@asynccontextmanager
async def open_checked(threads: SourceThreads, journal: Journal, row: FileRecord) -> AsyncIterator[OpenFile]:
    """Open the file until the block ends. If only its metadata changed, the journal takes note of them.

    Raises SourceChanged, SourceReplaced, SourceVanished, SourceUnreadable.
    """
    source = await _opened(threads, row)
    try:
        if source.found != row.candidate:
            await _check_content(threads, journal, row, source)
        yield source
    finally:
        _close(threads, source)


async def _check_content(threads: SourceThreads, journal: Journal, row: FileRecord, source: OpenFile) -> None:
    """Raises SourceChanged or SourceReplaced unless the file still has the content that was checked."""
    if is_on_other_card(row.candidate, source.found):
        raise replaced_error(row.path)
    if compare(row.candidate, source.found) is FileComparison.CHANGED:
        raise SourceChanged(_CHANGED)
    before = await journal.read(lambda connection: known_contents.find(connection, row.path))
    if before is None or before.content.identity != row.identity or before.content.samples is None:
        return
    try:
        samples = await threads.run(row.path, read_samples, source.descriptor, source.found.size)
    except OSError as error:
        raise source_error(row.path, error) from error
    if samples != before.content.samples:
        raise SourceChanged(_CHANGED)
    await journal.write(lambda connection: files.recognise(connection, row.id, source.found))


async def check_unmodified(threads: SourceThreads, source: OpenFile) -> None:
    """Raises SourceChanged if the file was written to after it was opened.

    A card that is missing, or does not answer in time, is no sign of that: the storage has confirmed the bytes.
    """
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_FSTAT_SECONDS):
            now = await threads.run_briefly(source.found.path, os.fstat, source.descriptor)
        if (now.st_size, now.st_mtime_ns) != (source.status.st_size, source.status.st_mtime_ns):
            raise SourceChanged(_CHANGED)


async def _opened(threads: SourceThreads, row: FileRecord) -> OpenFile:
    """A card that has just been pulled out may take its time to answer. Cancelling closes the file once it is open."""
    opening = asyncio.ensure_future(threads.run_briefly(row.path, _open, row.path, row.real))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(lambda _: _close_opened(threads, opening))
        raise


def _close_opened(threads: SourceThreads, opening: asyncio.Future[OpenFile]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(threads, opening.result())


def _open(path: str, real: str) -> OpenFile:
    with open_source(path, real=real) as (descriptor, status):
        found = candidate_at(path, descriptor, real)
        kept = os.dup(descriptor)
        return OpenFile(FileIO(kept, closefd=False), kept, found, status)


def _close(threads: SourceThreads, source: OpenFile) -> None:
    """Does not wait: closing a file of a network or FUSE file system asks the other side."""
    source.file.close()
    threads.leave(source.found.path, os.close, source.descriptor)

"""Opens a file that was checked for being sent, if nothing says that its bytes are others by now.

What proves them is the CRC32 that goes with every body: the store refuses any others. A look at the file only saves
sending what would be refused, so a card that was taken out and put back costs nothing that was sent before.
"""

from __future__ import annotations

import asyncio
import os
from io import FileIO

from tui_uploader.engine.core import Core
from tui_uploader.engine.journal import files, known
from tui_uploader.engine.journal.files import FileRow
from tui_uploader.errors import SourceChanged
from tui_uploader.intake.sameness import Sameness, sameness
from tui_uploader.intake.samples import read_samples
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source, source_error

_CHANGED = "The file changed after it was checked; it is checked again, and sent anew where its content is another."


async def opened(core: Core, row: FileRow) -> FileIO:
    """The file, unbuffered. If it only looks different, that is written down in the journal.

    Raises SourceChanged, SourceVanished, SourceUnreadable.
    """
    source, found = await _in_thread(core, row)
    try:
        if found != row.candidate:
            await _make_sure(core, row, source, found)
    except BaseException:
        source.close()
        raise
    return source


async def _make_sure(core: Core, row: FileRow, source: FileIO, found: Candidate) -> None:
    if sameness(row.candidate, found) is Sameness.READ:
        raise SourceChanged(_CHANGED)
    before = await core.journal.read(lambda connection: known.find(connection, row.path))
    if before is None or before.content.identity != row.identity or before.content.samples is None:
        return
    try:
        samples = await core.sources.run(row.path, read_samples, source.fileno(), found.size)
    except OSError as error:
        raise source_error(row.path, error) from error
    if samples != before.content.samples:
        raise SourceChanged(_CHANGED)
    await core.journal.write(lambda connection: files.recognise(connection, row.id, found))


def check_unwritten(source: FileIO, before: os.stat_result) -> None:
    """Raises SourceChanged when something was written to the file since it was in the state `before`."""
    now = os.fstat(source.fileno())
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise SourceChanged(_CHANGED)


async def _in_thread(core: Core, row: FileRow) -> tuple[FileIO, Candidate]:
    """A card that has just been pulled out may take its time to say so."""
    opening = asyncio.ensure_future(core.sources.run_briefly(row.path, _open, row.path, row.real))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_opened)
        raise


def _close_opened(opening: asyncio.Future[tuple[FileIO, Candidate]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()


def _open(path: str, real: str) -> tuple[FileIO, Candidate]:
    with open_source(path, real=real) as (descriptor, _):
        found = candidate_at(path, descriptor, real)
        # By its path, which errors name; it stays open after the block.
        return open(path, "rb", buffering=0, opener=lambda _, __: os.dup(descriptor)), found

"""Tries failed files again by itself, once something about them has changed on this machine.

Files of a memory card that was taken out are tried again when it is back; files that could not be used, when their
size or time has changed; files that changed all the time, when they have stopped.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files
from tui_uploader.engine.notifier import Topic
from tui_uploader.errors import SourceChanged, SourceError, SourceUnreadable, SourceVanished
from tui_uploader.intake.comparison import was_written
from tui_uploader.intake.observation import Look, look_at
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.model import FileStage, UploadState

log = logging.getLogger(__name__)

_BETWEEN_LOOKS = 5.0
_MOST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Found:
    """A failed file, as it is now."""

    candidate: Candidate | None = None
    """None: it is gone, or nothing can be learned of it."""
    look: Look | None = None
    """Taken of a file that failed because it changed all the time."""

    @property
    def gone(self) -> bool:
        return self.candidate is None


def comes_back(row: FileRecord, found: Found, before: Found | None, tried: Found | None) -> bool:
    """Whether another attempt makes sense.

    `before`: how the file was at the look before this one. `tried`: how it was when it was last tried again from here.
    A file that could not be read although it was there all the time, and is still the same, is left to the user: its
    card may be broken.
    """
    if found.candidate is None or found == tried:
        return False
    if row.error == SourceChanged.__name__:
        return found == before and found.look is not None and not found.look.written
    if was_written(row.candidate, found.candidate):
        return True
    was_gone = before is not None and before.gone
    return was_gone or (row.error == SourceVanished.__name__ and tried is None)


class Returns:
    """Looks now and then at the failed files of running uploads; costs nothing while there are none."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(FileStage.FAILED, Topic.UPLOADS)
        self._next_look = 0.0
        self._before: dict[int, Found] = {}
        self._tried: dict[int, Found] = {}

    async def step(self) -> float | None:
        summary = self._context.summary
        running = [
            upload.id
            for upload in summary.uploads.values()
            if upload.state in (UploadState.PREPARING, UploadState.ACTIVE)
            and summary.files(upload.id, FileStage.FAILED)
        ]
        if not running:
            return None
        now = self._context.clocks.monotonic()
        if now < self._next_look:
            return self._next_look - now
        self._next_look = now + _BETWEEN_LOOKS
        failed = await self._context.journal.read(lambda connection: files.failed_at_source(connection, running))
        answers = await self._context.sources.ask(_look, failed, _MOST_SECONDS)
        found = {row.id: answer for row, answer in zip(failed, answers, strict=True) if answer is not None}
        await self._try_again([row for row in failed if row.id in found and self._comes_back(row, found)], found)
        self._before = found
        return _BETWEEN_LOOKS if failed else None

    def _comes_back(self, row: FileRecord, found: Mapping[int, Found]) -> bool:
        before = self._before.get(row.id)
        if before is not None and before.gone:
            self._tried.pop(row.id, None)
        return comes_back(row, found[row.id], before, self._tried.get(row.id))

    async def _try_again(self, rows: Sequence[FileRecord], found: Mapping[int, Found]) -> None:
        if not rows:
            return
        self._tried |= {row.id: found[row.id] for row in rows}
        log.info("%d failed files are tried again: they are back, or changed.", len(rows))

        def try_again(connection: sqlite3.Connection) -> None:
            for row in rows:
                if files.file(connection, row.id).stage is FileStage.FAILED:
                    _reopen(connection, row, found[row.id].candidate)

        await self._context.journal.write(try_again)


def _reopen(connection: sqlite3.Connection, row: FileRecord, candidate: Candidate | None) -> None:
    if candidate is not None and was_written(row.candidate, candidate):
        files.note_change(connection, row.id, candidate)
    else:
        files.retry(connection, row.id)


def _look(row: FileRecord) -> Found:
    try:
        candidate = candidate_of(row.path, row.real)
        return Found(candidate, look_at(row.path, row.real) if row.error == SourceChanged.__name__ else None)
    except SourceUnreadable:
        return Found(row.candidate)
    except SourceError:
        return Found()

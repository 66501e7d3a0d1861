"""Retry failed files automatically once something about them has changed on this machine.

Files of a card that was taken out are retried when that card is back, and not when another one is in its place; files
that were unusable, when their size or modification time has changed; files that kept changing, when they have stopped.
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
from tui_uploader.errors import SourceChanged, SourceError, SourceReplaced, SourceUnreadable, SourceVanished
from tui_uploader.intake.comparison import is_on_other_card, was_modified
from tui_uploader.intake.observation import Observation, observe
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.text import counted

log = logging.getLogger(__name__)

_INTERVAL = 5.0
"""Seconds between two looks at the failed files."""
_MAX_SECONDS = 20.0
_MISSING = (SourceVanished.__name__, SourceReplaced.__name__)
"""Failures of files that were usable, and whose card was taken out."""


@dataclass(frozen=True, slots=True)
class ReturnedFile:
    """A failed file, as it is now."""

    candidate: Candidate | None = None
    """None: it is missing, or nothing can be learned of it."""
    observation: Observation | None = None
    """Made of a file that failed because it kept changing."""

    @property
    def missing(self) -> bool:
        return self.candidate is None


def is_worth_a_retry(
    row: FileRecord, found: ReturnedFile, before: ReturnedFile | None, tried: ReturnedFile | None
) -> bool:
    """Whether another attempt makes sense.

    `before`: the file at the previous look. `tried`: the file when it was last retried from here. A file that could not
    be read although it was there all the time, and is unchanged, is left to the user: its card may be broken.
    """
    if found.candidate is None or found == tried:
        return False
    if row.error in _MISSING and is_on_other_card(row.candidate, found.candidate):
        return False
    if row.error == SourceReplaced.__name__:
        return True
    if row.error == SourceChanged.__name__:
        return found == before and found.observation is not None and not found.observation.open_for_writing
    if was_modified(row.candidate, found.candidate):
        return True
    was_missing = before is not None and before.missing
    return was_missing or (row.error == SourceVanished.__name__ and tried is None)


class MediaReturn:
    """Looks at the failed files of running uploads every few seconds; costs nothing while there are none."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(FileStage.FAILED, Topic.UPLOADS)
        self._next_look = 0.0
        self._before: dict[int, ReturnedFile] = {}
        self._tried: dict[int, ReturnedFile] = {}

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
        self._next_look = now + _INTERVAL
        failed = await self._context.journal.read(lambda connection: files.failed_at_source(connection, running))
        answers = await self._context.sources.ask(_current, failed, _MAX_SECONDS)
        found = {row.id: answer for row, answer in zip(failed, answers, strict=True) if answer is not None}
        await self._retry([row for row in failed if row.id in found and self._is_worth_a_retry(row, found)], found)
        self._before = found
        return _INTERVAL if failed else None

    def _is_worth_a_retry(self, row: FileRecord, found: Mapping[int, ReturnedFile]) -> bool:
        before = self._before.get(row.id)
        if before is not None and before.missing:
            self._tried.pop(row.id, None)
        return is_worth_a_retry(row, found[row.id], before, self._tried.get(row.id))

    async def _retry(self, rows: Sequence[FileRecord], found: Mapping[int, ReturnedFile]) -> None:
        if not rows:
            return
        self._tried |= {row.id: found[row.id] for row in rows}
        log.info("Retrying %s that returned or changed.", counted(len(rows), "failed file"))

        def retry(connection: sqlite3.Connection) -> None:
            for row in rows:
                if files.file(connection, row.id).stage is FileStage.FAILED:
                    _reopen(connection, row, found[row.id].candidate)

        await self._context.journal.write(retry)


def _reopen(connection: sqlite3.Connection, row: FileRecord, candidate: Candidate | None) -> None:
    if candidate is not None and was_modified(row.candidate, candidate):
        files.note_change(connection, row.id, candidate)
    else:
        files.retry(connection, row.id)


def _current(row: FileRecord) -> ReturnedFile:
    """The file as it is now. Blocking: for a thread."""
    try:
        candidate = candidate_of(row.path, row.real)
        kept_changing = row.error == SourceChanged.__name__
        return ReturnedFile(candidate, observe(row.path, row.real) if kept_changing else None)
    except SourceUnreadable:
        return ReturnedFile(row.candidate)
    except SourceError:
        return ReturnedFile()

"""Find files that were written to after their check: before they are registered, and before processing starts.

A file that is missing, cannot be read, or does not answer in time does not count as modified: its card may have been
taken out, and what was stored of it is right.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import PurePath

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files, stored_files
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.sources.unfinished import UnfinishedFiles
from tui_uploader.errors import SourceChanged, SourceError
from tui_uploader.intake.comparison import was_modified
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.model.states import FileStage
from tui_uploader.text import counted, printable

_SECONDS_PER_BATCH = 5.0
_SECONDS_PER_PROJECT = 20.0
_MAX_NAMES = 3


async def without_modified(
    threads: SourceThreads, journal: Journal, unfinished: UnfinishedFiles, stored: Sequence[FileRecord]
) -> list[FileRecord]:
    """Return those of the stored files that may be registered; have the modified ones checked and sent again.

    A file whose registration was already requested is not held back: the project may know it.
    """
    candidates = [row for row in stored if not row.register_asked]
    modified = await _modified(threads, candidates, _SECONDS_PER_BATCH)
    if not modified:
        return list(stored)
    too_often = {row.id: unfinished.note_change(row) for row, _ in modified}

    def check_again(connection: sqlite3.Connection) -> None:
        for row, found in modified:
            if files.file(connection, row.id).stage is not FileStage.STORED:
                continue
            stored_files.doubt(connection, row.id, found)
            if (end := too_often[row.id]) is not None:
                files.fail(connection, row.id, SourceChanged.__name__, end.reason)

    await journal.write(check_again)
    going_back = {row.id for row, _ in modified}
    return [row for row in stored if row.id not in going_back]


async def modified_since_check(threads: SourceThreads, row: FileRecord) -> bool:
    """Whether the file on disk was written to after it was checked."""
    return bool(await _modified(threads, [row], _SECONDS_PER_BATCH))


async def modified_since_registration(threads: SourceThreads, journal: Journal, project: int) -> list[FileRecord]:
    """Registered images of the project whose files were written to after they were checked."""
    registered = await journal.read(lambda connection: stored_files.latest_registered(connection, project))
    return [row for row, _ in await _modified(threads, registered, _SECONDS_PER_PROJECT)]


def modified_before_processing(modified: Sequence[FileRecord], project: str) -> SourceChanged:
    """The error for a start of processing while files of the project differ from what was uploaded."""
    names = ", ".join(printable(PurePath(row.path).name) for row in modified[:_MAX_NAMES])
    others = f" and {len(modified) - _MAX_NAMES:,} more" if len(modified) > _MAX_NAMES else ""
    return SourceChanged(
        f"{counted(len(modified), 'uploaded file')} of {printable(project)} changed on this machine after the upload: "
        f"{names}{others}. The project has the earlier versions. Processing has not been started. Upload the folder "
        "again to add the new versions, or start processing with --partial."
    )


async def _modified(
    threads: SourceThreads, rows: Sequence[FileRecord], seconds: float
) -> list[tuple[FileRecord, Candidate]]:
    answers = await threads.ask(_current, rows, seconds)
    return [
        (row, found)
        for row, found in zip(rows, answers, strict=True)
        if found is not None and was_modified(row.candidate, found)
    ]


def _current(row: FileRecord) -> Candidate | None:
    """The file as it is now; None if that is unknown, or another card is mounted there. Blocking: for a thread."""
    try:
        found = candidate_of(row.path, row.real)
    except SourceError:
        return None
    return found if found.mount == row.candidate.mount else None

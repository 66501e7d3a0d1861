"""Finds files that were written to after they were checked: before they are registered, and before processing starts.

A file that is gone, cannot be read, or gives no answer in time was not seen to change: its card may have been taken
out, and what was stored of it is right.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import PurePath

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files, stored_files
from tui_uploader.errors import SourceChanged, SourceError
from tui_uploader.intake.comparison import was_written
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.model import FileStage
from tui_uploader.text import counted, printable

_SECONDS_PER_BATCH = 5.0
_SECONDS_PER_PROJECT = 20.0
_MOST_NAMES = 3


async def keep_unwritten(context: EngineContext, stored: Sequence[FileRecord]) -> list[FileRecord]:
    """Those of the stored files that may be registered. The others are checked again, and go up as what they are then.

    A file whose registration was asked for before is not held back: the project may know it already.
    """
    asked = [row for row in stored if not row.register_asked]
    written = await _written(context, asked, _SECONDS_PER_BATCH)
    if not written:
        return list(stored)
    too_often = {row.id: context.watches.changed(row) for row, _ in written}

    def check_again(connection: sqlite3.Connection) -> None:
        for row, found in written:
            if files.file(connection, row.id).stage is not FileStage.STORED:
                continue
            stored_files.doubt(connection, row.id, found)
            if (end := too_often[row.id]) is not None:
                files.fail(connection, row.id, SourceChanged.__name__, end.reason)

    await context.journal.write(check_again)
    going_back = {row.id for row, _ in written}
    return [row for row in stored if row.id not in going_back]


async def written_since_check(context: EngineContext, row: FileRecord) -> bool:
    """Whether the file on disk was written to after it was checked."""
    return bool(await _written(context, [row], _SECONDS_PER_BATCH))


async def written_since_registered(context: EngineContext, project: int) -> list[FileRecord]:
    """Registered images of the project whose files changed on disk since they were checked."""
    registered = await context.journal.read(lambda connection: stored_files.latest_registered(connection, project))
    return [row for row, _ in await _written(context, registered, _SECONDS_PER_PROJECT)]


def objection_to(written: Sequence[FileRecord], project: str) -> SourceChanged:
    """What the user reads when files changed that are about to be processed."""
    names = ", ".join(printable(PurePath(row.path).name) for row in written[:_MOST_NAMES])
    others = f" and {len(written) - _MOST_NAMES:,} more" if len(written) > _MOST_NAMES else ""
    return SourceChanged(
        f"{counted(len(written), 'uploaded file')} of {printable(project)} changed on this machine after the upload: "
        f"{names}{others}. The project has them as they were. Processing has not been started. Upload the folder again "
        "to add them as they are now, or start processing with --partial."
    )


async def _written(
    context: EngineContext, rows: Sequence[FileRecord], seconds: float
) -> list[tuple[FileRecord, Candidate]]:
    answers = await context.sources.ask(_now, rows, seconds)
    return [
        (row, found)
        for row, found in zip(rows, answers, strict=True)
        if found is not None and was_written(row.candidate, found)
    ]


def _now(row: FileRecord) -> Candidate | None:
    """The file as it is; None when that cannot be learned, or another card is mounted there. Blocking: for a thread."""
    try:
        found = candidate_of(row.path, row.real)
    except SourceError:
        return None
    return found if found.mount == row.candidate.mount else None

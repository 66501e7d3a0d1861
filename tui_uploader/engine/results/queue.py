"""Write planned results into the queue of an upload."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import PurePath

from tui_uploader import codec
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files, known_contents, results, walked
from tui_uploader.engine.journal.tables.results import ResultRecord
from tui_uploader.engine.results.plan import Planned
from tui_uploader.errors import NotPossibleNow
from tui_uploader.intake.results.survey import RefusedResult
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.states import FileEvent, FileStage, ImpossibleTransition
from tui_uploader.text import printable


def queue(
    connection: sqlite3.Connection, upload: int, project: int, planned: Sequence[Planned], addition: int | None
) -> None:
    """Queue the results. One that the upload has already, unchanged, is not queued again; if it failed, it is retried.

    Raises NotPossibleNow if one that changed is being sent.
    """
    for each in planned:
        before = results.queued(connection, upload, each.surveyed.main.path)
        if before is not None and _is_same(connection, before, each):
            _reuse(connection, before, addition)
            number = before.main.id
        else:
            if before is not None:
                _take_out(connection, before)
            number = results.insert(
                connection,
                upload,
                project,
                each.surveyed.main,
                each.surveyed.companions,
                addition,
                each.question.type,
            )
        if files.file(connection, number).stage is not FileStage.REGISTERED:
            crs, old = each.surveyed.crs, each.question.replaces
            files.set_columns(connection, number, {"crs": None if crs is None else codec.to_json(crs)})
            if old is not None:  # what the user agreed to before stays agreed
                files.set_columns(connection, number, {"replaces": old.name})


def queue_refused(
    connection: sqlite3.Connection, upload: int, project: int, refused: Sequence[RefusedResult], addition: int | None
) -> None:
    """Note files that cannot be uploaded as failed ones of the upload, so that they are not overlooked."""
    for each in refused:
        number = results.insert(connection, upload, project, each.main, (), addition, None)
        files.fail(connection, number, each.error.kind, str(each.error))


def _is_same(connection: sqlite3.Connection, before: ResultRecord, planned: Planned) -> bool:
    """Whether the result in the queue has these files, unchanged, and its place in the project."""
    surveyed, main = planned.surveyed, before.main
    if main.replaced_at is not None or main.result_type is not planned.question.type:
        return False
    if main.duplicate_of is not None and _was_replaced(connection, main.duplicate_of):
        return False
    found = {each.path: each for each in (surveyed.main, *surveyed.companions)}
    rows = {row.path: row for row in before.files}
    return found.keys() == rows.keys() and all(_is_unchanged(connection, rows[path], found[path]) for path in found)


def _is_unchanged(connection: sqlite3.Connection, row: FileRecord, candidate: Candidate) -> bool:
    if walked.unchanged(row, candidate, None):
        return True
    known = known_contents.find(connection, row.path)
    return known is not None and known.candidate == candidate and known.content.identity == row.identity


def _was_replaced(connection: sqlite3.Connection, file_id: int) -> bool:
    row = connection.execute(
        "SELECT replaced_at FROM files WHERE id = ?1 UNION ALL SELECT replaced_at FROM delivered WHERE file = ?1",
        (file_id,),
    ).fetchone()
    return row is None or row["replaced_at"] is not None


def _reuse(connection: sqlite3.Connection, before: ResultRecord, addition: int | None) -> None:
    for row in before.files:
        if row.stage is FileStage.REMOVED:
            files.move(connection, row.id, FileEvent.RESTORE, addition=addition)
        elif row.stage is FileStage.FAILED:
            files.retry(connection, row.id)


def _take_out(connection: sqlite3.Connection, before: ResultRecord) -> None:
    """Take files out of the queue whose result changed before it was uploaded; what the project has stays."""
    if before.registered or before.main.stage is FileStage.REMOVED:
        return
    for row in before.files:
        try:
            files.move(connection, row.id, FileEvent.REMOVE)
        except ImpossibleTransition:
            if row.stage is FileStage.REMOVED:
                continue
            name = printable(PurePath(before.main.path).name)
            raise NotPossibleNow(
                f"{name} changed, and what it was before is being sent. Wait until that is in the project, or cancel "
                "the upload; then add it again. Nothing was queued."
            ) from None

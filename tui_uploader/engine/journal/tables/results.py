"""SQL of processed results: which files belong together, and what a project has of each type.

A result is a main file and its companions, such as the materials and textures of a mesh. They are named, sent again and
registered together, so that the names by which a mesh refers to its textures lead to them in the project, too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from tui_uploader import codec
from tui_uploader.engine.journal.records import UNDER_WAY, FileRecord
from tui_uploader.engine.journal.tables import files, history, retention, stored_files, walked
from tui_uploader.engine.journal.tables.transitions import HOLDING, marks
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.history import EventKind
from tui_uploader.model.results import CoordinateSystem, ProjectResult, ResultType
from tui_uploader.model.states import FileStage, UploadState

_GONE = (FileStage.REMOVED, FileStage.DUPLICATE)


@dataclass(frozen=True)
class ResultRecord:
    """The files of a result."""

    main: FileRecord
    companions: tuple[FileRecord, ...] = ()

    @property
    def files(self) -> tuple[FileRecord, ...]:
        return (self.main, *self.companions)

    @property
    def registered(self) -> bool:
        return self.main.stage is FileStage.REGISTERED

    @cached_property
    def name(self) -> str:
        """Its name in the project, for people; objects may have other names."""
        return walked.searchable(self.main.path)

    def relative(self, row: FileRecord) -> str:
        """The path of one of its files as its main file names it: below the folder of that."""
        folder = self.main.path.rpartition("/")[0] + "/"
        return row.path.removeprefix(folder) if row.path.startswith(folder) else row.path.rpartition("/")[2]

    def value(self) -> ProjectResult:
        assert self.main.result_type is not None
        uploaded_at = self.main.uploaded_at if self.registered else None
        size = sum(row.size for row in self.files)
        return ProjectResult(self.main.result_type, self.name, size, uploaded_at, crs_of(self.main))


def crs_of(row: FileRecord) -> CoordinateSystem | None:
    return None if row.crs is None else codec.from_json(row.crs.encode(), CoordinateSystem)


def of_file(connection: sqlite3.Connection, file_id: int) -> ResultRecord | None:
    """Return the result that the file belongs to, without removed files; None: it is no (complete) result."""
    row = files.file(connection, file_id)
    if row.result_type is None:
        return None
    main = row if row.belongs_to is None else files.file(connection, row.belongs_to)
    return None if main.stage is FileStage.REMOVED else _with_companions(connection, main)


def of_project(connection: sqlite3.Connection, project: int) -> list[ResultRecord]:
    """Return the results that the project has, or will get from uploads that run, in the order in which they were
    added."""
    rows = connection.execute(
        f"SELECT f.* FROM {retention.all_files(condensed=True)} f JOIN uploads u ON u.id = f.upload"
        " WHERE f.project = ? AND f.result_type IS NOT NULL AND f.belongs_to IS NULL AND f.replaced_at IS NULL"
        f" AND f.stage NOT IN ({marks(_GONE)}) AND (f.stage = ? OR u.state <> ? AND NOT u.dismissed) ORDER BY f.id",
        (project, *_GONE, FileStage.REGISTERED, UploadState.CANCELLED),
    )
    return [_with_companions(connection, FileRecord.of(row)) for row in rows.fetchall()]


def _with_companions(connection: sqlite3.Connection, main: FileRecord) -> ResultRecord:
    rows = connection.execute(
        f"SELECT * FROM {retention.all_files(condensed=True)} WHERE upload = ? AND belongs_to = ? AND stage <> ?",
        (main.upload, main.id, FileStage.REMOVED),
    )
    return ResultRecord(main, tuple(sorted(map(FileRecord.of, rows), key=lambda row: row.id)))


# --------------------------------------------------------------------------------------------------- queueing


def queued(connection: sqlite3.Connection, upload: int, path: str) -> ResultRecord | None:
    """Return the newest result of the upload whose main file has this path, also if it was removed."""
    row = connection.execute(
        "SELECT * FROM files WHERE upload = ? AND path = ? AND result_type IS NOT NULL AND belongs_to IS NULL"
        " ORDER BY id DESC LIMIT 1",
        (upload, os.fsencode(path)),
    ).fetchone()
    if row is None:
        return None
    main = FileRecord.of(row)
    rows = connection.execute("SELECT * FROM files WHERE belongs_to = ? ORDER BY id", (main.id,))
    return ResultRecord(main, tuple(map(FileRecord.of, rows)))


def insert(
    connection: sqlite3.Connection,
    upload: int,
    project: int,
    main: Candidate,
    companions: Sequence[Candidate],
    addition: int | None,
    kind: ResultType | None,
) -> int:
    """Insert the files of a found result. Returns the number of its main file."""
    numbers = walked.new_numbers(connection)
    first = next(numbers)
    for number, candidate in ((first, main), *((next(numbers), each) for each in companions)):
        walked.insert(connection, number, upload, project, candidate, addition)
        belongs_to = None if number == first else first
        files.set_columns(connection, number, {"result_type": kind, "belongs_to": belongs_to})
    return first


# ------------------------------------------------------------------------------------------------ registering


def complete(connection: sqlite3.Connection, project: int, limit: int) -> list[ResultRecord]:
    """Return stored results of which no file is missing, oldest first."""
    rows = connection.execute(
        "SELECT * FROM files m WHERE m.project = ? AND m.stage = ? AND m.belongs_to IS NULL AND NOT EXISTS ("
        " SELECT 1 FROM files c WHERE c.belongs_to = m.id AND c.stage <> m.stage) ORDER BY m.id LIMIT ?",
        (project, FileStage.STORED, limit),
    )
    return [_with_companions(connection, FileRecord.of(row)) for row in rows.fetchall()]


def stuck(connection: sqlite3.Connection, project: int) -> list[tuple[FileRecord, FileRecord]]:
    """Return stored files of results that wait for a failed file and for nothing else, each with that file."""
    waiting = tuple(stage for stage in UNDER_WAY if stage is not FileStage.STORED)
    found: list[tuple[FileRecord, FileRecord]] = []
    for main in _main_files(connection, project, FileStage.FAILED):
        whole = of_file(connection, main)
        if whole is not None and not any(row.stage in waiting for row in whole.files):
            failed = next(row for row in whole.files if row.stage is FileStage.FAILED)
            found += [(row, failed) for row in whole.files if row.stage is FileStage.STORED]
    return found


def without_rest(connection: sqlite3.Connection, project: int) -> list[FileRecord]:
    """Return stored files of results of which a file was removed from the queue."""
    rows = [
        row
        for main in _main_files(connection, project, FileStage.REMOVED)
        for row in connection.execute(
            "SELECT * FROM files WHERE (id = ?1 OR belongs_to = ?1) AND stage = ?2", (main, FileStage.STORED)
        ).fetchall()
    ]
    return [FileRecord.of(row) for row in rows]


def _main_files(connection: sqlite3.Connection, project: int, stage: FileStage) -> list[int]:
    """Return the main files of results of which a file is in this stage."""
    rows = connection.execute(
        "SELECT DISTINCT IFNULL(belongs_to, id) FROM files WHERE project = ? AND stage = ? AND result_type IS NOT NULL",
        (project, stage),
    )
    return [row[0] for row in rows.fetchall()]


def unchecked(connection: sqlite3.Connection, main: int) -> int:
    """Count the files of a result that are (still) to be checked."""
    row = connection.execute(
        "SELECT COUNT(*) FROM files WHERE (id = ?1 OR belongs_to = ?1) AND stage = ?2", (main, FileStage.FOUND)
    ).fetchone()
    return int(row[0])


def in_place(connection: sqlite3.Connection, result: ResultRecord) -> list[ResultRecord]:
    """Return the registered results of the same type that have the place in the project that this one is to take."""
    return [
        other
        for other in of_project(connection, result.main.project)
        if other.registered and other.main.result_type is result.main.result_type and other.main.id != result.main.id
    ]


def register(connection: sqlite3.Connection, result: ResultRecord, now: float) -> None:
    """Note that the project has the result, in the place of the one of the same type that it had."""
    stored_files.register(connection, [row.id for row in result.files if row.stage is FileStage.STORED], now)
    before = in_place(connection, result)
    for old in before:
        for table, number in (("files", "id"), ("delivered", "file")):
            connection.execute(
                f"UPDATE {table} SET replaced_at = ?1 WHERE ({number} = ?2 OR belongs_to = ?2)", (now, old.main.id)
            )
    replaced = before[-1].name if before else result.main.replaces
    if replaced is not None:
        history.record_of_upload(
            connection,
            now,
            EventKind.RESULT_REPLACED,
            result.main.upload,
            files=len(result.files),
            detail=f"{replaced}\n{result.name}",
        )


# -------------------------------------------------------------------------------------------------- selecting


def choose_whole(connection: sqlite3.Connection) -> None:
    """Also choose the other files of results of which one is chosen: none of them is of use without the others."""
    connection.execute(
        "INSERT INTO temp.chosen (id, how) SELECT f.id, MIN(c.how) FROM temp.chosen c JOIN files g ON g.id = c.id"
        " JOIN files f ON f.id = IFNULL(g.belongs_to, g.id) OR f.belongs_to = IFNULL(g.belongs_to, g.id)"
        " WHERE g.result_type IS NOT NULL GROUP BY f.id ON CONFLICT DO NOTHING"
    )


def held_of(connection: sqlite3.Connection, project: int, kind: ResultType, identity: str) -> Sequence[ResultRecord]:
    """Return the results of this type whose main file has this content, that the project has or will get."""
    rows = connection.execute(
        f"SELECT * FROM {retention.all_files(condensed=True)} WHERE project = ? AND result_type = ? AND identity = ?"
        f" AND belongs_to IS NULL AND replaced_at IS NULL AND stage IN ({marks(HOLDING)}) ORDER BY id",
        (project, kind, identity, *HOLDING),
    )
    return [_with_companions(connection, FileRecord.of(row)) for row in rows.fetchall()]


def fail_all(connection: sqlite3.Connection, rows: Collection[FileRecord], kind: str, reason: str) -> None:
    for row in rows:
        files.fail(connection, row.id, kind, reason)

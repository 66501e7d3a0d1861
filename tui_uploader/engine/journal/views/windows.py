"""SQL of the windows of files that front ends show: filtered, sorted, folded, a few rows at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.engine.journal.columns import word
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import retention
from tui_uploader.engine.journal.tables.known_contents import HAS_POSITION, SAME_FILE
from tui_uploader.engine.journal.views import matching
from tui_uploader.engine.journal.views.layout import Group, Layout, Ranks, layout
from tui_uploader.engine.journal.views.orders import Part, parts
from tui_uploader.engine.journal.views.scope import FileScope, scope
from tui_uploader.errors import NoSuchFile
from tui_uploader.model.files import FileQuery, FoldedFiles, IdRun, runs_of
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage, FileStatus

_KNOWN = f"LEFT JOIN known k ON {SAME_FILE}"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What was read of an image when it was checked; None: unknown, or not read yet."""

    taken_at: float | None = None
    located: bool | None = None
    camera: str | None = None
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a query."""

    total: int
    """All rows, in the window or not."""
    matching: int
    """All files, folded or not."""
    anchor: int | None
    """Row of the anchor."""
    rows: tuple[tuple[FileRecord, ImageFacts], ...]
    folds: tuple[FoldedFiles, ...]
    originals: Mapping[int, str]
    """Paths of the files that others in the window are duplicates of, or belong to."""


def window(
    connection: sqlite3.Connection,
    upload_id: int,
    query: FileQuery,
    unfolded: Collection[FileStatus] = (),
    moving: Collection[int] = (),
) -> Window:
    """Read a window. `unfolded`: as in `FileQuery`; `moving`: the files that streams carry now. Raises NoSuchUpload."""
    found = _Question(connection, scope(connection, upload_id, whole_project=query.whole_project), query, moving)
    placed = layout(found.groups, query.offset, query.limit, found.fold, unfolded, found.rank_of(query.anchor))
    rows = found.read(placed)
    others = (number for row, _ in rows for number in (row.duplicate_of, row.belongs_to))
    originals = {number for number in others if number is not None}
    return Window(
        placed.total, found.matching, placed.anchor, rows, placed.folds, retention.paths(connection, originals)
    )


def file_of(connection: sqlite3.Connection, upload_id: int, file_id: int) -> FileRecord:
    """Raises NoSuchUpload, NoSuchFile."""
    within = scope(connection, upload_id)
    row = connection.execute(
        f"SELECT * FROM {within.source} f WHERE {within.condition} AND id = :file", {**within.values, "file": file_id}
    ).fetchone()
    if row is None:
        raise NoSuchFile(f"Upload {upload_id} has no file with the number {file_id}.")
    return FileRecord.of(row)


def matching_runs(
    connection: sqlite3.Connection, upload_id: int, query: FileQuery, moving: Collection[int] = ()
) -> tuple[IdRun, ...]:
    """Return all files that match, regardless of the window of `query`. Raises NoSuchUpload."""
    within = scope(connection, upload_id, whole_project=query.whole_project)
    if query.first is not None or query.last is not None:
        return runs_of(sorted(_Question(connection, within, query, moving).range_of(query.first, query.last)))
    condition, values = matching.conditions(within, query, moving)
    rows = connection.execute(
        f"SELECT f.id FROM {within.source} f WHERE {within.condition}"
        f" AND {matching.in_stages(matching.stages(query))} AND {condition} ORDER BY f.id",
        values,
    )
    return runs_of(row[0] for row in rows)


class _Question:
    """A query of a front end: the parts of its order, with the number of files of each."""

    def __init__(
        self, connection: sqlite3.Connection, within: FileScope, query: FileQuery, moving: Collection[int]
    ) -> None:
        self._connection = connection
        self._within = within
        self._condition, self._values = matching.conditions(within, query, moving)
        self._parts = parts(query)
        files = self._files_by_stage(query)
        self._sizes = [sum(files.get(stage, 0) for stage in part.stages) for part in self._parts]
        self.fold = query.fold if query.sort == "activity" else 0

    @property
    def matching(self) -> int:
        return sum(self._sizes)

    @property
    def groups(self) -> Sequence[Group]:
        return [Group(part.status, size) for part, size in zip(self._parts, self._sizes, strict=True)]

    def rank_of(self, file_id: int | None) -> int | None:
        """Return the number of files before this one in the order; None: it does not match."""
        if file_id is None:
            return None
        before = 0
        for part, size in zip(self._parts, self._sizes, strict=True):
            rank = self._rank_in(part, file_id) if size else None
            if rank is not None:
                return before + rank
            before += size
        return None

    def range_of(self, first: int | None, last: int | None) -> list[int]:
        """Return the ids from one file to another in the order; see `FileQuery`."""
        begin = 0 if first is None else self.rank_of(first)
        end = self.matching - 1 if last is None else self.rank_of(last)
        if begin is None or end is None or end < begin:
            return []
        return self._ids(Ranks(begin, end - begin + 1))

    def read(self, placed: Layout) -> tuple[tuple[FileRecord, ImageFacts], ...]:
        """Read the files that the layout shows, in order."""
        ids = [file_id for ranks in placed.shown for file_id in self._ids(ranks)]
        # By id first: SQLite would sort whole rows, including those before the window.
        rows = self._connection.execute(
            f"SELECT f.*, k.path IS NOT NULL AS known, ({HAS_POSITION}) IS TRUE AS located, k.taken_at AS taken_at,"
            f" k.camera AS camera, k.height AS height FROM {self._within.source} f {_KNOWN}"
            f" WHERE f.id IN ({', '.join(map(str, ids))})"
        )
        by_id = {row["id"]: (FileRecord.of(row), self._facts(row)) for row in rows}
        return tuple(by_id[file_id] for file_id in ids)

    def _facts(self, row: sqlite3.Row) -> ImageFacts:
        if not row["known"] or self._within.kind is ProjectKind.RESULTS:  # a result covers a whole flight
            return ImageFacts()
        return ImageFacts(row["taken_at"], bool(row["located"]), row["camera"], row["height"])

    def _ids(self, ranks: Ranks) -> list[int]:
        ids: list[int] = []
        first = 0
        for part, size in zip(self._parts, self._sizes, strict=True):
            begin, end = max(ranks.first, first), min(ranks.first + ranks.files, first + size)
            if begin < end:
                statement = f"SELECT f.id {self._matching(part)} ORDER BY {part.order} LIMIT :limit OFFSET :offset"
                window = {"limit": end - begin, "offset": begin - first}
                ids += [row[0] for row in self._connection.execute(statement, {**self._values, **window})]
            first += size
        return ids

    def _rank_in(self, part: Part, file_id: int) -> int | None:
        terms = ", ".join(term.expression for term in part.terms)
        row = self._connection.execute(
            f"SELECT {terms} {self._matching(part)} AND f.id = :file", {**self._values, "file": file_id}
        ).fetchone()
        if row is None:
            return None
        before, values = part.precedes(tuple(row))
        statement = f"SELECT COUNT(*) {self._matching(part)} AND {before}"
        return int(self._connection.execute(statement, {**self._values, **values}).fetchone()[0])

    def _matching(self, part: Part) -> str:
        """SQL of the files of the part that match, without columns."""
        known = _KNOWN if any("k." in term.expression for term in part.terms) else ""
        return f"FROM {self._within.source} f {known} WHERE {part.condition(self._within)} AND {self._condition}"

    def _files_by_stage(self, query: FileQuery) -> Mapping[FileStage, int]:
        """Count the files that match: by the tallies where the query asks for stages alone."""
        if matching.by_stage_alone(query):
            statement = f"SELECT stage, SUM(files) FROM tallies WHERE {self._within.tallies} GROUP BY stage"
        else:
            statement = (
                f"SELECT f.stage, COUNT(*) FROM {self._within.source} f WHERE {self._within.condition}"
                f" AND {matching.in_stages(matching.stages(query))} AND {self._condition} GROUP BY f.stage"
            )
        return {word(FileStage, row[0]): row[1] for row in self._connection.execute(statement, self._values)}

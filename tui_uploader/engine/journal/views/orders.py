"""The orders in which front ends see files: SQL of the parts that follow one another, each with its own sort keys.

A part is a stage, or several. Its files are counted by an index, so that only those of the window are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui_uploader.engine.journal.views.matching import in_stages, stages
from tui_uploader.engine.journal.views.scope import FileScope
from tui_uploader.model.files import FileQuery, SortKey
from tui_uploader.model.states import FileStage, FileStatus

_FAILED_FIRST = (
    FileStage.FAILED,
    FileStage.SENDING,
    FileStage.STORED,
    FileStage.READY,
    FileStage.FOUND,
    FileStage.DUPLICATE,
    FileStage.REGISTERED,
)


@dataclass(frozen=True, slots=True)
class SortTerm:
    """An SQL expression that is never NULL."""

    expression: str
    descending: bool = False


_ID, _UPLOADED_AT = "f.id", "f.uploaded_at"
_KEYS: dict[SortKey, str] = {
    "added": _ID,
    "name": "f.name COLLATE NOCASE",
    "folder": "f.path",
    "size": "f.size",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Files that follow one another in an order."""

    stages: tuple[FileStage, ...]
    terms: tuple[SortTerm, ...]

    @property
    def status(self) -> FileStatus | None:
        """The status of all its files, if it is the same."""
        found = {stage.status for stage in self.stages}
        return found.pop() if len(found) == 1 else None

    @property
    def order(self) -> str:
        return ", ".join(f"{term.expression} {'DESC' if term.descending else 'ASC'}" for term in self.terms)

    def condition(self, scope: FileScope) -> str:
        by_time = self.stages == (FileStage.REGISTERED,) and self.terms[0].expression == _UPLOADED_AT
        return f"{scope.of_project if by_time else scope.condition} AND {in_stages(self.stages)}"

    def precedes(self, values: Sequence[object]) -> tuple[str, dict[str, object]]:
        """Return an SQL condition for the files that come before the one whose terms have these values."""
        condition = ""
        for number, term in reversed(list(enumerate(self.terms))):
            before = f"{term.expression} {'>' if term.descending else '<'} :term{number}"
            equal = f"{term.expression} = :term{number}"
            condition = f"({before} OR ({equal} AND {condition}))" if condition else before
        return condition, {f"term{number}": value for number, value in enumerate(values)}


def parts(query: FileQuery) -> tuple[Part, ...]:
    """Return the parts of the query's order, without stages whose files do not match."""
    wanted = stages(query)
    found = [Part(tuple(stage for stage in part.stages if stage in wanted), part.terms) for part in _parts(query)]
    return tuple(part for part in found if part.stages)


def _parts(query: FileQuery) -> Iterable[Part]:
    down = query.descending
    by_id = (SortTerm(_ID, down),)
    match query.sort:
        case "activity" | "status":
            found = [
                Part((stage,), _newest_first(down) if _by_time(query.sort, stage) else by_id) for stage in _FAILED_FIRST
            ]
            return reversed(found) if down else found
        case "uploaded":
            others = tuple(stage for stage in FileStage if stage is not FileStage.REGISTERED)
            return (Part((FileStage.REGISTERED,), _newest_first(not down)), Part(others, by_id))
        case "taken":
            known_first = SortTerm("(k.taken_at IS NULL)")
            return (Part(tuple(FileStage), (known_first, SortTerm("IFNULL(k.taken_at, 0)", down), *by_id)),)
        case key:
            terms = (SortTerm(_KEYS[key], down),) if key != "added" else ()
            return (Part(tuple(FileStage), (*terms, *by_id)),)


def _by_time(sort: SortKey, stage: FileStage) -> bool:
    return sort == "activity" and stage is FileStage.REGISTERED


def _newest_first(turned: bool) -> tuple[SortTerm, ...]:
    return (SortTerm(_UPLOADED_AT, not turned), SortTerm(_ID, not turned))

"""SQL of the files that match a query of a front end."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from tui_uploader.engine.journal.tables.known_contents import HAS_POSITION, SAME_FILE
from tui_uploader.engine.journal.views.scope import FileScope
from tui_uploader.errors import SourceDamaged
from tui_uploader.model.files import FileProperty, FileQuery
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage

_MOVING = (FileStage.SENDING, FileStage.STORED)


def stages(query: FileQuery) -> list[FileStage]:
    """Return the stages in which a file can match."""
    return [
        stage
        for stage in FileStage
        if stage.status is not None
        and query.status in (None, stage.status)
        and stage.status is not query.except_status
        and (query.property is not FileProperty.MOVING or stage in _MOVING)
        and (query.except_property is not FileProperty.MOVING or stage is not FileStage.STORED)
    ]


def by_stage_alone(query: FileQuery) -> bool:
    """Whether every file in one of the stages matches."""
    asked = (query.verified, query.property, query.except_property)
    return not query.text.removeprefix("!") and asked == (None, None, None)


def in_stages(among: Sequence[FileStage]) -> str:
    """Return an SQL condition. Literals, because SQLite uses a partial index only for them; they come from an enum."""
    if len(among) == 1:
        return f"f.stage = '{among[0]}'"
    return f"f.stage IN ({', '.join(repr(str(stage)) for stage in among)})"


def conditions(scope: FileScope, query: FileQuery, moving: Collection[int] = ()) -> tuple[str, dict[str, object]]:
    """Return an SQL condition on `f` besides its stage, and the values of it and of the scope.

    `moving`: the files that streams carry now.
    """
    found, values = ["TRUE"], scope.values
    text = query.text.removeprefix("!")
    if text:
        negation = "NOT " if query.text.startswith("!") else ""
        # A path is compared byte by byte: not every one is valid text.
        subject, pattern = ("CAST(f.path AS TEXT)", "CAST(:text AS TEXT)") if "/" in text else ("f.name", ":text")
        found.append(f"{subject} {negation}LIKE {pattern} ESCAPE '\\'")
        values["text"] = os.fsencode(_pattern(text)) if "/" in text else _pattern(text, "backslashreplace")
    if query.verified is not None:
        found.append("f.proof = :verified")
        values["verified"] = query.verified
    if query.property is not None:
        found.append(f"({_has(query.property, scope, moving)}) IS TRUE")
    if query.except_property is not None:
        found.append(f"({_has(query.except_property, scope, moving)}) IS NOT TRUE")
    return " AND ".join(found), values


def _pattern(text: str, errors: str = "surrogateescape") -> str:
    escaped = text if errors == "surrogateescape" else text.encode("utf-8", errors).decode()
    for special in "\\%_":
        escaped = escaped.replace(special, f"\\{special}")
    return f"%{escaped}%"


def _has(wanted: FileProperty, scope: FileScope, moving: Collection[int]) -> str:
    match wanted:
        case FileProperty.MOVING:
            ids = ", ".join(map(str, moving))
            return f"f.stage = '{FileStage.STORED}' OR f.stage = '{FileStage.SENDING}' AND f.id IN ({ids})"
        case FileProperty.RENAMED:
            return "f.object <> f.name"
        case FileProperty.NO_GPS if scope.kind is ProjectKind.RESULTS:
            return "FALSE"
        case FileProperty.NO_GPS:
            return f"EXISTS (SELECT 1 FROM known k WHERE {SAME_FILE} AND ({HAS_POSITION}) IS NOT TRUE)"
        case FileProperty.DAMAGED:
            return f"f.stage = '{FileStage.FAILED}' AND f.error = '{SourceDamaged.__name__}'"
        case FileProperty.RESULTS:
            return "f.result_type IS NOT NULL AND f.belongs_to IS NULL"

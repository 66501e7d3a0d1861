"""The processed results of projects. A result of a type replaces the one before it; the files of both are kept.

All calls block and are meant for worker threads.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.local_cloud.storage.database import RootDatabase
from tui_uploader.local_cloud.storage.projects import ProjectStore

_RASTER = (".tif", ".tiff")
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "orthomosaic": _RASTER,
    "dsm": _RASTER,
    "dtm": _RASTER,
    "index": _RASTER,
    "point_cloud": (".las", ".laz"),
    "mesh": (".obj", ".glb"),
}
"""Types (PIX4D, "Upload results"), and how the names of their main files end."""


@dataclass(frozen=True, slots=True)
class CloudResult:
    result_type: str
    name: str
    """For people; its key may differ."""
    key: str
    companions: tuple[str, ...] = ()
    crs: object = None
    """As the client sent it."""
    size: int = 0
    """Bytes of all its files."""
    registered: float = 0.0
    replaced: float | None = None
    """When another result took its place."""


class ResultStore:
    def __init__(self, database: RootDatabase, projects: ProjectStore, now: Callable[[], float]) -> None:
        self._database = database
        self._projects = projects
        self._now = now

    def register(self, project: int, result: CloudResult) -> tuple[str, ...]:
        """Register a result, which replaces the current one of its type (PIX4D, "Upload results").

        Returns the keys that have no object; then nothing is registered.
        """
        with self._database.transaction() as sql:
            keys = (result.key, *result.companions)
            if unknown := tuple(key for key in keys if not self._projects.knows(sql, project, key)):
                return unknown
            now = self._now()
            sql.execute(
                "UPDATE results SET replaced = ? WHERE project = ? AND result_type = ? AND key <> ?"
                " AND replaced IS NULL",
                (now, project, result.result_type, result.key),
            )
            sql.execute(
                "INSERT INTO results (project, result_type, key, name, companions, crs, registered)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name,"
                " companions = excluded.companions, crs = excluded.crs, replaced = NULL,"
                " registered = CASE WHEN replaced IS NULL THEN registered ELSE excluded.registered END",
                (
                    *(project, result.result_type, result.key, result.name),
                    *(json.dumps(result.companions), json.dumps(result.crs), now),
                ),
            )
            return ()

    def results(self, project: int) -> Sequence[CloudResult]:
        """All results of the project, also replaced ones: by type, the newest first."""
        with self._database.locked() as sql:
            rows = sql.execute(
                "SELECT result_type, name, key, companions, crs, registered, replaced FROM results"
                " WHERE project = ? ORDER BY result_type, replaced IS NOT NULL, registered DESC, key",
                (project,),
            ).fetchall()
            return [_result(sql, row) for row in rows]


def _result(sql: sqlite3.Connection, row: Sequence[object]) -> CloudResult:
    result_type, name, key, companions, crs, registered, replaced = row
    keys = [str(each) for each in json.loads(str(companions))]
    sizes = [sql.execute("SELECT size FROM objects WHERE key = ?", (each,)).fetchone() for each in (key, *keys)]
    return CloudResult(
        str(result_type),
        str(name),
        str(key),
        tuple(keys),
        json.loads(str(crs)) if crs is not None else None,
        sum(size for (size,) in filter(None, sizes)),
        float(str(registered)),
        None if replaced is None else float(str(replaced)),
    )

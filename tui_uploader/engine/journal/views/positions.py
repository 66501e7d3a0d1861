"""SQL of the positions and times of images, for the map of the flight.

More than `MOST_POINTS` images are combined into the cells of a grid. SQLite does it without blocking the engine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from tui_uploader.engine.journal.tables.known_contents import HAS_POSITION, SAME_FILE
from tui_uploader.engine.journal.views.scope import scope
from tui_uploader.model.files import Position, Positions
from tui_uploader.model.states import BY_ATTENTION, FileStage

MOST_POINTS = 5_000
"""A little more than the limit of one project, so that its map is exact."""

_GRID = 70
"""Cells along each side of the grid: their number is below `MOST_POINTS`."""
_DIGITS = 7
"""Decimal places of a position: about a centimetre."""
_RANKS = " ".join(
    f"WHEN '{stage}' THEN {BY_ATTENTION.index(stage.status)}" for stage in FileStage if stage.status is not None
)
_COLUMNS = f"""
    SELECT f.id AS id, f.stage AS stage, CASE f.stage {_RANKS} ELSE 0 END AS rank, ({HAS_POSITION}) AS placed,
           k.latitude AS latitude, k.longitude AS longitude, k.longitude + 360 * (k.longitude < 0) AS eastward,
           k.taken_at AS taken_at
"""
"""`eastward`: the longitude from 0 to 360, in which a flight across the antimeridian is contiguous."""
_KEPT = f"f.stage <> '{FileStage.REMOVED}'"
_BOUNDS = ", ".join(
    f"{side}({column}) FILTER (WHERE placed) AS {side}_{column}"
    for side in ("min", "max")
    for column in ("latitude", "longitude", "eastward")
)


@dataclass(frozen=True, slots=True)
class _Extent:
    """The bounding box of all positions, in degrees; `longitude` names the column in which it is narrower."""

    longitude: str
    west: float
    width: float
    south: float
    height: float


def positions(
    connection: sqlite3.Connection, upload: int, file: int | None = None, *, whole_project: bool = False
) -> Positions:
    """Return the positions of the images of the upload or its whole project, and that of `file` in particular.

    Raises NoSuchUpload.
    """
    within = scope(connection, upload, whole_project=whole_project)
    images = f"{_COLUMNS} FROM {within.source} f LEFT JOIN known k ON {SAME_FILE} WHERE {within.condition} AND {_KEPT}"
    counted = connection.execute(
        "SELECT COUNT(*) AS files, COUNT(*) FILTER (WHERE placed) AS located,"
        " COUNT(*) FILTER (WHERE stage = 'found' AND placed IS NOT TRUE) AS unread,"
        " COUNT(*) FILTER (WHERE stage = 'failed' AND placed) AS failed,"
        " COUNT(*) FILTER (WHERE stage = 'failed' AND placed IS NOT TRUE) AS failed_unlocated,"
        f" {_BOUNDS} FROM ({images})",
        within.values,
    ).fetchone()
    located, unread = counted["located"], counted["unread"]
    few = located <= MOST_POINTS
    ask = _Images(connection, images, within.values)
    return Positions(
        points=ask.each() if few else ask.gathered(_extent(counted)),
        located=located,
        unlocated=counted["files"] - located - unread,
        unread=unread,
        current=None if file is None else ask.one(file),
        failed=counted["failed"],
        failed_unlocated=counted["failed_unlocated"],
    )


def _extent(bounds: sqlite3.Row) -> _Extent:
    widths = {column: bounds[f"max_{column}"] - bounds[f"min_{column}"] for column in ("longitude", "eastward")}
    column = min(widths, key=widths.__getitem__)
    south = bounds["min_latitude"]
    return _Extent(column, bounds[f"min_{column}"], widths[column], south, bounds["max_latitude"] - south)


@dataclass(frozen=True, slots=True)
class _Images:
    """The images in question, each with what was read of it."""

    connection: sqlite3.Connection
    select: str
    values: Mapping[str, object]

    def each(self) -> tuple[Position, ...]:
        rows = self.connection.execute(
            f"SELECT rank, latitude, longitude, taken_at FROM ({self.select}) WHERE placed"
            " ORDER BY taken_at IS NULL, taken_at, id",
            self.values,
        )
        return tuple(_position(row) for row in rows)

    def one(self, file: int) -> Position | None:
        row = self.connection.execute(
            f"SELECT rank, latitude, longitude, taken_at FROM ({self.select} AND f.id = :file) WHERE placed",
            {**self.values, "file": file},
        ).fetchone()
        return _position(row) if row else None

    def gathered(self, extent: _Extent) -> tuple[Position, ...]:
        """Return one point for all images of a grid cell, at their mean position."""
        rows = self.connection.execute(
            f"SELECT MAX(rank) AS rank, AVG(latitude) AS latitude, AVG({extent.longitude}) AS longitude,"
            f" COUNT(*) AS files FROM ({self.select}) WHERE placed GROUP BY"
            " MIN(:last, CAST((latitude - :south) * :rows AS INTEGER)),"
            f" MIN(:last, CAST(({extent.longitude} - :west) * :columns AS INTEGER))",
            {
                **self.values,
                "last": _GRID - 1,
                "south": extent.south,
                "rows": _GRID / extent.height if extent.height else 0.0,
                "west": extent.west,
                "columns": _GRID / extent.width if extent.width else 0.0,
            },
        )
        return tuple(
            Position(
                round(row["latitude"], _DIGITS),
                _longitude(row["longitude"]),
                BY_ATTENTION[row["rank"]],
                files=row["files"],
            )
            for row in rows
        )


def _position(row: sqlite3.Row) -> Position:
    return Position(
        round(row["latitude"], _DIGITS),
        _longitude(row["longitude"]),
        BY_ATTENTION[row["rank"]],
        taken_at=row["taken_at"],
    )


def _longitude(degrees: float) -> float:
    """Return the longitude from -180 to 180."""
    return round(degrees - 360 if degrees > 180 else degrees, _DIGITS)

"""SQL of where and when the images of an upload were taken: what a map of the flight is drawn from.

Nobody draws a hundred thousand points, and the engine has other things to do than to hand them over. More than
`MOST_POINTS` are gathered into the squares of a grid, in SQLite, which lets the rest of the engine run meanwhile.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tui_uploader.engine.journal.records import UploadRecord
from tui_uploader.engine.journal.tables import uploads
from tui_uploader.engine.journal.tables.known_contents import EQUAL_FACTS
from tui_uploader.engine.journal.tables.retention import all_files
from tui_uploader.model import FileStage, FileStatus, Position, Positions

MOST_POINTS = 5_000
"""A little more than one project takes: the map of a project is exact."""

_GRID = 70
"""Squares of the grid along each side: their number is below `MOST_POINTS`."""
_DIGITS = 7
"""About a centimetre."""
_URGENCY = (
    FileStatus.UPLOADED,
    FileStatus.WAITING,
    FileStatus.UPLOADING,
    FileStatus.DUPLICATE,
    FileStatus.FAILED,
)
"""Which of several images at one place tells its status: the last of these."""
_RANKS = " ".join(
    f"WHEN '{stage}' THEN {_URGENCY.index(stage.status)}" for stage in FileStage if stage.status is not None
)
# The journal may be damaged, and the card of another may have been here: a position is believed within its bounds only.
_HAS_PLACE = "k.latitude BETWEEN -90 AND 90 AND k.longitude BETWEEN -180 AND 180"
_COLUMNS = f"""
    SELECT f.id AS id, f.stage AS stage, CASE f.stage {_RANKS} ELSE 0 END AS rank, ({_HAS_PLACE}) AS placed,
           k.latitude AS latitude, k.longitude AS longitude, k.longitude + 360 * (k.longitude < 0) AS eastward,
           k.taken_at AS taken_at
"""
"""`eastward`: the longitude from 0 to 360, in which a flight over the antimeridian hangs together."""
_BOUNDS = ", ".join(
    f"{side}({column}) FILTER (WHERE placed) AS {side}_{column}"
    for side in ("min", "max")
    for column in ("latitude", "longitude", "eastward")
)


@dataclass(frozen=True, slots=True)
class _Extent:
    """The rectangle of all positions, in degrees; `longitude` names the column in which it is the narrower one."""

    longitude: str
    west: float
    width: float
    south: float
    height: float


def positions(connection: sqlite3.Connection, upload: int, file: int | None = None) -> Positions:
    """Where the images of the upload were taken, and `file` of it in particular. Raises NoSuchUpload."""
    images = _images(uploads.upload(connection, upload))
    counted = connection.execute(
        "SELECT COUNT(*) AS files, COUNT(*) FILTER (WHERE placed) AS located,"
        " COUNT(*) FILTER (WHERE stage = 'found' AND placed IS NOT TRUE) AS unread,"
        f" {_BOUNDS} FROM ({images})",
        {"upload": upload},
    ).fetchone()
    located, unread = counted["located"], counted["unread"]
    few = located <= MOST_POINTS
    return Positions(
        points=_each(connection, images, upload) if few else _gathered(connection, images, upload, _extent(counted)),
        located=located,
        unlocated=counted["files"] - located - unread,
        unread=unread,
        current=None if file is None else _one(connection, images, upload, file),
    )


def _images(upload: UploadRecord) -> str:
    """SQL of the images, with what was read of each."""
    return (
        f"{_COLUMNS} FROM {all_files(upload)} f LEFT JOIN known k ON k.path = f.path"
        f" AND CASE f.stage WHEN '{FileStage.FOUND}' THEN {EQUAL_FACTS} ELSE k.identity = f.identity END"
        " WHERE f.upload = :upload AND f.stage <> 'removed'"
    )


def _extent(bounds: sqlite3.Row) -> _Extent:
    widths = {column: bounds[f"max_{column}"] - bounds[f"min_{column}"] for column in ("longitude", "eastward")}
    column = min(widths, key=widths.__getitem__)
    south = bounds["min_latitude"]
    return _Extent(column, bounds[f"min_{column}"], widths[column], south, bounds["max_latitude"] - south)


def _each(connection: sqlite3.Connection, images: str, upload: int) -> tuple[Position, ...]:
    rows = connection.execute(
        f"SELECT rank, latitude, longitude, taken_at FROM ({images}) WHERE placed"
        " ORDER BY taken_at IS NULL, taken_at, id",
        {"upload": upload},
    )
    return tuple(_position(row) for row in rows)


def _one(connection: sqlite3.Connection, images: str, upload: int, file: int) -> Position | None:
    row = connection.execute(
        f"SELECT rank, latitude, longitude, taken_at FROM ({images} AND f.id = :file) WHERE placed",
        {"upload": upload, "file": file},
    ).fetchone()
    return _position(row) if row else None


def _gathered(connection: sqlite3.Connection, images: str, upload: int, extent: _Extent) -> tuple[Position, ...]:
    """One point for all images in a square of the grid, in their midst."""
    rows = connection.execute(
        f"SELECT MAX(rank) AS rank, AVG(latitude) AS latitude, AVG({extent.longitude}) AS longitude,"
        f" COUNT(*) AS files FROM ({images}) WHERE placed GROUP BY"
        " MIN(:last, CAST((latitude - :south) * :rows AS INTEGER)),"
        f" MIN(:last, CAST(({extent.longitude} - :west) * :columns AS INTEGER))",
        {
            "upload": upload,
            "last": _GRID - 1,
            "south": extent.south,
            "rows": _GRID / extent.height if extent.height else 0.0,
            "west": extent.west,
            "columns": _GRID / extent.width if extent.width else 0.0,
        },
    )
    return tuple(
        Position(
            round(row["latitude"], _DIGITS), _longitude(row["longitude"]), _URGENCY[row["rank"]], files=row["files"]
        )
        for row in rows
    )


def _position(row: sqlite3.Row) -> Position:
    return Position(
        round(row["latitude"], _DIGITS), _longitude(row["longitude"]), _URGENCY[row["rank"]], taken_at=row["taken_at"]
    )


def _longitude(degrees: float) -> float:
    """From -180 to 180."""
    return round(degrees - 360 if degrees > 180 else degrees, _DIGITS)

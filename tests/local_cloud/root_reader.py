"""Read the files of a local cloud from outside, while it is served or not."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.local_cloud.storage import meter
from tui_uploader.local_cloud.storage.database import FILE_NAME


@dataclass(frozen=True, slots=True)
class TrafficCounts:
    """Totals since the root was created."""

    received: int = 0
    """Bytes of objects and parts, stored or not."""
    faults: int = 0
    """Requests that a fault hit."""


def traffic_counts(root: Path) -> TrafficCounts:
    """The counts of a root; zero for one that was never served."""
    try:
        return TrafficCounts(*meter.COUNTS.unpack((root / meter.FILE_NAME).read_bytes()))
    except (FileNotFoundError, struct.error):
        return TrafficCounts()


def starts(root: Path, project: int) -> int:
    """How many times processing of a project was started."""
    return sum(count for (count,) in _rows(root, "SELECT starts FROM projects WHERE id = ?", project))


def registered_images(root: Path, project: int) -> list[str]:
    """Keys of the registered images, sorted."""
    return [key for (key,) in _rows(root, "SELECT key FROM images WHERE project = ? ORDER BY key", project)]


def registered_results(root: Path, project: int) -> list[tuple[str, str]]:
    """Keys and types of the registered results that were not replaced, sorted."""
    return _rows(
        root, "SELECT key, result_type FROM results WHERE project = ? AND replaced IS NULL ORDER BY key", project
    )


def all_registered_images(root: Path) -> list[str]:
    """Keys of the images of all projects."""
    return [key for (key,) in _rows(root, "SELECT key FROM images")]


def _rows(root: Path, query: str, *values: int) -> list[tuple]:  # type: ignore[type-arg]
    path = "".join(f"%{byte:02x}" for byte in os.fsencode((root / FILE_NAME).absolute()))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as sql:
        return sql.execute(query, values).fetchall()

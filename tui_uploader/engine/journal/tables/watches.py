"""SQL of watched folders, and of the cards that came to them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tui_uploader import codec
from tui_uploader.engine.journal.columns import ForeignValue
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import transitions
from tui_uploader.model.watches import WatchRequest

_MOST_CARDS = 100
"""Of one path; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class WatchRecord:
    id: int
    request: WatchRequest
    created_at: float

    @property
    def path(self) -> str:
        return self.request.path


@dataclass(frozen=True, slots=True)
class CardRecord:
    id: int
    path: str
    volume: str
    mount: str
    signs: str
    upload: int
    found_at: float
    last_file_at: float
    verification: int | None


# ---------------------------------------------------------------------------------------------------- watches


def add(connection: sqlite3.Connection, request: WatchRequest, now: float) -> WatchRecord:
    """Add a watch, or change the settings of the one of this path."""
    settings = codec.to_json(replace(request, path=""))
    connection.execute(
        "INSERT INTO watches (path, request, created_at) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET request = excluded.request",
        (os.fsencode(request.path), settings, now),
    )
    row = connection.execute("SELECT * FROM watches WHERE path = ?", (os.fsencode(request.path),)).fetchone()
    return _watch(row)


def remove(connection: sqlite3.Connection, watch: int) -> None:
    """Its cards and uploads stay."""
    connection.execute("DELETE FROM watches WHERE id = ?", (watch,))
    connection.execute("UPDATE uploads SET watch = NULL WHERE watch = ?", (watch,))


def every_watch(connection: sqlite3.Connection) -> list[WatchRecord]:
    return [_watch(row) for row in connection.execute("SELECT * FROM watches ORDER BY id")]


def _watch(row: sqlite3.Row) -> WatchRecord:
    try:
        request = codec.from_json(row["request"], WatchRequest)
    except codec.Malformed as error:
        raise ForeignValue(str(error)) from error
    return WatchRecord(row["id"], replace(request, path=os.fsdecode(row["path"])), row["created_at"])


# ------------------------------------------------------------------------------------------------------ cards


def cards(connection: sqlite3.Connection, path: str) -> list[CardRecord]:
    """The cards that came to the path, the last one first."""
    rows = connection.execute(
        "SELECT * FROM watched_cards WHERE path = ? ORDER BY found_at DESC, id DESC", (os.fsencode(path),)
    )
    return [CardRecord(**{**dict(row), "path": os.fsdecode(row["path"])}) for row in rows]


def card(connection: sqlite3.Connection, number: int) -> CardRecord:
    row = connection.execute("SELECT * FROM watched_cards WHERE id = ?", (number,)).fetchone()
    return CardRecord(**{**dict(row), "path": os.fsdecode(row["path"])})


def add_card(
    connection: sqlite3.Connection, path: str, *, volume: str, mount: str, upload: int, now: float
) -> CardRecord:
    """Add a card that came now. The oldest ones of the path are forgotten."""
    number = connection.execute(
        "INSERT INTO watched_cards (path, volume, mount, upload, found_at, last_file_at) VALUES (?, ?, ?, ?, ?, ?)",
        (os.fsencode(path), volume, mount, upload, now, now),
    ).lastrowid
    assert number is not None
    connection.execute(
        "DELETE FROM watched_cards WHERE path = ?1 AND id NOT IN"
        " (SELECT id FROM watched_cards WHERE path = ?1 ORDER BY found_at DESC, id DESC LIMIT ?2)",
        (os.fsencode(path), _MOST_CARDS),
    )
    return card(connection, number)


def set_card(connection: sqlite3.Connection, card: int, **facts: object) -> None:
    """Set columns, whose names must not come from outside the engine."""
    columns = ", ".join(f"{column} = ?" for column in facts)
    connection.execute(f"UPDATE watched_cards SET {columns} WHERE id = ?", (*facts.values(), card))


def read_files(connection: sqlite3.Connection, upload: int, most: int) -> list[tuple[str, int, str]]:
    """Up to `most` files of the upload whose content was read, spread over all of them: path, size, samples."""
    rows = connection.execute(
        "WITH read AS (SELECT f.id, f.path, f.size, k.samples, ROW_NUMBER() OVER (ORDER BY f.id) - 1 AS place,"
        "  COUNT(*) OVER () AS number FROM files f JOIN known k ON k.path = f.path AND k.identity = f.identity"
        "  WHERE f.upload = ?1 AND k.samples IS NOT NULL AND k.size = f.size)"
        " SELECT path, size, samples FROM read"
        " WHERE number <= ?2 OR place * ?2 / number > (place - 1) * ?2 / number OR place = 0 ORDER BY id LIMIT ?2",
        (upload, most),
    )
    return [(os.fsdecode(row["path"]), int(row["size"]), row["samples"]) for row in rows]


# ------------------------------------------------------------------------------------------------------ files


def rows_at(connection: sqlite3.Connection, project: int, paths: Sequence[str]) -> dict[str, FileRecord]:
    """The newest row of the project at each path, whatever its stage."""
    rows = {}
    for path in paths:
        row = connection.execute(
            "SELECT * FROM files WHERE upload IN (SELECT id FROM uploads WHERE project = ?) AND path = ?"
            " ORDER BY id DESC LIMIT 1",
            (project, os.fsencode(path)),
        ).fetchone()
        if row is not None:
            rows[path] = FileRecord.of(row)
    return rows


def contents_held(connection: sqlite3.Connection, project: int, identities: Collection[str]) -> set[str]:
    """Those of the contents that the project has or will get."""
    holding = transitions.marks(transitions.HOLDING)
    return {
        identity
        for identity in identities
        if connection.execute(
            f"SELECT 1 FROM files WHERE project = ?1 AND identity = ?2 AND stage IN ({holding})"
            " UNION ALL SELECT 1 FROM delivered WHERE project = ?1 AND identity = ?2 LIMIT 1",
            (project, identity, *transitions.HOLDING),
        ).fetchone()
    }

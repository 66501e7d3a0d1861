"""SQL of the user's preferences, and of the bytes that were sent each day."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeVar

from tui_uploader import codec
from tui_uploader.engine.journal.columns import ForeignValue

T = TypeVar("T")


def preference(
    connection: sqlite3.Connection, name: str, default: T, check: Callable[[T], T] = lambda value: value
) -> T:
    """Return the preference `name`, of the type of `default`, or `default` if it was never set.

    `check` raises ValueError for an invalid value. Raises ForeignValue for one, rather than lose a data budget.
    """
    row = connection.execute("SELECT value FROM preferences WHERE name = ?", (name,)).fetchone()
    if row is None:
        return default
    try:
        return check(codec.from_json(row["value"], type(default)))
    except ValueError as error:
        raise ForeignValue(f"preference {name}: {error}") from error


def prefer(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute(
        "INSERT INTO preferences (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, codec.to_json(value)),
    )


def traffic(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the bytes of files that left this machine, by local day (`2026-05-12`)."""
    return {str(row["day"]): int(row["bytes"]) for row in connection.execute("SELECT day, bytes FROM traffic")}


def add_traffic(connection: sqlite3.Connection, more: Mapping[str, int]) -> None:
    connection.executemany(
        "INSERT INTO traffic (day, bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
        more.items(),
    )

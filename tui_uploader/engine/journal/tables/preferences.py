"""SQL of what the user set, and of the bytes that left this machine.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeVar

from tui_uploader import codec
from tui_uploader.engine.journal.columns import ForeignValue

Value = TypeVar("Value")


def preference(
    connection: sqlite3.Connection, name: str, otherwise: Value, check: Callable[[Value], Value] = lambda value: value
) -> Value:
    """The value of the type of `otherwise` that is kept as `name`, or `otherwise`.

    `check` raises ValueError for what was never kept. Raises ForeignValue: a budget that got lost would cost the user
    money."""
    row = connection.execute("SELECT value FROM preferences WHERE name = ?", (name,)).fetchone()
    if row is None:
        return otherwise
    try:
        return check(codec.from_json(row["value"], type(otherwise)))
    except ValueError as error:
        raise ForeignValue(f"preference {name}: {error}") from error


def prefer(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute(
        "INSERT INTO preferences (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, codec.to_json(value)),
    )


def traffic(connection: sqlite3.Connection) -> dict[str, int]:
    """Bytes of files that left this machine, by local day (`2026-05-12`)."""
    return {str(row["day"]): int(row["bytes"]) for row in connection.execute("SELECT day, bytes FROM traffic")}


def add_traffic(connection: sqlite3.Connection, more: Mapping[str, int]) -> None:
    connection.executemany(
        "INSERT INTO traffic (day, bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
        more.items(),
    )

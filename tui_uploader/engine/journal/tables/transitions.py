"""SQL that applies one event to many files in one statement.

The stages before and after an event come from the transition table in `model`, as for a single file. The files are
those in the temporary table `chosen`, which `choose` fills.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from enum import IntEnum

from tui_uploader.model.states import FILE_TRANSITIONS, FileEvent, FileStage

HOLDING = (FileStage.READY, FileStage.SENDING, FileStage.STORED, FileStage.REGISTERED)
"""Stages in which a file is the one that delivers its content to the project."""

NO_FACTS: Mapping[str, object] = {}
FOUND_AGAIN: Mapping[str, object] = {"duplicate_of": None, "error": None, "reason": None}
"""Columns that are reset when a file is to be checked again."""

CHOSEN = "(SELECT id FROM temp.chosen)"


class Choice(IntEnum):
    """How the user chose a file; the most explicit choice counts."""

    BY_KIND = 0
    """By its status, or with its whole upload."""
    IN_RUN = 1
    """In a marked range, which may include files that the command does not apply to."""
    NAMED = 2


def stages_before(event: FileEvent) -> tuple[FileStage, ...]:
    """Return the stages in which `event` is possible."""
    return tuple(stage for stage, possible in FILE_TRANSITIONS if possible is event)


def stage_after(event: FileEvent) -> FileStage:
    """Return the one stage that `event` leads to."""
    (stage,) = {after for (_, happened), after in FILE_TRANSITIONS.items() if happened is event}
    return stage


def marks(values: Iterable[object]) -> str:
    """Return one SQL placeholder for each value."""
    return ",".join("?" for _ in values)


def choose(connection: sqlite3.Connection, ids: Iterable[int] = ()) -> None:
    """Replace the chosen files by these."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY, how INTEGER NOT NULL DEFAULT 0)"
    )
    connection.execute("DELETE FROM temp.chosen")
    connection.executemany("INSERT OR IGNORE INTO temp.chosen (id) VALUES (?)", [(file_id,) for file_id in ids])


def choose_where(connection: sqlite3.Connection, condition: str, *values: object, how: Choice = Choice.BY_KIND) -> None:
    """Also choose the files that fulfil an SQL condition."""
    connection.execute(
        f"INSERT INTO temp.chosen (id, how) SELECT id, ? FROM files WHERE {condition}"
        " ON CONFLICT DO UPDATE SET how = MAX(how, excluded.how)",
        (how, *values),
    )


def move_chosen(
    connection: sqlite3.Connection, event: FileEvent, facts: Mapping[str, object] = NO_FACTS, among: str = CHOSEN
) -> int:
    """Apply `event` to the chosen files for which it is possible, and write `facts` (by column).

    Duplicates of files that no longer deliver their content are checked again: one of them may replace the original.
    Returns the number of files that changed. `among`: SQL of the ids, if not all chosen files are meant.
    """
    letting_go = [stage for stage in stages_before(event) if stage in HOLDING and stage_after(event) not in HOLDING]
    if letting_go:
        originals = f"SELECT id FROM files WHERE id IN {among} AND stage IN ({marks(letting_go)})"
        _move(connection, FileEvent.FREED, f"duplicate_of IN ({originals})", letting_go, NO_FACTS)
    return _move(connection, event, f"id IN {among}", (), facts)


def _move(
    connection: sqlite3.Connection,
    event: FileEvent,
    condition: str,
    values: Iterable[object],
    facts: Mapping[str, object],
) -> int:
    before, after = stages_before(event), stage_after(event)
    written = {"stage": after, **(FOUND_AGAIN if after is FileStage.FOUND else NO_FACTS), **facts}
    columns = ", ".join(f"{column} = ?" for column in written)
    cursor = connection.execute(
        f"UPDATE files SET {columns} WHERE {condition} AND stage IN ({marks(before)})",
        (*written.values(), *values, *before),
    )
    return cursor.rowcount

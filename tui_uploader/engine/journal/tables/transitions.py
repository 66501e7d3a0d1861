"""SQL that lets one event happen to many files at once, however many: one statement instead of one for each file.

Which stages an event leads from, and to which, is read from the table in `model`, as it is for a single file. The files
are those whose ids stand in the temporary table `chosen`, which `choose` fills anew.

All functions take the connection of the transaction they are part of.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from enum import IntEnum

from tui_uploader.model import FILE_TRANSITIONS, FileEvent, FileStage

HOLDING = (FileStage.READY, FileStage.SENDING, FileStage.STORED, FileStage.REGISTERED)
"""A file in one of these stages is the one that brings its content to the project."""

NO_FACTS: Mapping[str, object] = {}
FOUND_AGAIN: Mapping[str, object] = {"duplicate_of": None, "error": None, "reason": None}
"""What a file forgets, as columns, when it is to be looked at again."""

CHOSEN = "(SELECT id FROM temp.chosen)"


class Choice(IntEnum):
    """How a file was chosen: the most explicit way counts."""

    BY_KIND = 0
    """With all others of its status, or of its upload."""
    IN_RUN = 1
    """Marked, perhaps among others that the command is not about."""
    NAMED = 2


def stages_before(event: FileEvent) -> tuple[FileStage, ...]:
    """The stages in which `event` can happen to a file."""
    return tuple(stage for stage, possible in FILE_TRANSITIONS if possible is event)


def stage_after(event: FileEvent) -> FileStage:
    """The one stage that `event` leads to."""
    (stage,) = {after for (_, happened), after in FILE_TRANSITIONS.items() if happened is event}
    return stage


def marks(values: Iterable[object]) -> str:
    """One placeholder of SQL for each value."""
    return ",".join("?" for _ in values)


def choose(connection: sqlite3.Connection, ids: Iterable[int] = ()) -> None:
    """From now on these files are the chosen ones."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY, how INTEGER NOT NULL DEFAULT 0)"
    )
    connection.execute("DELETE FROM temp.chosen")
    connection.executemany("INSERT OR IGNORE INTO temp.chosen (id) VALUES (?)", [(file_id,) for file_id in ids])


def choose_where(connection: sqlite3.Connection, condition: str, *values: object, how: Choice = Choice.BY_KIND) -> None:
    """Choose those files as well that fulfil a condition of SQL."""
    connection.execute(
        f"INSERT INTO temp.chosen (id, how) SELECT id, ? FROM files WHERE {condition}"
        " ON CONFLICT DO UPDATE SET how = MAX(how, excluded.how)",
        (how, *values),
    )


def move_chosen(
    connection: sqlite3.Connection, event: FileEvent, facts: Mapping[str, object] = NO_FACTS, among: str = CHOSEN
) -> int:
    """Let `event` happen to the chosen files that it can happen to, and write `facts` (by column) with it.

    Duplicates of files that no longer bring their content are looked at again: one of them may take the place. Returns
    how many files moved. `among`: SQL of the ids, where not all that are chosen are meant.
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

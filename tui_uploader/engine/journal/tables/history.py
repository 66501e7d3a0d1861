"""SQL of the history: what happened, for users who were away.

Files that are registered or fail are counted by temporary triggers, and written as one event for many: before any other
event of their upload, and when `flush` is called. Every event that is written or changed gets a new number, so that
front ends which ask for later ones learn of it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable

from msgspec.structs import replace

from tui_uploader import codec
from tui_uploader.engine.journal.columns import word
from tui_uploader.engine.journal.summary import newest_event
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import Processing
from tui_uploader.model.states import FileStage

MOST_EVENTS = 5000
KEPT_SECONDS = 180 * 86_400.0
_BETWEEN_PRUNINGS = 250
LONGEST_DETAIL = 2000

_COLUMNS = ("at", "kind", "upload", "project", "account", "files", "bytes", "until", "detail", "processing", "error")


def count_outcomes(connection: sqlite3.Connection) -> None:
    """Let the connection count files that are registered or fail from now on, for `flush`."""
    connection.execute(
        "CREATE TEMP TABLE outcomes (upload, stage, error, files, bytes, reason, PRIMARY KEY (upload, stage, error))"
        " WITHOUT ROWID"
    )
    counted = f"('{FileStage.REGISTERED}', '{FileStage.FAILED}')"
    connection.execute(
        "CREATE TEMP TRIGGER outcome_counted AFTER UPDATE OF stage ON main.files"
        f" WHEN new.stage <> old.stage AND new.stage IN {counted} BEGIN"
        " INSERT INTO outcomes VALUES (new.upload, new.stage,"
        f" CASE new.stage WHEN '{FileStage.FAILED}' THEN IFNULL(new.error, '') ELSE '' END, 1, new.size, new.reason)"
        " ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes, reason = excluded.reason; END"
    )


def record(connection: sqlite3.Connection, at: float, events: Iterable[PastEvent]) -> None:
    """Write events, each after those of the files of its upload; their `id` and `at` are set here."""
    for event in events:
        if event.upload is not None and event.kind is not EventKind.ADDED:  # a walk may end in the middle of them
            flush(connection, at, event.upload)
        _insert(connection, replace(event, at=at))


def record_of_upload(
    connection: sqlite3.Connection,
    at: float,
    kind: EventKind,
    upload_id: int,
    *,
    files: int = 0,
    detail: str = "",
) -> None:
    """Write an event of an upload. Nothing is written of one that is not there."""
    found = connection.execute(
        "SELECT p.name, p.account FROM uploads u JOIN projects p ON p.id = u.project WHERE u.id = ?", (upload_id,)
    ).fetchone()
    if found is not None:
        event = PastEvent(0, at, kind, upload_id, found["name"], found["account"], files, detail=detail)
        record(connection, at, [event])


def flush(connection: sqlite3.Connection, at: float, upload_id: int | None = None) -> None:
    """Write the events of the files that were registered or failed since the last call: of one upload, or of all."""
    counted = connection.execute(
        "SELECT o.upload, o.stage, o.error, o.files, o.bytes, o.reason, p.name, p.account FROM temp.outcomes o"
        " JOIN uploads u ON u.id = o.upload JOIN projects p ON p.id = u.project"
        f" WHERE ?1 IS NULL OR o.upload = ?1 ORDER BY o.upload, o.stage = '{FileStage.FAILED}', o.error",
        (upload_id,),
    ).fetchall()
    if not counted:
        return
    connection.execute("DELETE FROM temp.outcomes WHERE ?1 IS NULL OR upload = ?1", (upload_id,))
    for upload, stage, error, files, size, reason, name, account in counted:
        kind = EventKind.FAILED if stage == FileStage.FAILED else EventKind.UPLOADED
        detail = (reason or "") if kind is EventKind.FAILED else ""
        event = PastEvent(0, at, kind, upload, name, account, files, size, detail=detail, error=error)
        _insert(connection, event)


def begin(connection: sqlite3.Connection, event: PastEvent) -> int:
    """Write an event that lasts until `end`. Returns its number."""
    flush(connection, event.at)
    return _insert(connection, event)


def end(connection: sqlite3.Connection, number: int, until: float) -> None:
    """Note the end of an event that lasted. It gets a new number; one that is no longer kept is left out."""
    row = connection.execute("SELECT * FROM history WHERE id = ?", (number,)).fetchone()
    if row is not None:
        flush(connection, until)
        connection.execute("DELETE FROM history WHERE id = ?", (number,))
        _insert(connection, replace(_event(row), until=until))


def untold(connection: sqlite3.Connection, before: float) -> tuple[PastEvent, ...]:
    """Return the events of files that an engine registered before it was killed, and that it did not write."""
    begun = _interrupted_run(connection)
    if begun is None:
        return ()
    rows = connection.execute(
        "WITH told AS (SELECT upload, MAX(at) AS at FROM history WHERE kind = ? GROUP BY upload)"
        " SELECT f.upload, COUNT(*) AS files, SUM(f.size) AS bytes, MAX(f.uploaded_at) AS at, p.name, p.account"
        " FROM files f JOIN projects p ON p.id = f.project LEFT JOIN told t ON t.upload = f.upload"
        " WHERE f.stage = ? AND f.uploaded_at > MAX(?, IFNULL(t.at, 0)) AND f.uploaded_at < ? GROUP BY f.upload",
        (EventKind.UPLOADED, FileStage.REGISTERED, begun, before),
    )
    return tuple(
        PastEvent(
            0, row["at"], EventKind.UPLOADED, row["upload"], row["name"], row["account"], row["files"], row["bytes"]
        )
        for row in rows
    )


def _interrupted_run(connection: sqlite3.Connection) -> float | None:
    """When the last engine started that wrote no end; None: the last one did."""
    row = connection.execute(
        "SELECT kind, at FROM history WHERE kind IN (?, ?) ORDER BY id DESC LIMIT 1",
        (EventKind.ENGINE_STARTED, EventKind.ENGINE_STOPPED),
    ).fetchone()
    return float(row["at"]) if row is not None and row["kind"] == EventKind.ENGINE_STARTED else None


def begin_run(connection: sqlite3.Connection, now: float, lost: Iterable[PastEvent] = ()) -> int:
    """Write that an engine started, and end what the one before it left open. Returns the number of the event.

    An engine that was killed wrote no end: then the detail is `interrupted`. `lost`: the events that are `untold`.
    """
    _prune(connection, now)
    interrupted = _interrupted_run(connection) is not None
    for event in lost:
        _insert(connection, event)
    last = connection.execute("SELECT MAX(at) FROM history").fetchone()[0]
    for (number,) in connection.execute(
        "SELECT id FROM history WHERE kind IN (?, ?) AND until IS NULL",
        (EventKind.OFFLINE, EventKind.SENDING_STOPPED),
    ).fetchall():
        end(connection, number, last if last is not None else now)
    return _insert(connection, PastEvent(0, now, EventKind.ENGINE_STARTED, detail="interrupted" if interrupted else ""))


def end_run(connection: sqlite3.Connection, number: int, now: float) -> None:
    """Write that the engine stopped. Of a run in which nothing happened no trace is kept."""
    flush(connection, now)
    row = connection.execute("SELECT detail FROM history WHERE id = ?", (number,)).fetchone()
    if row is not None and not row["detail"] and _last_kept(connection) == number:
        connection.execute("DELETE FROM history WHERE id = ?", (number,))
    else:
        _insert(connection, PastEvent(0, now, EventKind.ENGINE_STOPPED))


def events(connection: sqlite3.Connection, after: int, limit: int, since: float | None = None) -> tuple[PastEvent, ...]:
    """Return the last `limit` events with a number above `after`, oldest first.

    `since`: only those that happened, or ended, at that time or later.
    """
    rows = connection.execute(
        "SELECT * FROM history WHERE id > ? AND (? IS NULL OR at >= ? OR until >= ?"
        " OR (until IS NULL AND kind IN (?, ?))) ORDER BY id DESC LIMIT ?",
        (after, since, since, since, EventKind.OFFLINE, EventKind.SENDING_STOPPED, limit),
    ).fetchall()
    return tuple(_event(row) for row in reversed(rows))


def paths_to_walk(connection: sqlite3.Connection, upload_id: int) -> str:
    """Return the paths whose walk is not complete, or else the one that was added last, as text for `detail`."""
    rows = connection.execute(
        "SELECT path FROM sources WHERE upload = ? AND NOT scanned ORDER BY id LIMIT 20", (upload_id,)
    ).fetchall() or connection.execute(
        "SELECT path FROM sources WHERE upload = ? ORDER BY id DESC LIMIT 1", (upload_id,)
    )
    return "\n".join(os.fsdecode(row["path"]).replace("\n", "\\n") for row in rows)


def _insert(connection: sqlite3.Connection, event: PastEvent) -> int:
    values = (
        event.at,
        event.kind,
        event.upload,
        event.project,
        event.account,
        event.files,
        event.bytes,
        event.until,
        event.detail.encode("utf-8", "backslashreplace").decode()[:LONGEST_DETAIL],
        None if event.processing is None else codec.to_json(event.processing),
        event.error,
    )
    cursor = connection.execute(
        f"INSERT INTO history ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(values))})", values
    )
    assert cursor.lastrowid is not None
    if cursor.lastrowid % _BETWEEN_PRUNINGS == 0:
        _prune(connection, event.at)
    return cursor.lastrowid


def _prune(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(
        "DELETE FROM history WHERE id <= ? OR at < ?", (newest_event(connection) - MOST_EVENTS, now - KEPT_SECONDS)
    )


def _last_kept(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT IFNULL(MAX(id), 0) FROM history").fetchone()[0])


def _event(row: sqlite3.Row) -> PastEvent:
    values = dict(row)
    values["kind"] = word(EventKind, values["kind"])
    text, values["processing"] = values["processing"], None
    with contextlib.suppress(codec.Malformed):
        values["processing"] = None if text is None else codec.from_json(text, Processing)
    return PastEvent(**values)

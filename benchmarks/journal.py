"""Time that commands on many files occupy the journal's writer, and the cost of years of past uploads."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.photos import scratch_folder
from benchmarks.table import Table
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import commands, files, projects, uploads
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage

_FILES = 100_000
_PAST_UPLOADS, _FILES_OF_EACH = 2_000, 500
_ROUNDS = 3
_EVERYTHING = FileSelection(all=True)

Change = Callable[[sqlite3.Connection], object]


def tables() -> list[Table]:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        return [asyncio.run(_commands(Path(folder) / "commands")), asyncio.run(_years(Path(folder) / "years"))]


# --------------------------------------------------------------------------------------------------- commands


async def _commands(folder: Path) -> Table:
    journal = Journal.open(folder / "journal.sqlite")
    upload = await journal.write(_new_upload)
    await journal.write(lambda connection: _fill(connection, upload))

    async def row(what: str, stage: FileStage, change: Change) -> tuple[str, str]:
        seconds = []
        for _ in range(_ROUNDS):
            await journal.write(lambda connection: _all_in(connection, stage))
            seconds.append(await _seconds(journal, change))
        return what, f"{statistics.median(seconds):.2f}"

    def dismiss(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE uploads SET state = 'cancelled'")
        commands.dismiss(connection, upload, 0.0)

    rows = (
        await row("one UPDATE of the stage", FileStage.READY, _update),
        await row("remove", FileStage.READY, lambda connection: commands.remove(connection, upload, _EVERYTHING)),
        await row("restore", FileStage.REMOVED, lambda connection: commands.restore(connection, upload, _EVERYTHING)),
        await row("retry", FileStage.FAILED, lambda connection: commands.retry(connection, upload, _EVERYTHING)),
        await row("hold files that were being sent", FileStage.SENDING, files.hold_interrupted),
        await row("dismiss", FileStage.READY, dismiss),
    )
    await journal.close()
    return Table(
        "Journal: commands on many files",
        f"One command on {_FILES:,} files, until it is on disk; nothing else is written meanwhile. Median of {_ROUNDS}"
        " rounds. The first row is the time of SQLite for the rows alone.",
        ("what", "s"),
        rows,
    )


def _new_upload(connection: sqlite3.Connection) -> int:
    project = projects.add_project(connection, "a", "Quarry", ProjectKind.IMAGES, remote_id="1")
    return uploads.add_sources(connection, project, ["/card"], True, 0.0)


def _fill(connection: sqlite3.Connection, upload: int) -> None:
    connection.executemany(
        "INSERT INTO files (upload, project, path, name, size, mtime_ns, inode, stage, identity, object, etag)"
        " VALUES (?, 1, ?, ?, 5000000, 1, 1, 'found', ?, ?, 'e')",
        (
            (upload, f"/card/{number}.jpg".encode(), f"{number}.jpg", f"{number:032x}", f"{number}.jpg")
            for number in range(_FILES)
        ),
    )


def _all_in(connection: sqlite3.Connection, stage: FileStage) -> None:
    connection.execute("UPDATE uploads SET state = 'active', dismissed = 0")
    connection.execute("UPDATE files SET stage = ?", (stage,))


def _update(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE files SET stage = 'removed'")


# ------------------------------------------------------------------------------------------------------ years


async def _years(folder: Path) -> Table:
    new, old = folder / "new" / "journal.sqlite", folder / "old" / "journal.sqlite"
    for path in (new, old):
        journal = Journal.open(path)
        await journal.write(_new_upload)
        if path == old:
            await journal.write(_past)
        await journal.close()
    columns = [await _costs(path) for path in (new, old)]
    return Table(
        "Journal: years of past uploads",
        f"A new journal, and one with the records of {_PAST_UPLOADS:,} past uploads, each of its own project, and"
        f" {_PAST_UPLOADS * _FILES_OF_EACH:,} delivered files. Milliseconds, median of {_ROUNDS * 10} (opening:"
        f" {_ROUNDS}).",
        ("what", "new", "old"),
        tuple((what, f"{columns[0][what]:.2f}", f"{columns[1][what]:.2f}") for what in columns[0]),
    )


def _past(connection: sqlite3.Connection) -> None:
    for number in range(2, _PAST_UPLOADS + 2):
        connection.execute(
            "INSERT INTO projects (id, account, remote_id, name, kind, made_here) VALUES (?, 'a', ?, ?, 'images', 1)",
            (number, str(number), f"Quarry {number}"),
        )
        connection.execute(
            "INSERT INTO uploads (id, project, state, auto_process, added_at, dismissed, dismissed_at, condensed)"
            " VALUES (?, ?, 'complete', 1, 0, 1, 1, 1)",
            (number, number),
        )
        connection.executemany(
            "INSERT INTO delivered (upload, project, path, name, size, identity, crc32, object, etag, uploaded_at)"
            " VALUES (?, ?, ?, ?, 5000000, ?, 1, ?, 'e', 1)",
            (
                (number, number, f"/card/{number}/{file}.jpg".encode(), f"{file}.jpg", f"{file:032x}", f"{file}.jpg")
                for file in range(_FILES_OF_EACH)
            ),
        )


async def _costs(path: Path) -> dict[str, float]:
    opened = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        journal = Journal.open(path)
        opened.append(time.perf_counter() - began)
        await journal.close()
    journal = Journal.open(path)

    async def median(change: Change) -> float:
        return statistics.median([await _seconds(journal, change) for _ in range(_ROUNDS * 10)]) * 1e3

    costs = {
        "open": statistics.median(opened) * 1e3,
        "a commit that changes an upload": await median(lambda c: uploads.set_auto_process(c, 1, True)),
        "a commit that changes a project": await median(lambda c: projects.set_project(c, 1, word="x")),
        "find the holder of a content": await median(lambda c: files.holder(c, 77, f"{7:032x}")),
    }
    await journal.close()
    return costs


async def _seconds(journal: Journal, change: Change) -> float:
    began = time.perf_counter()
    await journal.write(change)
    return time.perf_counter() - began

"""A question about one row costs the same in a small and in a large journal: an index answers it, not a scan.

Costs are counted in steps of SQLite's virtual machine, which depend on nothing but the query and the data.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tui_uploader.cloud.contract import RemoteProject
from tui_uploader.engine.journal.tables import (
    commands,
    deduplication,
    file_parts,
    files,
    known_contents,
    projects,
    retention,
    sources,
    stored_files,
    uploads,
    walked,
)
from tui_uploader.engine.journal.views import windows
from tui_uploader.model.files import FileQuery, FileSelection, SortKey
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileEvent, UploadEvent

CROWD = 1000
NEW = RemoteProject("none", "P", "CREATED", None)


class Target(NamedTuple):
    """The row that is asked for."""

    project: int
    upload: int
    file: int


Question = Callable[[sqlite3.Connection, Target], object]

QUESTIONS: dict[str, Question] = {
    "an upload": lambda c, t: uploads.upload(c, t.upload),
    "a change of an upload": lambda c, t: uploads.move_upload(c, t.upload, UploadEvent.PAUSE),
    "the end of a walk": lambda c, t: uploads.mark_scanned(c, t.upload, ["/card"]),
    "the end of an upload": lambda c, t: uploads.finish_if_done(c, t.upload, 9.0),
    "the begin of a walk": lambda c, t: sources.begin_walk(c, t.upload, "/card/none"),
    "a new file": lambda c, t: walked.add_candidates(c, t.upload, t.project, [candidate("/card/new.jpg")]),
    "a file": lambda c, t: files.file(c, t.file),
    "a change of a file": lambda c, t: files.move(c, t.file, FileEvent.FAILED),
    "the holder of a content": lambda c, t: files.holder(c, t.project, "f" * 32),
    "the stored bytes of a file": lambda c, t: file_parts.stored_bytes_of(c, t.file),
    "the parts of a file": lambda c, t: file_parts.of_file(c, t.file),
    "the next stored file": lambda c, t: stored_files.next_stored(c, t.project, 1),
    "a known content": lambda c, t: known_contents.find(c, "/card/none"),
    "a name in the project": lambda c, t: deduplication.give_up_name(c, files.file(c, t.file)),
    "a file by its number": lambda c, t: commands.remove(c, t.upload, FileSelection(ids=(t.file,))),
    "a file by its path": lambda c, t: commands.remove(c, t.upload, FileSelection(names=("/card/a.jpg",))),
    "the paths of originals": lambda c, t: retention.paths(c, [t.file]),
    "a project at the service": lambda c, t: projects.remote_project(c, "a", NEW, ProjectKind.IMAGES),
    "the first window of files": lambda c, t: windows.window(c, t.upload, FileQuery(limit=1)),
    "a folded window": lambda c, t: windows.window(c, t.upload, FileQuery(limit=1, sort="activity", fold=1)),
    "a folded window of a project": lambda c, t: windows.window(
        c, t.upload, FileQuery(limit=1, sort="activity", fold=1, whole_project=True)
    ),
    "the newest uploaded file": lambda c, t: windows.window(
        c, t.upload, FileQuery(limit=1, sort="uploaded", descending=True)
    ),
    "the first window by folder": lambda c, t: windows.window(c, t.upload, FileQuery(limit=1, sort="folder")),
}


def crowd(connection: sqlite3.Connection, target: Target) -> None:
    """Add many rows to each table: of the target's upload, and of other uploads and projects."""
    numbers = range(CROWD)
    connection.executemany(
        "INSERT INTO projects (account, remote_id, name, kind, made_here) VALUES ('a', ?, ?, 'images', 0)",
        [(f"r{number}", f"P{number}") for number in numbers],
    )
    connection.executemany(
        "INSERT INTO uploads (project, state, auto_process, added_at) VALUES (?, 'active', 1, 0)",
        [(target.project + 1 + number,) for number in numbers],
    )
    connection.executemany(
        "INSERT INTO sources (upload, path) VALUES (?, '/card')", [(target.upload + 1 + number,) for number in numbers]
    )
    connection.executemany(
        "INSERT INTO skipped (upload, path, reason) VALUES (?, ?, 'hidden')",
        [(target.upload, f"/card/skipped/{number}".encode()) for number in numbers],
    )
    connection.executemany(
        "INSERT INTO files (upload, project, path, name, size, mtime_ns, inode, stage, identity, object)"
        " VALUES (?, ?, ?, 'x', 1, 1, 1, ?, ?, ?)",
        [
            (
                target.upload,
                target.project,
                f"/card/many/{number}".encode(),
                ("found", "ready", "stored", "registered")[number % 4],
                f"{number:032}",
                f"{number}.jpg",
            )
            for number in numbers
        ],
    )
    connection.execute("INSERT INTO parts SELECT id, 1, 1, 'etag', 7, NULL FROM files")
    connection.execute(
        "INSERT OR IGNORE INTO names SELECT project, object, object, identity FROM files WHERE object IS NOT NULL"
    )
    connection.execute(
        "INSERT OR IGNORE INTO known SELECT path, 1, 1, 1, identity, 7, 0, 0, 0, 1, '', NULL, NULL, NULL FROM files"
    )


def steps(connection: sqlite3.Connection, target: Target, question: Question) -> int:
    """Ask, count the steps, and undo the changes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.execute("SAVEPOINT question")
    connection.set_progress_handler(step, 1)
    try:
        question(connection, target)
    finally:
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK TO question")
    return count


async def test_one_row_costs_the_same_in_a_large_journal(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    row = await harness.check("/card/a.jpg", content("a"))
    target = Target(harness.project, harness.upload, row.id)

    def all_steps(connection: sqlite3.Connection) -> dict[str, int]:
        return {name: steps(connection, target, question) for name, question in QUESTIONS.items()}

    before = await harness.write(all_steps)
    await harness.write(lambda connection: crowd(connection, target))
    after = await harness.write(all_steps)
    assert {name: (before[name], after[name]) for name in QUESTIONS if after[name] > before[name] + 100} == {}


_STEPS_PER_FILE = 12
"""To step over a file of an index; sorting takes several times as many."""


@pytest.mark.parametrize("whole_project", [False, True])
@pytest.mark.parametrize("sort", ["activity", "uploaded", "status"])
async def test_a_window_far_down_steps_over_the_index_and_sorts_nothing(
    harness: JournalHarness, sort: SortKey, whole_project: bool
) -> None:
    """Of an upload with files of two stages, in the middle and at the end."""
    await harness.find(candidate("/card/a.jpg"))
    row = await harness.check("/card/a.jpg", content("a"))
    target = Target(harness.project, harness.upload, row.id)
    await harness.write(lambda connection: crowd(connection, target))
    await harness.write(
        lambda c: c.execute(
            "UPDATE files SET stage = CASE WHEN id % 2 THEN 'registered' ELSE 'ready' END, uploaded_at = id"
            " WHERE upload = ?",
            (target.upload,),
        ).close()
    )
    files = await harness.journal.read(lambda c: windows.window(c, target.upload, FileQuery(limit=1)).total)
    assert files > CROWD

    def steps_at(offset: int, anchor: int | None = None) -> Callable[[sqlite3.Connection], int]:
        query = FileQuery(sort=sort, offset=offset, limit=1, whole_project=whole_project, anchor=anchor)
        return lambda c: steps(c, target, lambda c, t: windows.window(c, t.upload, query))

    first = await harness.write(steps_at(0))
    for ask in (steps_at(files // 2 - 1), steps_at(files - 1), steps_at(0, anchor=row.id)):
        assert await harness.write(ask) < first + files // 2 * _STEPS_PER_FILE

"""The journal's guarantees: atomic changes, durable before they are acknowledged, and clear errors."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.migrations import SCHEMA_VERSION
from tui_uploader.engine.journal.tables import projects
from tui_uploader.errors import JournalDamaged, JournalTooNew, JournalUnwritable, NoSuchUpload
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage


def count_projects(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COUNT(*) FROM projects").fetchone()[0])


async def test_changes_and_their_results_survive_closing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    first = Journal.open(path)
    number = await first.write(lambda c: projects.add_project(c, "a", "Quarry", ProjectKind.IMAGES))
    await first.close()
    second = Journal.open(path)
    assert second.summary.projects[number].name == "Quarry"
    await second.close()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["journal.sqlite"]


async def test_a_failing_change_is_rolled_back_alone_within_its_group(harness: JournalHarness) -> None:
    def half_done(connection: sqlite3.Connection) -> None:
        projects.add_project(connection, "a", "half", ProjectKind.IMAGES)
        raise NoSuchUpload("on purpose")

    before = await harness.journal.read(count_projects)
    outcomes = await asyncio.gather(
        *(harness.write(lambda c: projects.add_project(c, "a", "whole", ProjectKind.IMAGES)) for _ in range(20)),
        harness.write(half_done),
        *(harness.write(lambda c: projects.add_project(c, "a", "whole", ProjectKind.IMAGES)) for _ in range(20)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [NoSuchUpload]
    assert await harness.journal.read(count_projects) == before + 40


async def test_the_summary_is_current_when_a_write_returns(harness: JournalHarness) -> None:
    for number in range(20):
        await harness.find(candidate(f"/card/{number}.jpg", size=10))
        assert harness.journal.summary.files(harness.upload, FileStage.FOUND) == number + 1
        assert harness.journal.summary.bytes(harness.upload, FileStage.FOUND) == 10 * (number + 1)


async def test_on_commit_is_called_in_the_event_loop(tmp_path: Path) -> None:
    calls: list[asyncio.AbstractEventLoop] = []
    journal = Journal.open(tmp_path / "journal.sqlite", lambda _: calls.append(asyncio.get_running_loop()))
    await journal.write(count_projects)
    await journal.close()
    assert calls == [asyncio.get_running_loop()]


async def test_a_cancelled_caller_waits_until_its_change_is_settled(harness: JournalHarness) -> None:
    change = asyncio.create_task(harness.write(lambda c: projects.add_project(c, "a", "late", ProjectKind.IMAGES)))
    await asyncio.sleep(0)
    change.cancel()
    with pytest.raises(asyncio.CancelledError):
        await change
    assert await harness.journal.read(count_projects) == 2


async def test_a_reading_connection_cannot_write(harness: JournalHarness) -> None:
    with pytest.raises(JournalUnwritable):
        await harness.journal.read(lambda c: projects.add_project(c, "a", "no", ProjectKind.IMAGES))


async def test_a_newer_journal_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await Journal.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalTooNew, match="newer tui-uploader"):
        Journal.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", [b"this is no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 8000])
async def test_a_damaged_journal_is_reported(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(damage)
    with pytest.raises(JournalDamaged, match="damaged"):
        Journal.open(path)
    assert path.read_bytes() == damage


async def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(JournalUnwritable, match="Cannot use"):
        Journal.open(tmp_path / "data" / "journal.sqlite")


async def test_a_full_disk_loses_nothing_and_writing_resumes_with_space(harness: JournalHarness) -> None:
    async def limit(pages: int) -> None:
        await harness.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").close())

    pages = await harness.journal.read(lambda c: int(c.execute("PRAGMA page_count").fetchone()[0]))
    await limit(pages)
    crowd = [candidate(f"/card/{number}.jpg") for number in range(5000)]
    with pytest.raises(JournalUnwritable, match="full"):
        await harness.find(*crowd)
    assert harness.journal.summary.files(harness.upload, FileStage.FOUND) == 0
    await limit(10**6)
    await harness.find(*crowd)
    assert harness.journal.summary.files(harness.upload, FileStage.FOUND) == 5000


_ADDS_PROJECTS = """
import asyncio, sys
from pathlib import Path
from tui_uploader.engine.journal.tables import projects
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.model.projects import ProjectKind

async def main():
    journal = Journal.open(Path(sys.argv[1]))
    for number in range(100_000):
        await journal.write(lambda c: projects.add_project(c, "a", str(number), ProjectKind.IMAGES))
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 60])
async def test_acknowledged_changes_survive_sigkill(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "journal.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", _ADDS_PROJECTS, os.fspath(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledgements = [writer.stdout.readline() for _ in range(acknowledged)]
    writer.send_signal(signal.SIGKILL)
    acknowledgements += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    journal = Journal.open(path)
    names = [project.name for project in journal.summary.projects.values()]
    await journal.close()
    complete = [line.strip() for line in acknowledgements if line.endswith("\n")]
    assert len(complete) >= acknowledged and names[: len(complete)] == complete
    assert len(names) - len(complete) in (0, 1), "at most the one whose acknowledgement was not read"


async def test_a_question_sees_one_state_however_many_statements_it_takes(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    asked, changed = threading.Event(), threading.Event()

    def count_twice(connection: sqlite3.Connection) -> tuple[int, int]:
        first = connection.execute("SELECT COUNT(*) FROM files").fetchone()[0]
        asked.set()
        changed.wait(10)
        return first, connection.execute("SELECT COUNT(*) FROM files").fetchone()[0]

    counted = asyncio.create_task(harness.journal.read(count_twice))
    await asyncio.to_thread(asked.wait, 10)
    await harness.find(candidate("/card/b.jpg"))
    changed.set()
    assert await counted == (1, 1)
    assert await harness.journal.read(lambda c: c.execute("SELECT COUNT(*) FROM files").fetchone()[0]) == 2

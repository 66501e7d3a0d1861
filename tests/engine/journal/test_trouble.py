"""The journal after its end, damaged, or asked for what it cannot hold."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness
from tests.engine.world import left_open
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import commands, files
from tui_uploader.errors import EngineError, JournalDamaged, NoSuchFile
from tui_uploader.model import FileSelection


def nothing(connection: sqlite3.Connection) -> None:
    pass


def spoil(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE uploads SET state = 'garbage'")


async def test_a_change_after_the_end_is_refused(tmp_path: Path) -> None:
    """Who writes to a closed journal is told so, and does not wait for ever."""
    journal = Journal.open(tmp_path / "journal.sqlite")
    await journal.close()
    with pytest.raises(EngineError, match="closed"):
        await journal.write(nothing)


async def test_a_word_that_nobody_knows_is_damage(tmp_path: Path) -> None:
    """A journal that holds a state that does not exist is damaged, which is an error of the tree."""
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path)
    await JournalHarness(journal).begin()
    await journal.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        spoil(connection)
    with pytest.raises(JournalDamaged):
        Journal.open(path)
    assert not left_open(tmp_path)


async def test_the_writer_survives_a_summary_that_cannot_be_read(harness: JournalHarness) -> None:
    """A change after which the summary cannot be read is not kept, and the next one is served."""
    with pytest.raises(JournalDamaged):
        await harness.write(spoil)
    await harness.write(nothing)
    assert harness.upload in harness.journal.summary.uploads


async def test_damage_met_by_a_change_is_told_as_damage(harness: JournalHarness) -> None:
    def malformed(connection: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.raises(JournalDamaged):
        await harness.write(malformed)


@pytest.mark.parametrize("number", [0, -1, 2**63, 2**70])
async def test_numbers_that_no_file_can_have_are_told_as_such(harness: JournalHarness, number: int) -> None:
    selection = FileSelection(ids=(number,))
    with pytest.raises(NoSuchFile):
        await harness.write(lambda connection: commands.remove(connection, harness.upload, selection))


async def test_looking_for_the_holder_of_a_content_costs_the_same_for_any_number_of_files(
    harness: JournalHarness,
) -> None:
    """The index is used: not every file of the project is read."""

    def steps_of_a_look(connection: sqlite3.Connection) -> int:
        connection.executemany(
            "INSERT INTO files (upload, project, path, name, size, mtime_ns, inode, stage, identity)"
            " VALUES (?, ?, ?, 'x', 1, 1, 1, 'registered', ?)",
            [(harness.upload, harness.project, f"/{number}".encode(), f"{number:032}") for number in range(5000)],
        )
        hundreds = 0

        def count() -> int:
            nonlocal hundreds
            hundreds += 1
            return 0

        connection.set_progress_handler(count, 100)
        try:
            files.holder(connection, harness.project, "f" * 32)
        finally:
            connection.set_progress_handler(None, 0)
        return hundreds

    assert await harness.write(steps_of_a_look) < 5

"""A journal that is closed or damaged, or gets impossible values."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness
from tests.engine.world import left_open
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import commands
from tui_uploader.errors import EngineError, JournalDamaged, NoSuchFile
from tui_uploader.model.files import FileSelection


def nothing(connection: sqlite3.Connection) -> None:
    pass


def spoil(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE uploads SET state = 'garbage'")


async def test_a_closed_journal_refuses_changes(tmp_path: Path) -> None:
    """A writer gets an error instead of waiting forever."""
    journal = Journal.open(tmp_path / "journal.sqlite")
    await journal.close()
    with pytest.raises(EngineError, match="closed"):
        await journal.write(nothing)


async def test_an_unknown_state_is_reported_as_damage(tmp_path: Path) -> None:
    """The error is one of the tree in `errors`."""
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
    """A change after which the summary cannot be read is rolled back, and the next one is accepted."""
    with pytest.raises(JournalDamaged):
        await harness.write(spoil)
    await harness.write(nothing)
    assert harness.upload in harness.journal.summary.uploads


async def test_damage_found_by_a_change_is_reported_as_damage(harness: JournalHarness) -> None:
    def malformed(connection: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.raises(JournalDamaged):
        await harness.write(malformed)


@pytest.mark.parametrize("number", [0, -1, 2**63, 2**70])
async def test_impossible_file_numbers_are_reported(harness: JournalHarness, number: int) -> None:
    selection = FileSelection(ids=(number,))
    with pytest.raises(NoSuchFile):
        await harness.write(lambda connection: commands.remove(connection, harness.upload, selection))

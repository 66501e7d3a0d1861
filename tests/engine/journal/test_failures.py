"""Damage is reported as damage, and a bug of the program is not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

import pytest

from tests.engine.journal.harness import JournalHarness
from tui_uploader.engine.bandwidth.policy import Preferences, checked
from tui_uploader.engine.journal.tables import files, preferences, projects
from tui_uploader.engine.journal.views import windows
from tui_uploader.errors import JournalDamaged, NoSuchUpload, UnforeseenFailure
from tui_uploader.model.files import FileQuery
from tui_uploader.model.projects import ProjectKind

Step = Callable[[sqlite3.Connection], object]


def _no_number(connection: sqlite3.Connection) -> object:
    return int("no number")


def _too_large(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT ?", (2**63,))


def _no_such_column(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT nonsense FROM files")


def _broken_text(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT ?", ("\udcff",))


def _too_few_values(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT ?")


def _constraint(connection: sqlite3.Connection) -> object:
    return connection.execute("INSERT INTO sources (upload, path) VALUES (999, x'00')")


FAULTS = [_no_number, _too_large, _no_such_column, _broken_text, _too_few_values]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_bug_in_a_query_is_not_reported_as_damage(
    harness: JournalHarness, fault: Step, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UnforeseenFailure):
        await harness.journal.read(fault)
    assert fault.__name__ in caplog.text, "the log has the details"


@pytest.mark.parametrize("fault", [*FAULTS, _constraint])
async def test_a_bug_in_a_change_rolls_back_that_change_alone(harness: JournalHarness, fault: Step) -> None:
    def half(connection: sqlite3.Connection) -> None:
        projects.add_project(connection, "a", "half", ProjectKind.IMAGES)
        fault(connection)

    outcomes = await asyncio.gather(
        harness.write(lambda c: projects.add_project(c, "a", "before", ProjectKind.IMAGES)),
        harness.write(half),
        harness.write(lambda c: projects.add_project(c, "a", "after", ProjectKind.IMAGES)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [int, UnforeseenFailure, int]
    assert [project.name for project in harness.journal.summary.projects.values()] == ["Quarry", "before", "after"]


async def test_our_own_errors_pass_unchanged(harness: JournalHarness) -> None:
    with pytest.raises(NoSuchUpload):
        await harness.journal.read(lambda c: windows.window(c, 99, FileQuery()))


def _stage(connection: sqlite3.Connection) -> object:
    connection.execute(
        "INSERT INTO files (id, upload, project, path, name, size, mtime_ns, inode, stage)"
        " VALUES (7, 1, 1, x'2f', 'a', 1, 1, 1, 'nonsense')"
    )
    return files.file(connection, 7)


def _text_that_is_none(connection: sqlite3.Connection) -> object:
    connection.execute("UPDATE projects SET name = CAST(x'ff' AS TEXT)")
    return connection.execute("SELECT name FROM projects").fetchall()


def _preference(connection: sqlite3.Connection) -> object:
    connection.execute("INSERT INTO preferences VALUES ('bandwidth', '{\"limit\": -5}')")
    return preferences.preference(connection, "bandwidth", Preferences(), checked)


def _shape(connection: sqlite3.Connection) -> object:
    connection.execute("INSERT INTO preferences VALUES ('bandwidth', 'no JSON')")
    return preferences.preference(connection, "bandwidth", Preferences(), checked)


@pytest.mark.parametrize("damage", [_stage, _text_that_is_none, _preference, _shape])
async def test_an_invalid_value_is_reported_as_damage(harness: JournalHarness, damage: Step) -> None:
    with pytest.raises(JournalDamaged):
        await harness.write(damage)

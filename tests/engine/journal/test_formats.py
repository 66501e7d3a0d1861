"""Journals of older versions are migrated without loss."""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.migrations import MIGRATIONS, SCHEMA_VERSION
from tui_uploader.model.states import UploadState

FORMATS = Path(__file__).parent / "formats"


def columns(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return name, type, NOT NULL, default and position in the key of each column, by table."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: [row[1:] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables}


def others(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT type, name FROM sqlite_master WHERE type <> 'table'"))


def test_every_older_format_has_a_migration() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))
    assert sorted(path.stem for path in FORMATS.iterdir()) == [f"journal-{version}" for version in sorted(MIGRATIONS)]


@pytest.mark.parametrize("version", sorted(MIGRATIONS))
async def test_a_migrated_journal_equals_a_new_one_and_keeps_its_rows(tmp_path: Path, version: int) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript((FORMATS / f"journal-{version}.sql").read_text())
        old.execute("INSERT INTO projects (id, account, name, kind, made_here) VALUES (7, 'a', 'Quarry', 'images', 1)")
        old.execute("INSERT INTO uploads (id, project, state, auto_process, added_at) VALUES (3, 7, 'active', 1, 1.5)")
        old.execute(
            "INSERT INTO files (id, upload, project, path, name, size, mtime_ns, inode, stage)"
            " VALUES (9, 3, 7, x'2f61ff', 'a', 100, 1, 2, 'registered')"
        )
        old.execute("INSERT INTO known (path, size, mtime_ns, inode, identity, crc32) VALUES ('/a', 1, 2, 3, 'x', 4)")
        old.execute(f"PRAGMA user_version = {version}")
    old.close()

    journal = Journal.open(path)
    try:
        assert journal.summary.uploads[3].state is UploadState.ACTIVE
        assert journal.summary.projects[7].name == "Quarry"
    finally:
        await journal.close()

    fresh = sqlite3.connect(":memory:")
    schema = resources.files("tui_uploader.engine.journal").joinpath("schema.sql")
    fresh.executescript(schema.read_text(encoding="utf-8"))
    with sqlite3.connect(path) as migrated:
        assert columns(migrated) == columns(fresh)
        assert others(migrated) == others(fresh)
        assert migrated.execute("SELECT identity, latitude FROM known").fetchall() == [("x", None)]
        assert migrated.execute("SELECT ctime_ns, mount, samples FROM known").fetchall() == [(None, "", None)]
        assert migrated.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    migrated.close()
    fresh.close()


@pytest.mark.parametrize("version", [1, 2])
async def test_no_password_in_an_address_stays_in_an_older_journal(tmp_path: Path, version: int) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript((FORMATS / f"journal-{version}.sql").read_text())
        old.executemany(
            "INSERT INTO projects (id, account, name, kind, made_here, remote_id, web_address)"
            " VALUES (?, ?, 'Quarry', 'images', 1, ?, ?)",
            [
                (1, "me@office.org@http://joe:pass/w@rd@127.0.0.1:80", "11", "http://joe:pass/w@rd@127.0.0.1:80/map"),
                (2, "me@office.org@http://127.0.0.1:80", "12", None),
                (3, "me@office.org@http://joe:other-word@127.0.0.1:80", "12", None),
                (4, "plain@https://cloud.pix4d.com", None, None),
            ],
        )
        old.execute(f"PRAGMA user_version = {version}")
    old.close()

    journal = Journal.open(path)
    try:
        assert {row.id: row.account for row in journal.summary.projects.values()} == {
            1: "me@office.org@http://127.0.0.1:80",
            2: "me@office.org@http://127.0.0.1:80",
            3: "me@office.org@http://127.0.0.1:80 (3)",
            4: "plain@https://cloud.pix4d.com",
        }
        assert journal.summary.projects[1].web_address == "http://127.0.0.1:80/map"
    finally:
        await journal.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert not [word for word in (b"joe", b"pass/w", b"other-word") if word in kept]

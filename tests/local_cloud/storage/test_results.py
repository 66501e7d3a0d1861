"""Results in the database of a root, also of one that an earlier version wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tui_uploader.local_cloud.storage.database import FILE_NAME, RootDatabase
from tui_uploader.local_cloud.storage.projects import ProjectStore
from tui_uploader.local_cloud.storage.results import CloudResult, ResultStore


def test_results_of_an_earlier_version_are_kept(tmp_path: Path) -> None:
    RootDatabase(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as sql:
        sql.executescript(
            "DROP TABLE results; CREATE TABLE results (project INTEGER NOT NULL, key TEXT NOT NULL,"
            " result_type TEXT NOT NULL, PRIMARY KEY (project, key)) WITHOUT ROWID;"
            " INSERT INTO results VALUES (100001, 'user-1/project-100001/dsm.tif', 'dsm'); PRAGMA user_version = 1;"
        )
    database = RootDatabase(tmp_path)
    key = "user-1/project-100001/dsm.tif"
    assert ResultStore(database, ProjectStore(database, lambda: 0.0), lambda: 0.0).results(100_001) == [
        CloudResult("dsm", key, key)
    ]
    database.close()

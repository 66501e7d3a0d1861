"""The journal's format: its current version, and the steps that lead to it from older ones."""

from __future__ import annotations

import re
import sqlite3
from importlib import resources
from pathlib import Path

from tui_uploader.engine.journal.failures import shown
from tui_uploader.errors import JournalTooNew
from tui_uploader.settings import without_user_information

SCHEMA_VERSION = 5
MIGRATIONS: dict[int, str] = {
    1: """
        ALTER TABLE known ADD COLUMN latitude REAL;
        ALTER TABLE known ADD COLUMN longitude REAL;
        ALTER TABLE known ADD COLUMN taken_at REAL;
        CREATE TABLE abandoned (
            project    INTEGER NOT NULL REFERENCES projects (id),
            object     TEXT NOT NULL,
            multipart  TEXT NOT NULL,
            PRIMARY KEY (project, object, multipart)
        ) WITHOUT ROWID;
        CREATE TABLE preferences (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE traffic (day TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
    """,
    2: """
        ALTER TABLE sources ADD COLUMN error TEXT;
        ALTER TABLE sources ADD COLUMN reason TEXT;
        ALTER TABLE files ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE files ADD COLUMN ctime_ns INTEGER;
        ALTER TABLE files ADD COLUMN mount TEXT NOT NULL DEFAULT '';
        ALTER TABLE known ADD COLUMN ctime_ns INTEGER;
        ALTER TABLE known ADD COLUMN mount TEXT NOT NULL DEFAULT '';
        ALTER TABLE known ADD COLUMN samples TEXT;
        ALTER TABLE sources ADD COLUMN found_some INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE uploads ADD COLUMN dismissed_at REAL;
        ALTER TABLE uploads ADD COLUMN condensed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE files ADD COLUMN proof TEXT;
        ALTER TABLE files ADD COLUMN real BLOB;
        ALTER TABLE parts ADD COLUMN proof TEXT;
        CREATE TABLE delivered (
            file         INTEGER PRIMARY KEY,
            upload       INTEGER NOT NULL REFERENCES uploads (id),
            project      INTEGER NOT NULL REFERENCES projects (id),
            path         BLOB NOT NULL,
            name         TEXT NOT NULL,
            size         INTEGER NOT NULL,
            identity     TEXT,
            crc32        INTEGER,
            object       TEXT,
            etag         TEXT,
            uploaded_at  REAL,
            proof        TEXT
        );
        CREATE TABLE dropped (file INTEGER PRIMARY KEY);
        CREATE UNIQUE INDEX one_delivery_per_content ON delivered (project, identity);
        CREATE INDEX delivered_by_upload ON delivered (upload);
        CREATE TRIGGER delivery_counted AFTER INSERT ON delivered BEGIN
            INSERT INTO tallies VALUES (new.upload, 'registered', 1, new.size)
                ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
        END;
        CREATE TRIGGER content_delivered BEFORE UPDATE OF stage ON files
            WHEN new.stage IN ('ready', 'sending', 'stored') AND old.stage NOT IN ('ready', 'sending', 'stored')
            AND EXISTS (
                SELECT 1 FROM delivered WHERE project = new.project AND identity = new.identity)
        BEGIN
            SELECT RAISE(ABORT, 'the project has this content');
        END;
        UPDATE OR IGNORE projects SET account = without_user_information(account)
            WHERE account LIKE '%@http%://%@%';
        UPDATE projects SET account = without_user_information(account) || ' (' || id || ')'
            WHERE account LIKE '%@http%://%@%';
        UPDATE projects SET web_address = without_user_information(web_address) WHERE web_address LIKE '%://%@%';
    """,
    3: """
        ALTER TABLE projects ADD COLUMN ended_at REAL;
        ALTER TABLE projects ADD COLUMN processed_images INTEGER;
        ALTER TABLE projects ADD COLUMN cloud_images INTEGER;
        ALTER TABLE uploads ADD COLUMN ended_at REAL;
        UPDATE uploads SET auto_process = 0 WHERE project IN (
            SELECT id FROM projects WHERE processing <> 'not_started' OR start_asked_at IS NOT NULL);
        ALTER TABLE known ADD COLUMN camera TEXT;
        ALTER TABLE known ADD COLUMN height REAL;
        CREATE INDEX uploads_of_project ON uploads (project);
        CREATE INDEX files_by_upload_time ON files (project, uploaded_at, id, upload) WHERE stage = 'registered';
        ALTER TABLE sources ADD COLUMN addition INTEGER;
        ALTER TABLE sources ADD COLUMN walked_for INTEGER;
        ALTER TABLE files ADD COLUMN addition INTEGER;
        ALTER TABLE files ADD COLUMN set_aside TEXT;
        CREATE TABLE additions (
            id            INTEGER PRIMARY KEY AUTOINCREMENT,
            upload        INTEGER NOT NULL REFERENCES uploads (id),
            state_before  TEXT,
            auto_before   INTEGER,
            undone        INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX additions_by_upload ON additions (upload);
        CREATE TABLE history (
            id          INTEGER PRIMARY KEY AUTOINCREMENT,
            at          REAL NOT NULL,
            kind        TEXT NOT NULL,
            upload      INTEGER,
            project     TEXT NOT NULL DEFAULT '',
            account     TEXT NOT NULL DEFAULT '',
            files       INTEGER NOT NULL DEFAULT 0,
            bytes       INTEGER NOT NULL DEFAULT 0,
            until       REAL,
            detail      TEXT NOT NULL DEFAULT '',
            processing  TEXT,
            error       TEXT NOT NULL DEFAULT ''
        );
    """,
    4: """
        ALTER TABLE uploads ADD COLUMN watch INTEGER;
        ALTER TABLE uploads ADD COLUMN receipt BLOB;
        ALTER TABLE uploads ADD COLUMN receipt_at REAL;
        ALTER TABLE uploads ADD COLUMN receipt_copied REAL;
        DROP INDEX delivered_by_upload;
        CREATE INDEX delivered_by_upload ON delivered (upload, path);
        ALTER TABLE files ADD COLUMN stored_at REAL;
        ALTER TABLE files ADD COLUMN result_type TEXT;
        ALTER TABLE files ADD COLUMN belongs_to INTEGER;
        ALTER TABLE files ADD COLUMN replaces TEXT;
        ALTER TABLE files ADD COLUMN crs TEXT;
        ALTER TABLE files ADD COLUMN replaced_at REAL;
        ALTER TABLE delivered ADD COLUMN stored_at REAL;
        ALTER TABLE delivered ADD COLUMN result_type TEXT;
        ALTER TABLE delivered ADD COLUMN belongs_to INTEGER;
        ALTER TABLE delivered ADD COLUMN replaces TEXT;
        ALTER TABLE delivered ADD COLUMN crs TEXT;
        ALTER TABLE delivered ADD COLUMN replaced_at REAL;
        CREATE INDEX files_by_main_file ON files (belongs_to) WHERE belongs_to IS NOT NULL;
        CREATE INDEX results_by_project ON files (project, result_type) WHERE result_type IS NOT NULL;
        DROP INDEX one_holder_per_content;
        CREATE UNIQUE INDEX one_holder_per_content ON files (project, identity)
            WHERE stage IN ('ready', 'sending', 'stored', 'registered') AND result_type IS NULL;
        DROP INDEX one_delivery_per_content;
        CREATE UNIQUE INDEX one_delivery_per_content ON delivered (project, identity) WHERE result_type IS NULL;
        DROP TRIGGER content_delivered;
        CREATE TRIGGER content_delivered BEFORE UPDATE OF stage ON files
            WHEN new.stage IN ('ready', 'sending', 'stored') AND old.stage NOT IN ('ready', 'sending', 'stored')
            AND new.result_type IS NULL AND EXISTS (
                SELECT 1 FROM delivered WHERE project = new.project AND identity = new.identity AND result_type IS NULL)
        BEGIN
            SELECT RAISE(ABORT, 'the project has this content');
        END;
        CREATE INDEX files_by_content ON files (identity) WHERE identity IS NOT NULL;
        CREATE INDEX delivered_by_content ON delivered (identity) WHERE identity IS NOT NULL;
        CREATE TABLE verifications (
            id          INTEGER PRIMARY KEY AUTOINCREMENT,
            paths       BLOB NOT NULL,
            project     INTEGER REFERENCES projects (id),
            state       TEXT NOT NULL,
            started_at  REAL NOT NULL,
            ended_at    REAL,
            verdict     TEXT,
            reasons     TEXT NOT NULL DEFAULT '',
            watch       INTEGER,
            walks       INTEGER NOT NULL DEFAULT 0,
            status      TEXT
        );
        CREATE TABLE verified (
            verification  INTEGER NOT NULL REFERENCES verifications (id),
            path          BLOB NOT NULL,
            size          INTEGER NOT NULL,
            mtime_ns      INTEGER NOT NULL,
            inode         INTEGER NOT NULL,
            ctime_ns      INTEGER,
            mount         TEXT NOT NULL DEFAULT '',
            kind          TEXT NOT NULL,
            walk          INTEGER NOT NULL,
            identity      TEXT,
            finding       TEXT,
            reason        TEXT,
            project       INTEGER,
            upload        INTEGER,
            object        TEXT,
            evidence      TEXT,
            PRIMARY KEY (verification, path)
        ) WITHOUT ROWID;
        CREATE TABLE watches (
            id             INTEGER PRIMARY KEY AUTOINCREMENT,
            path           BLOB NOT NULL UNIQUE,
            request        TEXT NOT NULL,
            created_at     REAL NOT NULL
        );
        CREATE TABLE watched_cards (
            id            INTEGER PRIMARY KEY AUTOINCREMENT,
            path          BLOB NOT NULL,
            volume        TEXT NOT NULL DEFAULT '',
            mount         TEXT NOT NULL DEFAULT '',
            signs         TEXT NOT NULL DEFAULT '[]',
            upload        INTEGER NOT NULL,
            found_at      REAL NOT NULL,
            last_file_at  REAL NOT NULL,
            verification  INTEGER
        );
        CREATE INDEX cards_by_path ON watched_cards (path);
    """,
}
"""SQL that leads to the next version, by the version that it starts from."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables or bring them to the current format. Raises JournalTooNew."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise JournalTooNew(
            f"The journal {shown(path)} was written by a newer tui-uploader (format {version}; this version supports "
            f"{SCHEMA_VERSION}). Install the newer version again; nothing was changed."
        )
    if version == SCHEMA_VERSION:
        return
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has to precede the first table
        script = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    else:
        # Older versions accepted cloud addresses with a password: no trace of it may stay in the file.
        connection.execute("PRAGMA secure_delete = ON")
        connection.create_function("without_user_information", 1, _without_user_information, deterministic=True)
        script = "".join(MIGRATIONS[step] for step in range(version, SCHEMA_VERSION))
    connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;")
    connection.execute("PRAGMA secure_delete = OFF")


def _without_user_information(text: str) -> str:
    """Remove it from a web address or an account, which is a client id, an `@` and a web address."""
    client_id, separator, address = re.split(r"(^|@(?=https?://))", text, maxsplit=1)
    return f"{client_id}{separator}{without_user_information(address)}"

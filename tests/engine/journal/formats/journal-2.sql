-- The engine's memory. Paths are bytes as the file system gives them; times are seconds since the epoch.
-- One process writes (see connection.py); a fact is set once it is known and never guessed.

CREATE TABLE projects (
    id                  INTEGER PRIMARY KEY,
    account             TEXT NOT NULL,           -- client id @ cloud address
    remote_id           TEXT,                    -- the service's id; NULL until it exists there
    name                TEXT NOT NULL,
    kind                TEXT NOT NULL,
    made_here           INTEGER NOT NULL,        -- this machine made it, or is going to
    make_asked_at       REAL,                    -- intent to create it, before the call
    make_before         TEXT NOT NULL DEFAULT '', -- ids of projects of that name that were there before, one a line
    web_address         TEXT,
    processing          TEXT NOT NULL DEFAULT 'not_started',
    word                TEXT,                    -- the service's own word
    waiting_seconds     REAL,
    processing_seconds  REAL,
    reason              TEXT,                    -- why processing failed, or was not started
    start_asked_at      REAL,                    -- intent to start processing, before the call
    start_word          TEXT,                    -- the service's word before that call
    start_images        INTEGER,                 -- images registered when it was asked
    started_at          REAL                     -- the service confirmed
);
CREATE UNIQUE INDEX one_row_per_remote_project ON projects (account, remote_id) WHERE remote_id IS NOT NULL;

CREATE TABLE uploads (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    project         INTEGER NOT NULL REFERENCES projects (id),
    state           TEXT NOT NULL,
    auto_process    INTEGER NOT NULL,
    added_at        REAL NOT NULL,
    active_seconds  REAL NOT NULL DEFAULT 0,
    dismissed       INTEGER NOT NULL DEFAULT 0,
    notice_kind     TEXT,
    notice          TEXT,
    skipped         INTEGER NOT NULL DEFAULT 0   -- how many paths were offered that are no files of the upload
);

CREATE TABLE sources (
    id          INTEGER PRIMARY KEY,
    upload      INTEGER NOT NULL REFERENCES uploads (id),
    path        BLOB NOT NULL,
    scanned     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (upload, path)
);

CREATE TABLE skipped (
    upload  INTEGER NOT NULL REFERENCES uploads (id),
    path    BLOB NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (upload, path)
) WITHOUT ROWID;

CREATE TABLE files (
    id              INTEGER PRIMARY KEY,
    upload          INTEGER NOT NULL REFERENCES uploads (id),
    project         INTEGER NOT NULL REFERENCES projects (id),
    path            BLOB NOT NULL,
    name            TEXT NOT NULL,               -- for sorting and searching; the true name is in path
    size            INTEGER NOT NULL,
    mtime_ns        INTEGER NOT NULL,
    inode           INTEGER NOT NULL,
    stage           TEXT NOT NULL,
    identity        TEXT,                        -- xxh3-128 of the content
    crc32           INTEGER,
    object          TEXT,                        -- its name in the project
    duplicate_of    INTEGER,                     -- the file that holds the same content
    error           TEXT,                        -- kind of the failure
    reason          TEXT,                        -- what the user reads of it
    etag            TEXT,                        -- the store confirmed the whole object
    multipart       TEXT,                        -- upload id of a begun multipart upload
    part_size       INTEGER,
    register_asked  INTEGER NOT NULL DEFAULT 0,
    uploaded_at     REAL
);
CREATE INDEX files_by_path ON files (upload, path);
CREATE INDEX files_by_stage ON files (upload, stage, id);
CREATE INDEX files_by_project ON files (project, stage);
CREATE INDEX files_by_original ON files (duplicate_of) WHERE duplicate_of IS NOT NULL;
-- The same content is never sent twice to a project, whatever the code above believes.
CREATE UNIQUE INDEX one_holder_per_content ON files (project, identity)
    WHERE stage IN ('ready', 'sending', 'stored', 'registered');

-- Which content holds which object name of a project, for ever: nothing is overwritten.
CREATE TABLE names (
    project   INTEGER NOT NULL REFERENCES projects (id),
    folded    TEXT NOT NULL,                     -- see intake.naming.folded
    name      TEXT NOT NULL,
    identity  TEXT NOT NULL,                     -- empty: an object that is not of this machine
    PRIMARY KEY (project, folded)
) WITHOUT ROWID;
CREATE INDEX names_of_contents ON names (project, identity);

CREATE TABLE parts (
    file    INTEGER NOT NULL REFERENCES files (id),
    number  INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    etag    TEXT NOT NULL,
    crc32   INTEGER NOT NULL,
    PRIMARY KEY (file, number)
) WITHOUT ROWID;

-- What was read before: an unchanged file is not read again.
CREATE TABLE known (
    path      BLOB PRIMARY KEY,
    size      INTEGER NOT NULL,
    mtime_ns  INTEGER NOT NULL,
    inode     INTEGER NOT NULL,
    identity  TEXT NOT NULL,
    crc32     INTEGER NOT NULL,
    latitude  REAL,                              -- degrees, WGS 84; NULL where the camera wrote none
    longitude REAL,
    taken_at  REAL                               -- by the camera's clock, which knows no time zone
) WITHOUT ROWID;

-- Multipart uploads that nobody goes on with: to be aborted as soon as the store can be reached.
CREATE TABLE abandoned (
    project    INTEGER NOT NULL REFERENCES projects (id),
    object     TEXT NOT NULL,
    multipart  TEXT NOT NULL,
    PRIMARY KEY (project, object, multipart)
) WITHOUT ROWID;

-- What the user set while the engine ran, as JSON.
CREATE TABLE preferences (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;

-- Bytes of bodies that left this machine, repeated ones too: what a mobile contract counts.
CREATE TABLE traffic (
    day    TEXT PRIMARY KEY,                     -- local date, YYYY-MM-DD
    bytes  INTEGER NOT NULL
) WITHOUT ROWID;

-- Files and bytes by stage, kept true by the triggers, so that a status costs the same for any number of files.
CREATE TABLE tallies (
    upload  INTEGER NOT NULL,
    stage   TEXT NOT NULL,
    files   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (upload, stage)
) WITHOUT ROWID;

CREATE TRIGGER skipped_counted AFTER INSERT ON skipped BEGIN
    UPDATE uploads SET skipped = skipped + 1 WHERE id = new.upload;
END;
CREATE TRIGGER file_counted AFTER INSERT ON files BEGIN
    INSERT INTO tallies VALUES (new.upload, new.stage, 1, new.size)
        ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER file_recounted AFTER UPDATE OF stage, size ON files
    WHEN old.stage <> new.stage OR old.size <> new.size BEGIN
    UPDATE tallies SET files = files - 1, bytes = bytes - old.size WHERE upload = old.upload AND stage = old.stage;
    INSERT INTO tallies VALUES (new.upload, new.stage, 1, new.size)
        ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER file_discounted AFTER DELETE ON files BEGIN
    UPDATE tallies SET files = files - 1, bytes = bytes - old.size WHERE upload = old.upload AND stage = old.stage;
END;

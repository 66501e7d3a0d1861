-- The journal. Paths are bytes as the file system gives them; times are seconds since the epoch.
-- One process writes (see lock.py); a column is set when its fact is known, and never guessed.

CREATE TABLE projects (
    id                  INTEGER PRIMARY KEY,
    account             TEXT NOT NULL,           -- client id @ cloud address
    remote_id           TEXT,                    -- the service's id; NULL until it exists there
    name                TEXT NOT NULL,
    kind                TEXT NOT NULL,
    made_here           INTEGER NOT NULL,        -- this machine created it, or will
    make_asked_at       REAL,                    -- intent to create it, before the call
    make_before         TEXT NOT NULL DEFAULT '', -- ids of earlier projects of that name, one per line
    web_address         TEXT,
    processing          TEXT NOT NULL DEFAULT 'not_started',
    word                TEXT,                    -- the service's word for the state
    waiting_seconds     REAL,
    processing_seconds  REAL,
    reason              TEXT,                    -- why processing failed or was not started
    start_asked_at      REAL,                    -- intent to start processing, before the call
    start_word          TEXT,                    -- the service's word before that call
    start_images        INTEGER,                 -- images registered at that time
    started_at          REAL,                    -- the service confirmed
    ended_at            REAL,                    -- this machine learned that processing was done or had failed
    processed_images    INTEGER,                 -- images registered when processing was last started from here
    cloud_images        INTEGER                  -- the service's own count; NULL: it does not tell
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
    skipped         INTEGER NOT NULL DEFAULT 0,  -- number of entries in `skipped`
    dismissed_at    REAL,
    condensed       INTEGER NOT NULL DEFAULT 0,  -- only delivered files are kept, see below
    ended_at        REAL,                        -- when it was completed or cancelled
    watch           INTEGER,                     -- that fills it
    receipt         BLOB,                        -- path of the receipt of its end
    receipt_at      REAL,                        -- when that was written; NULL: about to be
    receipt_copied  REAL                         -- when it was last copied to where the user wants it
);
CREATE INDEX uploads_of_project ON uploads (project);

CREATE TABLE sources (
    id          INTEGER PRIMARY KEY,
    upload      INTEGER NOT NULL REFERENCES uploads (id),
    path        BLOB NOT NULL,
    scanned     INTEGER NOT NULL DEFAULT 0,
    error       TEXT,                            -- kind of error of its last walk
    reason      TEXT,                            -- its message for the user
    found_some  INTEGER NOT NULL DEFAULT 0,      -- an incomplete walk found files in it
    addition    INTEGER,                         -- that brought the path into the upload
    walked_for  INTEGER,                         -- the addition that the files of its walk belong to
    UNIQUE (upload, path)
);

-- Each request to add files, so that it can be undone.
CREATE TABLE additions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    upload        INTEGER NOT NULL REFERENCES uploads (id),
    state_before  TEXT,                          -- of the upload; NULL: it was created for the addition
    auto_before   INTEGER,                       -- its auto_process before
    undone        INTEGER NOT NULL DEFAULT 0     -- 1: files that were being sent are still to be taken out; 2: done
);
CREATE INDEX additions_by_upload ON additions (upload);

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
    duplicate_of    INTEGER,                     -- the file that delivers the same content
    error           TEXT,                        -- kind of error
    reason          TEXT,                        -- its message for the user
    etag            TEXT,                        -- of the whole object; set once the storage confirmed it
    multipart       TEXT,                        -- id of its multipart upload
    part_size       INTEGER,
    register_asked  INTEGER NOT NULL DEFAULT 0,
    uploaded_at     REAL,
    accepted        INTEGER NOT NULL DEFAULT 0,  -- the user wants it uploaded although its end is missing
    ctime_ns        INTEGER,                     -- NULL where programs can set it, or it does not exist
    mount           TEXT NOT NULL DEFAULT '',    -- see intake.mounts; empty: unknown
    proof           TEXT,                        -- how the storage proved the object; NULL: not kept
    real            BLOB,                        -- resolved path; NULL: no symbolic link on the path
    addition        INTEGER,                     -- that brought it into the queue; NULL: by an older version
    set_aside       TEXT,                        -- its stage before its upload was dismissed
    stored_at       REAL,                        -- when the storage confirmed it; NULL: not, or by an older version
    result_type     TEXT,                        -- of a result, and of its companions; NULL: an image
    belongs_to      INTEGER,                     -- the file of the same upload that it is a companion of
    replaces        TEXT,                        -- name of the project's result whose place it takes, if the user agreed
    crs             TEXT,                        -- of a result: a model.CoordinateSystem as JSON; NULL: not known
    replaced_at     REAL                         -- when another result took its place: the project no longer has it
);
CREATE INDEX files_by_path ON files (upload, path);
CREATE INDEX files_by_stage ON files (upload, stage, id);
CREATE INDEX files_by_project ON files (project, stage);
CREATE INDEX files_by_upload_time ON files (project, uploaded_at, id, upload) WHERE stage = 'registered';
CREATE INDEX files_by_content ON files (identity) WHERE identity IS NOT NULL;
CREATE INDEX files_by_original ON files (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX files_by_main_file ON files (belongs_to) WHERE belongs_to IS NOT NULL;
CREATE INDEX results_by_project ON files (project, result_type) WHERE result_type IS NOT NULL;
-- The same image is never sent twice to a project, even if the engine has a bug. Files of a mesh may be equal: each is
-- found under its own name.
CREATE UNIQUE INDEX one_holder_per_content ON files (project, identity)
    WHERE stage IN ('ready', 'sending', 'stored', 'registered') AND result_type IS NULL;

-- Delivered files of uploads that were dismissed long ago (see retention.py): enough for receipts, and to recognise the
-- content. Their numbers are never used again in `files`.
CREATE TABLE delivered (
    file         INTEGER PRIMARY KEY,            -- its number in `files` before
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
    proof        TEXT,
    stored_at    REAL,                           -- from here as in files
    result_type  TEXT,
    belongs_to   INTEGER,
    replaces     TEXT,
    crs          TEXT,
    replaced_at  REAL
);
CREATE UNIQUE INDEX one_delivery_per_content ON delivered (project, identity) WHERE result_type IS NULL;
CREATE INDEX delivered_by_upload ON delivered (upload, path);
CREATE INDEX delivered_by_content ON delivered (identity) WHERE identity IS NOT NULL;

-- The highest number of a deleted row of `files` whose file another row represents.
CREATE TABLE dropped (file INTEGER PRIMARY KEY);

-- Which content an object name of a project belongs to, permanently: nothing is overwritten.
CREATE TABLE names (
    project   INTEGER NOT NULL REFERENCES projects (id),
    folded    TEXT NOT NULL,                     -- see intake.naming.folded
    name      TEXT NOT NULL,
    identity  TEXT NOT NULL,                     -- empty: an object of another machine
    PRIMARY KEY (project, folded)
) WITHOUT ROWID;
CREATE INDEX names_of_contents ON names (project, identity);

CREATE TABLE parts (
    file    INTEGER NOT NULL REFERENCES files (id),
    number  INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    etag    TEXT NOT NULL,
    crc32   INTEGER NOT NULL,
    proof   TEXT,
    PRIMARY KEY (file, number)
) WITHOUT ROWID;

-- Contents read before: a file that is proven to be unchanged is not read again.
CREATE TABLE known (
    path      BLOB PRIMARY KEY,
    size      INTEGER NOT NULL,
    mtime_ns  INTEGER NOT NULL,
    inode     INTEGER NOT NULL,
    identity  TEXT NOT NULL,
    crc32     INTEGER NOT NULL,
    latitude  REAL,                              -- degrees, WGS 84; NULL: not in the image
    longitude REAL,
    taken_at  REAL,                              -- by the camera's clock, without time zone
    ctime_ns  INTEGER,                           -- ctime_ns and mount as in files
    mount     TEXT NOT NULL DEFAULT '',
    samples   TEXT,                              -- see intake.samples; NULL: read by an older version
    camera    TEXT,
    height    REAL                               -- metres above the take-off point, where the image states it
) WITHOUT ROWID;

-- Stale multipart uploads, to be aborted once the storage is reachable.
CREATE TABLE abandoned (
    project    INTEGER NOT NULL REFERENCES projects (id),
    object     TEXT NOT NULL,
    multipart  TEXT NOT NULL,
    PRIMARY KEY (project, object, multipart)
) WITHOUT ROWID;

-- The user's preferences, as JSON.
CREATE TABLE preferences (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;

-- Bytes of bodies that were sent, including repeated ones: what a mobile contract counts.
CREATE TABLE traffic (
    day    TEXT PRIMARY KEY,                     -- local date, YYYY-MM-DD
    bytes  INTEGER NOT NULL
) WITHOUT ROWID;

-- What happened, for users who were away: facts only, `wording` has the sentences. Old rows are deleted.
CREATE TABLE history (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          REAL NOT NULL,
    kind        TEXT NOT NULL,
    upload      INTEGER,
    project     TEXT NOT NULL DEFAULT '',        -- its name at that time
    account     TEXT NOT NULL DEFAULT '',
    files       INTEGER NOT NULL DEFAULT 0,
    bytes       INTEGER NOT NULL DEFAULT 0,
    until       REAL,
    detail      TEXT NOT NULL DEFAULT '',
    processing  TEXT,                            -- a model.Processing as JSON
    error       TEXT NOT NULL DEFAULT ''         -- kind of error that all of the failed files have
);

-- Verifications of memory cards, and what each found. Old ones are deleted.
CREATE TABLE verifications (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    paths       BLOB NOT NULL,                   -- separated by zero bytes
    project     INTEGER REFERENCES projects (id), -- only this one counts; NULL: all
    state       TEXT NOT NULL,
    started_at  REAL NOT NULL,
    ended_at    REAL,
    verdict     TEXT,
    reasons     TEXT NOT NULL DEFAULT '',        -- one per line
    watch       INTEGER,
    walks       INTEGER NOT NULL DEFAULT 0,      -- how often the paths were walked: once more after a crash
    status      TEXT                             -- a model.VerificationStatus as JSON, once it ended
);
CREATE TABLE verified (
    verification  INTEGER NOT NULL REFERENCES verifications (id),
    path          BLOB NOT NULL,
    size          INTEGER NOT NULL,
    mtime_ns      INTEGER NOT NULL,
    inode         INTEGER NOT NULL,
    ctime_ns      INTEGER,                       -- ctime_ns and mount as in files
    mount         TEXT NOT NULL DEFAULT '',
    kind          TEXT NOT NULL,
    walk          INTEGER NOT NULL,              -- number of the walk that found it last
    identity      TEXT,                          -- of the content that was read; NULL: not read
    finding       TEXT,                          -- NULL: read, and not compared yet
    reason        TEXT,
    project       INTEGER,                       -- that has it
    upload        INTEGER,                       -- that delivered it
    object        TEXT,
    evidence      TEXT,
    PRIMARY KEY (verification, path)
) WITHOUT ROWID;

CREATE TABLE watches (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    path           BLOB NOT NULL UNIQUE,
    request        TEXT NOT NULL,                -- a model.WatchRequest as JSON, without its path
    created_at     REAL NOT NULL
);
-- The cards that came to a watched path. They outlast the watch: a later one of the same path recognises them.
CREATE TABLE watched_cards (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    path          BLOB NOT NULL,
    volume        TEXT NOT NULL DEFAULT '',      -- what its file system is recognised by; empty: unknown
    mount         TEXT NOT NULL DEFAULT '',      -- as in files
    signs         TEXT NOT NULL DEFAULT '[]',    -- some of its files, as JSON: see engine/watches/cards.py
    upload        INTEGER NOT NULL,              -- that its files go to
    found_at      REAL NOT NULL,                 -- when it last came
    last_file_at  REAL NOT NULL,                 -- when its newest file was added
    verification  INTEGER                        -- that was asked for after its newest file
);
CREATE INDEX cards_by_path ON watched_cards (path);

-- Files and bytes by stage, kept up to date by triggers, so that the cost of a status does not grow with the files.
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
CREATE TRIGGER delivery_counted AFTER INSERT ON delivered BEGIN
    INSERT INTO tallies VALUES (new.upload, 'registered', 1, new.size)
        ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER content_delivered BEFORE UPDATE OF stage ON files
    WHEN new.stage IN ('ready', 'sending', 'stored') AND old.stage NOT IN ('ready', 'sending', 'stored')
    AND new.result_type IS NULL AND EXISTS (
        SELECT 1 FROM delivered WHERE project = new.project AND identity = new.identity AND result_type IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'the project has this content');
END;

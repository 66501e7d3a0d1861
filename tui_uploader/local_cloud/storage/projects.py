"""The login of a root, its projects, and the images that are registered with them.

All calls block and are meant for worker threads.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tui_uploader.local_cloud.storage.database import RootDatabase

USER = 1
"""User number in the base path of objects; here is only one user."""
_FIRST_PROJECT = 100_001


@dataclass(frozen=True, slots=True)
class RootLogin:
    """The API key that may sign in, and the key that signs all tokens. No secret is in the repr."""

    client_id: str
    client_secret: str = field(repr=False)
    signing_key: bytes = field(repr=False)
    is_new: bool
    """Generated at this start."""


@dataclass(frozen=True, slots=True)
class ProcessingRun:
    """The start of processing and its total duration, both in seconds."""

    started: float
    duration: float


@dataclass(frozen=True, slots=True)
class CloudProject:
    id: int
    name: str
    created: float
    images: int
    """Number of registered images."""
    results: int
    """Number of results, without replaced ones."""
    run: ProcessingRun | None
    """The last start of processing."""

    @property
    def prefix(self) -> str:
        return prefix_of(self.id)


class ProjectFull(Exception):
    """A registration would exceed the images that a project accepts."""


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    added: int
    """Number of keys that were not registered before."""
    unknown: tuple[str, ...]
    """Keys without an object, or outside the project."""


def prefix_of(project: int) -> str:
    """Base path of a project's objects, without a trailing slash."""
    return f"user-{USER}/project-{project}"


class ProjectStore:
    def __init__(self, database: RootDatabase, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def login(self) -> RootLogin:
        """The root's login, generated at the first call."""
        with self._database.transaction() as sql:
            stored = sql.execute("SELECT client_id, client_secret, signing_key FROM login").fetchone()
            new = (f"local-{secrets.token_hex(8)}", secrets.token_urlsafe(32), secrets.token_bytes(32))
            if not stored:
                sql.execute("INSERT INTO login VALUES (1, ?, ?, ?)", new)
            client_id, client_secret, signing_key = stored or new
            return RootLogin(client_id, client_secret, signing_key, is_new=not stored)

    def create(self, name: str) -> CloudProject:
        with self._database.transaction() as sql:
            (last,) = sql.execute("SELECT max(id) FROM projects").fetchone()
            project = (last or _FIRST_PROJECT - 1) + 1
            sql.execute("INSERT INTO projects (id, name, created) VALUES (?, ?, ?)", (project, name, self._now()))
            return _project(sql, project)

    def project(self, project: int) -> CloudProject | None:
        with self._database.locked() as sql:
            try:
                return _project(sql, project)
            except LookupError:
                return None

    def page(self, offset: int, limit: int) -> tuple[int, list[CloudProject]]:
        """The number of all projects, and a page of them, newest first."""
        with self._database.locked() as sql:
            (count,) = sql.execute("SELECT count(*) FROM projects").fetchone()
            rows = sql.execute("SELECT id FROM projects ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset)).fetchall()
            return count, [_project(sql, project) for (project,) in rows]

    def register_images(self, project: int, keys: Sequence[str], *, most: int, all_or_none: bool) -> RegistrationResult:
        """Register keys that have an object. With `all_or_none`, one unknown key prevents the registration of all.

        Raises ProjectFull, and registers none, when the project would have more than `most` images.
        """
        with self._database.transaction() as sql:
            known = {key: self.knows(sql, project, key) for key in keys}
            unknown = tuple(key for key, is_known in known.items() if not is_known)
            if unknown and all_or_none:
                return RegistrationResult(0, unknown)
            rows = [(project, key) for key, is_known in known.items() if is_known]
            before = _project(sql, project).images
            sql.executemany("INSERT OR IGNORE INTO images VALUES (?, ?)", rows)
            after = _project(sql, project).images
            if after > most:
                raise ProjectFull
            return RegistrationResult(after - before, unknown)

    def images(self, project: int) -> list[str]:
        """Keys of the registered images, sorted."""
        with self._database.locked() as sql:
            return [key for (key,) in sql.execute("SELECT key FROM images WHERE project = ? ORDER BY key", (project,))]

    def start(self, project: int, seconds: float) -> ProcessingRun:
        """Start processing, also when it was started before: a client that asks twice gets it twice."""
        run = ProcessingRun(self._now(), seconds)
        with self._database.transaction() as sql:
            sql.execute(
                "UPDATE projects SET starts = starts + 1, started = ?, processing_seconds = ? WHERE id = ?",
                (run.started, seconds, project),
            )
        return run

    def knows(self, sql: sqlite3.Connection, project: int, key: str) -> bool:
        """Whether the key is one of the project's, and an object has it."""
        return key.startswith(prefix_of(project) + "/") and self.has_object(sql, key)

    def has_object(self, sql: sqlite3.Connection, key: str) -> bool:
        return bool(sql.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone())


def _project(sql: sqlite3.Connection, project: int) -> CloudProject:
    """Raises LookupError."""
    row = sql.execute(
        "SELECT name, created, started, processing_seconds,"
        " (SELECT count(*) FROM images WHERE project = projects.id),"
        " (SELECT count(*) FROM results WHERE project = projects.id AND replaced IS NULL)"
        " FROM projects WHERE id = ?",
        (project,),
    ).fetchone()
    if row is None:
        raise LookupError(project)
    name, created, started, seconds, images, results = row
    run = None if started is None else ProcessingRun(started, seconds)
    return CloudProject(project, name, created, images, results, run)

"""What the service itself knows: its login, its projects, and what was registered with them.

All calls block and are meant for worker threads. Objects are another matter: see `objects`.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tui_uploader.local_cloud.rest.processing import Start
from tui_uploader.local_cloud.storage.database import FILE_NAME, Database

USER = 1
"""The service counts users; here is one."""
_FIRST_PROJECT = 100_001


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """Who may sign in, and the key that signs all passes. No secret is in the repr."""

    client_id: str
    client_secret: str = field(repr=False)
    signing_key: bytes = field(repr=False)
    is_new: bool
    """Made up just now."""


@dataclass(frozen=True, slots=True)
class KeptProject:
    id: int
    name: str
    created: float
    images: int
    """How many are registered."""
    results: int
    start: Start | None

    @property
    def prefix(self) -> str:
        return prefix_of(self.id)


@dataclass(frozen=True, slots=True)
class KeptResult:
    key: str
    result_type: str


class TooManyImages(Exception):
    """More than a project takes."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of keys that were to be registered."""

    added: int
    """Keys that were not registered before."""
    unknown: tuple[str, ...]
    """Keys of this project or another that no object has."""


def prefix_of(project: int) -> str:
    """Base path of a project's objects, without trailing slash; `key` of its S3 credentials."""
    return f"user-{USER}/project-{project}"


class ProjectStore:
    def __init__(self, database: Database, now: Callable[[], float], *, objects_are_here: bool = True) -> None:
        """Without `objects_are_here` every key of the right project counts as known."""
        self._database = database
        self._now = now
        self._objects_are_here = objects_are_here

    def login(self, client_id: str | None, client_secret: str | None) -> KeptLogin:
        """The root's login; the given halves replace the kept ones, and what is missing is made up."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT client_id, client_secret, signing_key FROM login").fetchone()
            kept_id, kept_secret, signing_key = row or (None, None, secrets.token_bytes(32))
            login = KeptLogin(
                client_id or kept_id or f"local-{secrets.token_hex(8)}",
                client_secret or kept_secret or secrets.token_urlsafe(32),
                signing_key,
                is_new=row is None and client_secret is None,
            )
            sql.execute(
                "INSERT OR REPLACE INTO login VALUES (1, ?, ?, ?)", (login.client_id, login.client_secret, signing_key)
            )
        return login

    def create(self, name: str) -> KeptProject:
        with self._database.transaction() as sql:
            (last,) = sql.execute("SELECT max(id) FROM projects").fetchone()
            project = (last or _FIRST_PROJECT - 1) + 1
            sql.execute("INSERT INTO projects (id, name, created) VALUES (?, ?, ?)", (project, name, self._now()))
            return _project(sql, project)

    def project(self, project: int) -> KeptProject | None:
        with self._database.turn() as sql:
            try:
                return _project(sql, project)
            except LookupError:
                return None

    def page(self, offset: int, limit: int) -> tuple[int, list[KeptProject]]:
        """How many projects there are, and some of them, newest first."""
        with self._database.turn() as sql:
            (count,) = sql.execute("SELECT count(*) FROM projects").fetchone()
            rows = sql.execute("SELECT id FROM projects ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset)).fetchall()
            return count, [_project(sql, project) for (project,) in rows]

    def register_images(self, project: int, keys: Sequence[str], *, most: int, all_or_none: bool) -> Registration:
        """Registers keys that an object has. With `all_or_none`, one unknown key keeps all from being registered.

        Raises TooManyImages when the project would have more than `most`; then none is registered.
        """
        with self._database.transaction() as sql:
            known = {key: self._is_known(sql, project, key) for key in keys}
            unknown = tuple(key for key, is_known in known.items() if not is_known)
            if unknown and all_or_none:
                return Registration(0, unknown)
            rows = [(project, key) for key, is_known in known.items() if is_known]
            before = _project(sql, project).images
            sql.executemany("INSERT OR IGNORE INTO images VALUES (?, ?)", rows)
            after = _project(sql, project).images
            if after > most:
                raise TooManyImages
            return Registration(after - before, unknown)

    def images(self, project: int) -> list[str]:
        """The keys of the registered images, in their order."""
        with self._database.turn() as sql:
            return [key for (key,) in sql.execute("SELECT key FROM images WHERE project = ? ORDER BY key", (project,))]

    def register_extra(self, project: int, key: str) -> bool:
        """False where no object has the key."""
        with self._database.transaction() as sql:
            known = self._is_known(sql, project, key)
            if known:
                sql.execute("INSERT OR IGNORE INTO extras VALUES (?, ?)", (project, key))
            return known

    def register_result(self, project: int, key: str, result_type: str) -> bool:
        """False where no object has the key.

        A second result of a type replaces the first (PIX4D, "Upload results"); a mesh alone consists of several
        files of one type.
        """
        with self._database.transaction() as sql:
            known = self._is_known(sql, project, key)
            if known and "mesh" not in result_type:
                sql.execute("DELETE FROM results WHERE project = ? AND result_type = ?", (project, result_type))
            if known:
                sql.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (project, key, result_type))
            return known

    def results(self, project: int) -> list[KeptResult]:
        with self._database.turn() as sql:
            rows = sql.execute("SELECT key, result_type FROM results WHERE project = ? ORDER BY key", (project,))
            return [KeptResult(*row) for row in rows]

    def start(self, project: int, seconds: float) -> Start:
        """Starts processing, also when that was done before: whoever asks twice gets it twice."""
        start = Start(self._now(), seconds)
        with self._database.transaction() as sql:
            sql.execute(
                "UPDATE projects SET starts = starts + 1, started = ?, processing_seconds = ? WHERE id = ?",
                (start.at, seconds, project),
            )
        return start

    def _is_known(self, sql: sqlite3.Connection, project: int, key: str) -> bool:
        if not key.startswith(prefix_of(project) + "/"):
            return False
        return not self._objects_are_here or bool(sql.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone())


def _project(sql: sqlite3.Connection, project: int) -> KeptProject:
    """Raises LookupError."""
    row = sql.execute(
        "SELECT name, created, started, processing_seconds,"
        " (SELECT count(*) FROM images WHERE project = projects.id),"
        " (SELECT count(*) FROM results WHERE project = projects.id)"
        " FROM projects WHERE id = ?",
        (project,),
    ).fetchone()
    if row is None:
        raise LookupError(project)
    name, created, started, seconds, images, results = row
    start = None if started is None else Start(started, seconds)
    return KeptProject(project, name, created, images, results, start)


# -------------------------------------------------------------------- looking into a root, served or not, from outside


def starts(root: Path, project: int) -> int:
    """How often processing of a project was started."""
    with closing(_reading(root)) as sql:
        row = sql.execute("SELECT starts FROM projects WHERE id = ?", (project,)).fetchone()
    return row[0] if row else 0


def registered_images(root: Path, project: int) -> list[str]:
    """Keys of the images that a project knows, in their order."""
    with closing(_reading(root)) as sql:
        return [key for (key,) in sql.execute("SELECT key FROM images WHERE project = ? ORDER BY key", (project,))]


def _reading(root: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{_quoted(root / FILE_NAME)}?mode=ro", uri=True)


def _quoted(path: Path) -> str:
    return "".join(f"%{byte:02x}" for byte in os.fsencode(path.absolute()))

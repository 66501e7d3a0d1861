"""The actual state of journal and cloud, read from their files, to check what the program reports."""

from __future__ import annotations

import contextlib
import hashlib
import math
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.local_cloud.storage.names import BUCKET

Digest = bytes
"""SHA-256 of a content."""


@dataclass(frozen=True, slots=True)
class JournalClaims:
    """Claims of a journal."""

    uploaded: frozenset[str] = frozenset()
    """Object names."""
    unfinished_bodies: tuple[int, ...] = ()
    """Sizes of the bodies (files or parts) that were being sent or were next, largest first."""


@dataclass(frozen=True, slots=True)
class CloudContents:
    """Contents of a cloud, all projects together."""

    objects: Mapping[str, Path]
    """By key, with the prefix of the project."""
    images: Mapping[str, Path]
    """The registered objects."""
    dangling: frozenset[str]
    """Registered keys without an object."""
    projects: int
    starts: int
    """How many times processing was started."""


def digest(path: Path) -> Digest:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def journal_claims(journal: Path) -> JournalClaims:
    """Read from a copy, so that the journal stays as the engine left it."""
    with _copied(journal) as copy, contextlib.closing(sqlite3.connect(copy)) as sql:
        if not sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone():
            return JournalClaims()
        names = frozenset(name for (name,) in sql.execute("SELECT object FROM files WHERE stage = 'registered'"))
        sending = sql.execute(
            "SELECT size, COALESCE(part_size, size), (SELECT COUNT(*) FROM parts WHERE file = files.id) FROM files"
            " WHERE stage = 'sending'"
        ).fetchall()
    bodies = [body for size, body, sent in sending for _ in range(math.ceil(size / max(1, body)) - sent)]
    return JournalClaims(names, tuple(sorted(bodies, reverse=True)))


def cloud_contents(root: Path) -> CloudContents:
    """The contents of a cloud, running or not."""
    bucket = root / "objects" / BUCKET
    objects = {path.relative_to(bucket).as_posix(): path for path in bucket.rglob("*") if path.is_file()}
    with contextlib.closing(sqlite3.connect(f"file:{root}/local-cloud.sqlite?mode=ro", uri=True)) as sql:
        keys = {key for (key,) in sql.execute("SELECT key FROM images")}
        projects, starts = sql.execute("SELECT COUNT(*), COALESCE(SUM(starts), 0) FROM projects").fetchone()
    images = {key: path for key, path in objects.items() if key in keys}
    return CloudContents(objects, images, frozenset(keys - objects.keys()), projects, starts)


@contextmanager
def _copied(journal: Path) -> Iterator[Path]:
    folder = journal.parent / "copy"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for name in (journal.name, journal.name + "-wal"):
            if (journal.parent / name).exists():
                shutil.copyfile(journal.parent / name, folder / name)
        yield folder / journal.name
    finally:
        shutil.rmtree(folder)

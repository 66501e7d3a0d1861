"""Shorthands for tests of the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import deduplication, files, projects, stored_files, uploads, walked
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.files import Proof
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileEvent, FileStage

T = TypeVar("T")


def candidate(path: str, size: int = 100, mtime_ns: int = 1, inode: int = 1, *, mount: str = "disk") -> Candidate:
    """Return a file on a disk whose change times are reliable."""
    return Candidate(path, size, mtime_ns, inode, ctime_ns=1, mount=mount)


def content(letter: str) -> str:
    """Return an identity."""
    return letter * 32


class JournalHarness:
    """A journal with one project and one upload, and shorthands for the journal's functions."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.project = 0
        self.upload = 0

    async def begin(self) -> None:
        self.project = await self.write(lambda c: projects.add_project(c, "id@cloud", "Quarry", ProjectKind.IMAGES))
        self.upload = await self.write(lambda c: uploads.add_sources(c, self.project, ["/card"], True, 0.0))

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        return await self.journal.write(change)

    async def find(self, *found: Candidate) -> None:
        await self.write(lambda c: walked.add_candidates(c, self.upload, self.project, found))

    async def row(self, path: str) -> FileRecord:
        def latest(connection: sqlite3.Connection) -> FileRecord:
            found = connection.execute("SELECT * FROM files WHERE path = ? ORDER BY id DESC", (path.encode(),))
            return FileRecord.of(found.fetchone())

        return await self.journal.read(latest)

    async def check(self, path: str, identity: str) -> FileRecord:
        row = await self.row(path)
        await self.write(lambda c: deduplication.settle_check(c, row.id, row.candidate, Content(identity, 7)))
        return await self.row(path)

    async def send(self, path: str, *, register: bool = True) -> FileRecord:
        row = await self.row(path)
        assert await self.write(lambda c: files.pick(c, row.id)) is not None
        await self.write(lambda c: stored_files.mark_stored(c, row.id, "etag", Proof.CRC32, 0.5))
        if register:
            await self.write(lambda c: stored_files.register(c, [row.id], 1.0))
        return await self.row(path)

    async def upload_file(self, path: str, identity: str, size: int = 100) -> FileRecord:
        await self.find(candidate(path, size))
        await self.check(path, identity)
        return await self.send(path)

    async def happen(self, path: str, event: FileEvent) -> FileStage:
        row = await self.row(path)
        return await self.write(lambda c: files.move(c, row.id, event))

"""What front ends ask of the engine, and never change by asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tui_uploader.engine.journal.tables import positions, uploads, windows
from tui_uploader.engine.sources.photo import photo_facts
from tui_uploader.engine.status.view import View
from tui_uploader.engine.supervisor import Supervisor
from tui_uploader.errors import UsageError
from tui_uploader.model import (
    Account,
    Bandwidth,
    EngineStatus,
    FileQuery,
    FileWindow,
    IdRun,
    PhotoFacts,
    Positions,
    Project,
    ProjectKind,
    Skipped,
    UploadStatus,
)

_SHORTEST_INTERVAL = 0.25
_LARGEST_WINDOW = 2000


class Queries:
    """Raises errors of `errors` and nothing else."""

    def __init__(self, supervisor: Supervisor, view: View) -> None:
        self._supervisor = supervisor
        self._context = supervisor.context
        self._view = view

    def status(self) -> EngineStatus:
        return self._view.engine()

    async def changes(self) -> AsyncIterator[EngineStatus]:
        """The status now, and again whenever it changed, at most four times a second."""
        with self._context.notifier.watching() as changed:
            last: EngineStatus | None = None
            while True:
                changed.clear()
                status = self.status()
                if status != last:
                    yield status
                    last = status
                await asyncio.sleep(_SHORTEST_INTERVAL)
                if not self._context.progress.running:
                    await changed.wait()

    @property
    def busy(self) -> bool:
        """There is work that the engine does or waits to do; False lets an idle engine leave."""
        summary = self._context.summary
        return any(summary.busy(upload) for upload in summary.uploads) or any(
            self._supervisor.processing.wants_attention(project) for project in summary.projects.values()
        )

    async def upload(self, upload: int) -> UploadStatus:
        return self._view.upload(upload)

    async def skipped(self, upload: int) -> tuple[Skipped, ...]:
        return await self._context.journal.read(lambda connection: uploads.skipped(connection, upload))

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        if query.offset < 0 or not 0 < query.limit <= _LARGEST_WINDOW:
            raise UsageError(
                f"A window of files has 1 to {_LARGEST_WINDOW:,} rows and does not begin before the first."
            )
        total, rows, originals = await self._context.journal.read(
            lambda connection: windows.window(connection, upload, query)
        )
        return FileWindow(total, query.offset, self._view.files(rows, originals))

    async def file_runs(self, upload: int, query: FileQuery) -> tuple[IdRun, ...]:
        """All files that match, whatever the window of `query`."""
        return await self._context.journal.read(lambda connection: windows.matching_runs(connection, upload, query))

    async def positions(self, upload: int, file: int | None = None) -> Positions:
        """Where the images of the upload were taken, and `file` of it in particular."""
        return await self._context.journal.read(lambda connection: positions.positions(connection, upload, file))

    async def photo_facts(self, upload: int, file: int) -> PhotoFacts:
        """Facts that an image states about its photo, read from its card now.

        Raises NoSuchFile; SourceVanished, SourceUnreadable, SourceRefused or SourceChanged when there are none.
        """
        row = await self._context.journal.read(lambda connection: windows.file_of(connection, upload, file))
        return await photo_facts(self._context, row)

    async def projects(self) -> tuple[Project, ...]:
        """Those of this machine and, where the service lists them, the account's others."""
        return self._view.projects() + await self._supervisor.projects.others()

    async def project(self, project: str) -> Project:
        """By id, or by name where that is unique."""
        found = await self._supervisor.projects.meant(project, None, ProjectKind.IMAGES)
        return self._view.project(found)

    async def accounts(self) -> tuple[Account, ...]:
        return tuple(signed_in.account for signed_in in self._context.accounts.all)

    async def bandwidth(self) -> Bandwidth:
        return self._context.governor.state

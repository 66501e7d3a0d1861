"""Verifications of memory cards, as an attribute of the client: `engine.verifications.start(…)`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec.structs import replace

from tui_uploader.model.projects import Target
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import (
    Finding,
    VerificationRequest,
    VerificationStatus,
    VerifiedFile,
    VerifiedFiles,
    VerifiedFolder,
)
from tui_uploader.service.clients.paths import absolute
from tui_uploader.service.connection import CLOUD_PATIENCE, EngineConnection
from tui_uploader.service.protocol import MissingFilesRequest

_WINDOW = 1000
"""Files per request."""


class VerificationsClient:
    """Every method raises only errors of `errors`; NoSuchVerification for a number that is not kept (any more)."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection

    async def start(self, request: VerificationRequest) -> VerificationStatus:
        """Start to read everything below the paths. Returns the one of the same paths and project that runs already.

        Raises UsageError, NoSuchProject.
        """
        own = replace(request, paths=absolute(request.paths))
        return await self._connection.post("/v1/verifications", VerificationStatus, own, patience=CLOUD_PATIENCE)

    async def list(self) -> tuple[VerificationStatus, ...]:
        """Those that run, and the newest of each set of paths, by number."""
        return await self._connection.get("/v1/verifications", tuple[VerificationStatus, ...])

    async def status(self, verification: int) -> VerificationStatus:
        return await self._connection.get(f"/v1/verifications/{verification}", VerificationStatus)

    async def folders(self, verification: int) -> tuple[VerifiedFolder, ...]:
        """The folders that have files, by path; while it runs, as far as they are compared."""
        return await self._connection.get(f"/v1/verifications/{verification}/folders", tuple[VerifiedFolder, ...])

    async def files(
        self,
        verification: int,
        *,
        finding: Finding | None = None,
        folder: str | None = None,
        offset: int = 0,
        limit: int = 200,
    ) -> VerifiedFiles:
        """A window on its files by path, as far as they are compared. Raises UsageError for more than 2,000 files."""
        wanted = {"finding": finding, "folder": folder, "offset": str(offset), "limit": str(limit)}
        given = {name: str(value) for name, value in wanted.items() if value is not None}
        return await self._connection.get(f"/v1/verifications/{verification}/files", VerifiedFiles, given)

    async def each_file(self, verification: int, finding: Finding) -> AsyncIterator[VerifiedFile]:
        """All files with this finding, read in windows."""
        offset = 0
        while True:
            window = await self.files(verification, finding=finding, offset=offset, limit=_WINDOW)
            for file in window.files:
                yield file
            offset += len(window.files)
            if not window.files or offset >= window.total:
                return

    async def cancel(self, verification: int) -> VerificationStatus:
        """Stop a verification that runs; another one changes nothing."""
        return await self._connection.post(f"/v1/verifications/{verification}/cancel", VerificationStatus)

    async def upload_missing(self, verification: int, target: Target | None = None) -> UploadStatus:
        """Queue exactly the images that are missing. `target`: None: the project that has the others of the card.

        Raises UsageError where that is unclear, NotPossibleNow while it runs, NothingToUpload if none is missing, and
        as `EngineClient.add`.
        """
        return await self._connection.post(
            f"/v1/verifications/{verification}/upload",
            UploadStatus,
            MissingFilesRequest(target),
            patience=CLOUD_PATIENCE,
        )

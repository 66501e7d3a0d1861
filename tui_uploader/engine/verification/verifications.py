"""The interface of verifications: commands and questions of front ends and of watches."""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import verified
from tui_uploader.engine.pipeline.path_walk import absolute_paths
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.verification.missing import paths_of_missing
from tui_uploader.engine.verification.verdict import verdict_on_folder
from tui_uploader.engine.verification.verifier import Verifier
from tui_uploader.errors import NoSuchProject, NothingToUpload, NotPossibleNow, UsageError
from tui_uploader.model.projects import ExistingProject, ProjectKind, Target
from tui_uploader.model.uploads import AddRequest, UploadStatus
from tui_uploader.model.verification import (
    Finding,
    VerificationRequest,
    VerificationState,
    VerificationStatus,
    VerifiedFiles,
    VerifiedFolder,
)
from tui_uploader.text import printable

_LARGEST_WINDOW = 2000
_LARGEST_OFFSET = 2**62

Add = Callable[[AddRequest], Awaitable[UploadStatus]]


class Verifications:
    """Every method raises errors of `errors` and nothing else: NoSuchVerification for an unknown number."""

    def __init__(self, verifier: Verifier, journal: Journal, projects: Projects, add: Add) -> None:
        """`add` queues files."""
        self._verifier = verifier
        self._journal = journal
        self._projects = projects
        self._add = add

    async def start(self, request: VerificationRequest, watch: int | None = None) -> VerificationStatus:
        """Verify everything below the paths. Returns the one that runs if there is one of the same paths and project.

        Raises UsageError for paths that are not absolute, NoSuchProject for one that this machine does not know.
        """
        paths = _checked(request.paths)
        project = None
        if request.project is not None:
            project = await self._projects.known(ExistingProject(request.project), None, ProjectKind.IMAGES)
            if project is None:
                raise NoSuchProject(
                    f"This machine has not uploaded anything to a project {printable(request.project, 200)}. "
                    "`tui-uploader projects list` lists the projects."
                )
        return await self._verifier.start(paths, project, watch)

    def status(self, number: int) -> VerificationStatus:
        return self._verifier.status(number)

    def list(self) -> tuple[VerificationStatus, ...]:
        """Those that run, and the newest of each set of paths."""
        return self._verifier.shown()

    async def cancel(self, number: int) -> VerificationStatus:
        """End it without a verdict. One that has ended stays as it is."""
        return await self._verifier.cancel(number)

    async def folders(self, number: int) -> tuple[VerifiedFolder, ...]:
        """The verdict on the files directly in each folder, by path. While it runs: on those judged so far."""
        self.status(number)
        return await self._journal.read(lambda connection: _folders(connection, number))

    async def files(
        self,
        number: int,
        finding: Finding | None = None,
        folder: str | None = None,
        offset: int = 0,
        limit: int = _LARGEST_WINDOW,
    ) -> VerifiedFiles:
        """A window on the judged files, by path: with this finding, and directly in this folder."""
        self.status(number)
        if not 0 <= offset <= _LARGEST_OFFSET or not 0 < limit <= _LARGEST_WINDOW:
            raise UsageError(f"A window of files has 1 to {_LARGEST_WINDOW:,} rows, and an offset of 0 or more.")
        total, files = await self._journal.read(
            lambda connection: verified.window(connection, number, finding, folder, offset, limit)
        )
        return VerifiedFiles(total, offset, tuple(files))

    async def missing_paths(self, number: int) -> tuple[str, ...]:
        """Files and folders whose upload queues exactly the missing images."""
        paths = self.status(number).paths
        return await self._journal.read(lambda connection: paths_of_missing(verified.each(connection, number), paths))

    async def upload_missing(
        self, number: int, target: Target, *, account: str | None = None, auto_process: bool | None = None
    ) -> UploadStatus:
        """Queue exactly the images that are missing.

        Raises NotPossibleNow while it runs, NothingToUpload if none is missing, and as `UploadManager.add`.
        """
        if self.status(number).state is VerificationState.RUNNING:
            raise NotPossibleNow("The verification still runs: what is missing is known when it has ended.")
        paths = await self.missing_paths(number)
        if not paths:
            raise NothingToUpload("No image is missing: there is nothing to upload.")
        return await self._add(AddRequest(paths, target, auto_process=auto_process, account=account))


def _checked(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Absolute paths, each once. Raises UsageError."""
    if not paths or not all(paths):
        raise UsageError("Name at least one file or folder to verify.")
    absolute = absolute_paths(paths)
    if any("\0" in path for path in paths):
        raise UsageError("A path cannot contain a zero byte.")
    try:
        for path in paths:
            os.fsencode(path)
    except UnicodeEncodeError:
        raise UsageError("A path contains a character that no file name can have.") from None
    return absolute


def _folders(connection: sqlite3.Connection, number: int) -> tuple[VerifiedFolder, ...]:
    files: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = defaultdict(int)
    findings: dict[str, dict[Finding, int]] = defaultdict(lambda: defaultdict(int))
    for path, _, size, finding in verified.each(connection, number):
        folder = path.rpartition("/")[0] or "/"
        files[folder] += 1
        sizes[folder] += size
        findings[folder][finding] += 1
    return tuple(
        VerifiedFolder(
            path=folder,
            verdict=verdict_on_folder(found),
            files=files[folder],
            bytes=sizes[folder],
            findings={finding.value: number for finding, number in found.items()},
        )
        for folder, found in sorted(findings.items(), key=lambda item: os.fsencode(item[0]))
    )

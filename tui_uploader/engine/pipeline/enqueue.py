"""Puts files and folders into the queue of a project; what turns out to be nothing to upload is taken back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import sources, uploads
from tui_uploader.engine.pipeline.projects import Find, Projects
from tui_uploader.engine.pipeline.walk import Scanner
from tui_uploader.errors import EngineError, NothingToUpload, UnforeseenFailure, UploaderError, UsageError
from tui_uploader.intake.scan import check_paths
from tui_uploader.model import AddRequest, ExistingProject, NewProject, ProjectKind, Skipped
from tui_uploader.text import printable

_SCAN_PATIENCE = 2.0


class Adder:
    def __init__(self, context: EngineContext, projects: Projects, scanner: Scanner) -> None:
        self._context = context
        self._projects = projects
        self._scanner = scanner

    async def add(self, request: AddRequest) -> int:
        """The upload; returns when the folders have been walked, or after two seconds while that goes on.

        Raises NothingToUpload when there is nothing in them, NoSuchPath, SourceUnreadable; then nothing is kept.
        """
        paths = tuple(os.path.normpath(path) for path in request.paths)
        _check(request)
        await self._check_paths(paths)
        find_project = await self._project_for(request)
        auto = request.auto_process and request.kind is ProjectKind.IMAGES
        now = self._context.clocks.wall()
        upload = await self._context.journal.write(
            lambda connection: uploads.add_sources(connection, find_project(connection), paths, auto, now)
        )
        walks = {self._scanner.walk(upload, path) for path in paths}
        done, under_way = await asyncio.wait(walks, timeout=_SCAN_PATIENCE)
        if not under_way:
            failures = [failure for walk in done if not walk.cancelled() and (failure := walk.result())]
            await self._take_back_if_nothing(upload, paths, failures)
        return upload

    async def _check_paths(self, paths: Sequence[str]) -> None:
        """Raises NoSuchPath, SourceUnreadable. A card that does not answer is a matter of its walk."""
        sources = self._context.sources
        checks = [asyncio.create_task(sources.run(path, check_paths, (path,)), name="check-path") for path in paths]
        done, unanswered = await asyncio.wait(checks, timeout=_SCAN_PATIENCE)
        for check in unanswered:
            check.cancel()
        for failure in [check.exception() for check in checks if check in done]:
            if failure is not None:
                raise failure

    async def _project_for(self, request: AddRequest) -> Find:
        match request.target:
            case NewProject(name):
                return self._projects.new(name, request.account, request.kind)
            case ExistingProject(id_or_name):
                return await self._projects.finder(id_or_name, request.account, request.kind)

    async def _take_back_if_nothing(self, upload: int, paths: Sequence[str], failures: Sequence[UploaderError]) -> None:
        """`failures`: of the walks of these paths. Where others hold files, a failed one is told with the upload."""
        if any(isinstance(failure, UnforeseenFailure) for failure in failures):
            return  # it may pass: the walk is tried again, and the upload tells if it does not
        for failure in failures:
            if isinstance(failure, EngineError):
                raise failure
        skipped = await self._context.journal.read(lambda connection: uploads.skipped(connection, upload))

        def take_back(connection: sqlite3.Connection) -> bool:
            nothing = not sources.holds_any(connection, upload, paths)
            if nothing:
                uploads.withdraw_paths(connection, upload, paths)
            return nothing

        if await self._context.journal.write(take_back):
            raise failures[0] if failures else _nothing_in(paths, skipped)


def _check(request: AddRequest) -> None:
    """Raises UsageError."""
    if not request.paths:
        raise UsageError("Name at least one file or folder to upload.")
    if any(not Path(path).is_absolute() for path in request.paths):
        raise UsageError("The engine takes absolute paths only: it has another working folder than you.")


def _nothing_in(paths: Sequence[str], skipped: Sequence[Skipped]) -> NothingToUpload:
    where = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    looked_at = f" Passed over: {len(skipped)}, the first because: {skipped[0].reason}." if skipped else ""
    return NothingToUpload(f"There is nothing to upload in {printable(where)}.{looked_at}")

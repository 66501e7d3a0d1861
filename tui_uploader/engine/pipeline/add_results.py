"""Add processed results: look at them, ask what the user has to decide, and queue them in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import uploads, walked
from tui_uploader.engine.pipeline.path_walk import requested_paths
from tui_uploader.engine.pipeline.projects import Projects
from tui_uploader.engine.results.plan import Planned, Standing, check_agreed, plan
from tui_uploader.engine.results.queue import queue, queue_refused
from tui_uploader.engine.results.survey import Seen, Standings, look
from tui_uploader.errors import NothingToUpload, UsageError
from tui_uploader.intake.results.survey import RefusedResult
from tui_uploader.model.projects import ExistingProject, ProjectKind
from tui_uploader.model.results import ResultQuestion
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import AddRequest
from tui_uploader.text import printable


class ResultAdder:
    """Answers what the paths of a request hold, and queues them once everything is decided."""

    def __init__(self, context: EngineContext, projects: Projects) -> None:
        self._context = context
        self._projects = projects
        self.standings = Standings(context)

    async def survey(self, request: AddRequest) -> tuple[ResultQuestion, ...]:
        """The results in the paths, and what the user has to decide. Nothing is queued, or created at the service.

        Raises as `add`, but not for undecided questions.
        """
        seen, planned, _ = await self._planned(request, requested_paths(request))
        return (*(each.question for each in planned), *map(_refused, seen.refused))

    async def add(self, request: AddRequest, paths: Sequence[str]) -> tuple[int, int]:
        """Queue the results. Returns the numbers of the upload and of the addition.

        Raises Unsupported if the service takes no results; ResultTypeUnclear, ResultExists, CrsDiffers, UsageError for
        what the user has to decide; NothingToUpload, NoSuchPath, SourceError, what `Projects.for_upload` raises. Then
        nothing was queued.
        """
        seen, planned, standing = await self._planned(request, paths)
        if not planned:
            raise seen.refused[0].error if seen.refused else _nothing_in(seen)
        check_agreed(planned, standing, request, await self._name(request))
        find_project = await self._projects.for_upload(request.target, request.account, ProjectKind.RESULTS)
        now = self._context.clocks.wall()

        def create(connection: sqlite3.Connection) -> tuple[int, int]:
            project = find_project(connection)
            upload = uploads.add_sources(connection, project, seen.paths, False, now)
            addition = uploads.newest_addition(connection, upload)
            queue(connection, upload, project, planned, addition)
            queue_refused(connection, upload, project, seen.refused, addition)
            walked.add_skipped(connection, upload, ((each.path, each.reason) for each in seen.skipped))
            uploads.mark_scanned(connection, upload, seen.paths)
            return upload, addition

        return await self._context.journal.write(create)

    async def _planned(
        self, request: AddRequest, paths: Sequence[str]
    ) -> tuple[Seen, tuple[Planned, ...], tuple[Standing, ...]]:
        project = await self._projects.known(request.target, request.account, ProjectKind.RESULTS)
        if project is not None:
            row = self._context.summary.projects[project]
            images = self._context.summary.project_files(project, *FileStage)
            _check_kind(row.name, 0 if row.kind is ProjectKind.RESULTS else max(images, row.cloud_images or 0))
            await self.standings.check_taken(self._context.account_of(row), row.remote_id)
            seen = await look(self._context.sources, paths)
            standing = await self.standings.of(project, seen)
        else:
            signed_in = self._context.accounts.chosen(request.account)
            await self.standings.check_taken(signed_in, None)
            seen, standing = await look(self._context.sources, paths), ()
            if isinstance(request.target, ExistingProject):
                remote = await self._projects.remote(request.target.id_or_name, signed_in)
                _check_kind(remote.name, remote.images or 0)
                await self.standings.check_taken(signed_in, remote.id)
                standing = await self.standings.elsewhere(signed_in, remote.id)
        return seen, plan(seen.results, standing, request.result_type), standing

    async def _name(self, request: AddRequest) -> str:
        target = request.target
        if not isinstance(target, ExistingProject):
            return target.name
        known = await self._projects.known(target, request.account, ProjectKind.RESULTS)
        return target.id_or_name if known is None else self._context.summary.projects[known].name


def _check_kind(name: str, images: int) -> None:
    """A project has images or results. Raises UsageError."""
    if images:
        raise UsageError(
            f"{printable(name)} is a project of images (it has {images:,}). Results need a project of their own: name "
            "another one, or create one with --new. Nothing was queued."
        )


def _refused(refused: RefusedResult) -> ResultQuestion:
    return ResultQuestion(refused.main.path, refused.main.size, None, refusal=str(refused.error))


def _nothing_in(seen: Seen) -> NothingToUpload:
    where = seen.paths[0] if len(seen.paths) == 1 else f"{seen.paths[0]} and {len(seen.paths) - 1} more"
    skipped = seen.skipped
    reason = f" Skipped: {len(skipped)}, the first because: {skipped[0].reason}." if skipped else ""
    return NothingToUpload(f"There are no results in {printable(where)}.{reason}")

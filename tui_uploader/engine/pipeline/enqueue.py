"""Put files and folders into the queue of a project: walk to the first files, then write everything at once.

The paths are walked before anything is written, so a request in which there is nothing to upload leaves no trace. It
takes one transaction to create the project, the upload and its first files. The rest of a large folder is walked, and
written, while those are already being uploaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import commands, sources, uploads
from tui_uploader.engine.pipeline.add_results import ResultAdder
from tui_uploader.engine.pipeline.image_limit import correct_image_limits
from tui_uploader.engine.pipeline.path_walk import PathWalk, requested_paths
from tui_uploader.engine.pipeline.projects import FindProject, Projects
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.pipeline.walk import Walker, write_batch
from tui_uploader.errors import (
    EngineError,
    NoSuchPath,
    NothingToUpload,
    SourceUnreadable,
    SourceVanished,
    UnforeseenFailure,
    UploaderError,
)
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.uploads import AddRequest, UndoneAddition
from tui_uploader.text import printable

log = logging.getLogger(__name__)

_WALK_SECONDS = 2.0
"""How long a request waits for files to be found, and then for the walk of its paths to end."""


@dataclass(frozen=True, slots=True)
class _Paths:
    """Paths that were added to an upload."""

    added: Sequence[str] = ()
    unscanned: frozenset[str] = frozenset()
    """Those whose walk has not come to its end: the upload waits for them."""


@dataclass(frozen=True, slots=True)
class Added:
    """Files that were added to an upload."""

    upload: int
    addition: int
    """For `undo_addition`."""


class Enqueuer:
    """Adds files to the queue, and takes an addition back."""

    def __init__(self, context: EngineContext, projects: Projects, walker: Walker) -> None:
        self._context = context
        self._projects = projects
        self._walker = walker
        self.results = ResultAdder(context, projects)

    async def add(self, request: AddRequest) -> Added:
        """Return once the paths are walked, or after a few seconds while they are.

        Raises NothingToUpload, NoSuchPath and SourceUnreadable, what `Projects.for_upload` raises, and for results what
        `ResultAdder.add` raises; then nothing was written.
        """
        paths = requested_paths(request)
        known = await self._projects.known(request.target, request.account, request.kind)
        kind = request.kind if known is None else self._context.summary.projects[known].kind
        if ProjectKind.RESULTS in (request.kind, kind):
            return Added(*await self.results.add(request, paths))
        before = await self._paths_before(known)
        walks = [self._walker.begin(path, kind, (*before.added, *paths)) for path in paths]
        try:
            nothing = await self._find_first(walks)
            project = await self._projects.for_upload(request.target, request.account, request.kind)
            if nothing is not None and before.unscanned.isdisjoint(walk.path for walk in walks):
                raise nothing
            added = await self._write(request, project, walks)
        except BaseException:
            for walk in walks:
                walk.close()
            raise
        under_way = {self._walker.continue_for(added.upload, walk) for walk in walks}
        done, _ = await asyncio.wait(under_way, timeout=_WALK_SECONDS)
        for failure in [walk.result() for walk in done if not walk.cancelled()]:
            if isinstance(failure, EngineError) and not isinstance(failure, UnforeseenFailure):
                raise failure
        return added

    async def _paths_before(self, project: int | None) -> _Paths:
        """Paths of the open upload of the project."""
        if project is None:
            return _Paths()

        def paths(connection: sqlite3.Connection) -> _Paths:
            upload = uploads.open_upload(connection, project)
            if upload is None:
                return _Paths()
            return _Paths(sources.added(connection, upload), frozenset(sources.unscanned(connection, upload)))

        return await self._context.journal.read(paths)

    async def _find_first(self, walks: Sequence[PathWalk]) -> UploaderError | None:
        """Walk each path until a file is found. A card that does not respond is left to its walk.

        Returns the error for a request without any file. Raises NoSuchPath, SourceUnreadable.
        """
        searches = [asyncio.create_task(walk.find_first(), name="find-first") for walk in walks]
        try:
            done, _ = await asyncio.wait(searches, timeout=_WALK_SECONDS)
        finally:
            for search in searches:
                search.cancel()
        failures = [failure for search in searches if search in done and (failure := search.exception())]
        for failure in failures:
            _raise_if_final(failure)
        for walk in walks:
            if ".." in PurePosixPath(walk.path).parts:  # where it leads is unknown without the card
                raise SourceUnreadable(
                    f"Cannot resolve {printable(walk.path)}: its card, disk or network folder does not respond. "
                    "Nothing was queued. Use the path without `..`, or run the command again when the card responds."
                )
        vanished = [failure for failure in failures if isinstance(failure, SourceVanished)]
        if len(done) < len(walks) or any(walk.found_files for walk in walks) or len(vanished) < len(failures):
            return None  # an unforeseen failure may pass: its walk is repeated
        return vanished[0] if vanished else _nothing_in(walks)

    async def _write(self, request: AddRequest, find_project: FindProject, walks: Sequence[PathWalk]) -> Added:
        now = self._context.clocks.wall()
        paths = [walk.path for walk in walks]

        def create(connection: sqlite3.Connection) -> tuple[int, Added]:
            project = find_project(connection)
            upload = uploads.add_sources(connection, project, paths, request.auto_process, now)
            return project, Added(upload, uploads.newest_addition(connection, upload))

        def create_with_files(connection: sqlite3.Connection) -> Added:
            project, added = create(connection)
            for walk in answered:
                sources.begin_walk(connection, added.upload, walk.path)
                for batch in walk.batches:
                    write_batch(connection, batch, added.upload, walk.path, project)
            return added

        answered = [walk for walk in walks if walk.batches or walk.ended]
        with contextlib.suppress(UnforeseenFailure):
            added = await self._context.journal.write(create_with_files)
            for walk in answered:
                walk.in_journal = True
                walk.batches.clear()
            return added
        # The journal cannot hold one of the files: its walk will find out which, and skip it.
        return (await self._context.journal.write(create))[1]

    async def undo(self, addition: int, sender: Sender) -> UndoneAddition:
        """Take out what an addition brought into the queue and was not sent yet. Raises NotPossibleNow."""

        def undo(connection: sqlite3.Connection) -> commands.UndoneFiles:
            undone = commands.undo_addition(connection, addition, self._context.clocks.wall())
            correct_image_limits(connection, undone.upload)
            return undone

        removed = 0
        while True:
            undone = await self._context.journal.write(undo)
            removed += undone.removed
            await self._walker.stop(undone.upload, undone.paths)
            if not undone.sending:
                return UndoneAddition(undone.upload, removed, undone.kept)
            await sender.stop(undone.upload, undone.sending)


def _raise_if_final(failure: BaseException) -> None:
    """Raise a failure that a repeated walk would meet again, or that concerns all walks."""
    if isinstance(failure, SourceUnreadable) and isinstance(failure.__cause__, PermissionError):
        raise NoSuchPath(str(failure)) from failure  # a mistake in the command, like a wrong path
    if isinstance(failure, (NoSuchPath, SourceUnreadable)):
        raise failure
    if isinstance(failure, EngineError) and not isinstance(failure, UnforeseenFailure):
        raise failure
    if not isinstance(failure, (SourceVanished, UnforeseenFailure)):
        log.error("Unexpected error while looking for files", exc_info=failure)


def _nothing_in(walks: Sequence[PathWalk]) -> NothingToUpload:
    where = walks[0].path if len(walks) == 1 else f"{walks[0].path} and {len(walks) - 1} more"
    skipped = [entry for walk in walks for batch in walk.batches for entry in batch.skipped]
    reason = f" Skipped: {len(skipped)}, the first because: {skipped[0].reason}." if skipped else ""
    return NothingToUpload(f"There is nothing to upload in {printable(where)}.{reason}")

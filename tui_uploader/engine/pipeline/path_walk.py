"""The paths of a request, and the walk of one: finds files batch by batch, and recognises those that were read before.

Writes nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import known_contents
from tui_uploader.engine.sources.recognise import Recognised, recognise
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import UsageError
from tui_uploader.intake.scan import Candidate, ScanBatch, named_path, scan
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.uploads import AddRequest, Skipped


@dataclass(frozen=True, slots=True)
class WalkedBatch:
    """A batch of a walk, in the order of the walk."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    recognised: Recognised


class PathWalk:
    """Advances one batch at a time, in threads of the path's file system."""

    def __init__(
        self, path: str, kind: ProjectKind, named: Sequence[str], threads: SourceThreads, journal: Journal
    ) -> None:
        self.path = path
        """Absolute; once the path has answered, without `..`."""
        self.batches: list[WalkedBatch] = []
        """Found, and not yet written to the journal."""
        self.found_files = False
        self.ended = False
        self.in_journal = False
        """The journal knows that this walk has begun."""
        self._kind = kind
        self._named = named
        self._threads = threads
        self._journal = journal
        self._scan: Iterator[ScanBatch] | None = None
        self._finding: asyncio.Task[WalkedBatch | None] | None = None

    async def find_first(self) -> None:
        """Advance until a file is found, or to the end. Raises as `advance`."""
        while not self.found_files and not self.ended:
            await self.advance()

    async def advance(self) -> None:
        """Find the next batch, or the end. If it is cancelled, the next call waits for the same batch.

        Raises NoSuchPath and SourceUnreadable at the beginning, SourceVanished; then the next call starts over.
        """
        if self._finding is None:
            self._finding = asyncio.create_task(self._next_batch(), name="walk")
        await asyncio.wait({self._finding})
        finding, self._finding = self._finding, None
        try:
            batch = finding.result()
        except BaseException:
            self._scan = None
            raise
        if batch is None:
            self.ended = True
        else:
            self.batches.append(batch)
            self.found_files = self.found_files or bool(batch.candidates)

    def close(self) -> None:
        """Abandon a call that has not answered."""
        if self._finding is not None:
            self._finding.cancel()
            self._finding.add_done_callback(lambda finding: finding.cancelled() or finding.exception())

    async def _next_batch(self) -> WalkedBatch | None:
        batch = await self._threads.run(self.path, self._scan_on)
        if batch is None:
            return None
        where = [candidate.path for candidate in batch.candidates]
        known = await self._journal.read(partial(known_contents.find_all, paths=where))
        recognised = await self._threads.run(self.path, recognise, batch.candidates, known)
        return WalkedBatch(recognised.candidates, batch.skipped, recognised)

    def _scan_on(self) -> ScanBatch | None:
        """The next batch. Blocking: for a thread."""
        if self._scan is None:
            self.path = named_path(self.path)
            self._scan = scan([self.path], self._kind, named=self._named)
        return next(self._scan, None)


def requested_paths(request: AddRequest) -> tuple[str, ...]:
    """The paths of the request. Raises UsageError."""
    if not request.paths:
        raise UsageError("Name at least one file or folder to upload.")
    return absolute_paths(request.paths)


def absolute_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths, each once, without `.` and empty steps; an empty path stays. Raises UsageError for relative ones."""
    if any(path and not path.startswith("/") for path in paths):
        raise UsageError("The engine takes only absolute paths: its working folder is not yours.")
    return tuple(dict.fromkeys(_tidied(path) for path in paths))


def _tidied(path: str) -> str:
    """Without `.` and empty steps. Where `..` leads is known only to the file system."""
    return os.path.normpath(path) if path and ".." not in PurePosixPath(path).parts else path

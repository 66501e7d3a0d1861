"""Adds the new files of a watched folder to the upload of its card.

Files that the upload knows are told by their size and time while the card stays mounted. When it was mounted anew,
they are compared with the journal, and where that proves nothing, by samples (see `sources.recognise`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import known_contents, sources, uploads, watches
from tui_uploader.engine.pipeline.path_walk import WalkedBatch
from tui_uploader.engine.pipeline.walk import end_walk, write_batch
from tui_uploader.engine.sources.recognise import Recognised, recognise
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.watches.listing import FolderListing, ListedFiles, facts_key
from tui_uploader.engine.watches.rest import SeenFile, at_rest, seen
from tui_uploader.errors import SourceVanished
from tui_uploader.intake.comparison import was_modified
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.states import UploadState
from tui_uploader.text import printable


def new_files(recognised: Recognised, rows: Mapping[str, FileRecord], held: Collection[str]) -> tuple[Candidate, ...]:
    """The files that are to be added: pure.

    `rows`: the newest row of the project at each path, whatever became of it: what the user removed, and what failed,
    is left as it is. `held`: contents that the project has or will get.
    """

    def is_new(found: Candidate) -> bool:
        row, identity = rows.get(found.path), recognised.identities.get(found.path)
        if row is not None and found.path not in recognised.replaced:
            unread = row.identity is None and not was_modified(row.candidate, found)
            if unread or (identity is not None and identity == row.identity):
                return False
        return identity is None or identity not in held

    return tuple(found for found in recognised.candidates if is_new(found))


def sorted_by_rest(
    candidates: Sequence[Candidate], before: Mapping[str, SeenFile], context: EngineContext
) -> tuple[tuple[Candidate, ...], dict[str, SeenFile]]:
    """The files that can be added now, and what to remember of the others. `before`: as remembered at the last look."""
    unfinished, now = context.unfinished, context.clocks.monotonic()
    calm, busy = [], {}
    for found in candidates:
        earlier, young = before.get(found.path), unfinished.is_young(found)
        if at_rest(earlier, found, young=young, now=now, unchanged=unfinished.unchanged_seconds):
            calm.append(found)
        else:
            busy[found.path] = seen(earlier, found, now)
    return tuple(calm), busy


@dataclass(slots=True)
class Progress:
    """What the watch knows of the files of the card that is there. In memory only."""

    seen: set[int]
    """Keys of files that are dealt with, see `facts_key`."""
    restless: dict[str, SeenFile]
    """Files that were written to a moment ago, by path."""

    @classmethod
    def none(cls) -> Progress:
        return cls(set(), {})


class FileAdder:
    """Looks for new files in one folder."""

    def __init__(self, context: EngineContext, threads: SourceThreads, path: str) -> None:
        self._context = context
        self._threads = threads
        self._path = path

    async def add_new(self, upload: int, progress: Progress, still_there: Callable[[], bool]) -> int:
        """Add what is new, and return the number of files. An upload that is `unscanned` is listed to its end.

        `still_there`: whether the card is the one that the upload is of. Raises SourceVanished, SourceUnreadable, and
        errors of the journal; what was added stays.
        """
        before = self._context.summary.upload(upload)
        whole = before is not None and bool(before.unscanned)
        if whole:
            await self._context.journal.write(partial(_begin, upload, self._path))
        listing = FolderListing(self._path, progress.seen)
        restless: dict[str, SeenFile] = {}
        added = 0
        while (listed := await self._threads.run(self._path, listing.next_batch)) is not None:
            calm, busy = sorted_by_rest(listed.candidates, progress.restless, self._context)
            restless |= busy
            batch = await self._new_of(upload, replace(listed, candidates=calm))
            if not still_there():
                raise SourceVanished(f"{printable(self._path)} was disconnected while it was read.")
            if batch.candidates or (whole and batch.skipped):
                await self._context.journal.write(partial(_write, upload, self._path, batch))
                added += len(batch.candidates)
            progress.seen.update(facts_key(each) for each in calm)
        if not still_there():
            raise SourceVanished(f"{printable(self._path)} was disconnected while it was read.")
        progress.restless = restless
        await self._context.journal.write(partial(_end, upload, self._path))
        return added

    async def _new_of(self, upload: int, listed: ListedFiles) -> WalkedBatch:
        """Those of the files that the project does not have."""
        project = self._project_of(upload)
        paths = [found.path for found in listed.candidates]
        known = await self._context.journal.read(partial(known_contents.find_all, paths=paths))
        recognised = await self._threads.run(self._path, recognise, listed.candidates, known)

        def look_up(connection: sqlite3.Connection) -> tuple[dict[str, FileRecord], set[str]]:
            identities = set(recognised.identities.values())
            return watches.rows_at(connection, project, paths), watches.contents_held(connection, project, identities)

        rows, held = await self._context.journal.read(look_up)
        return WalkedBatch(new_files(recognised, rows, held), listed.skipped, recognised)

    def _project_of(self, upload: int) -> int:
        found = self._context.summary.upload(upload)
        assert found is not None, "an upload with files stays"
        return found.project


def _begin(upload: int, path: str, connection: sqlite3.Connection) -> None:
    sources.begin_walk(connection, upload, path)


def _write(upload: int, path: str, batch: WalkedBatch, connection: sqlite3.Connection) -> None:
    """Add the files, within an addition that begins now or has begun."""
    found = uploads.upload(connection, upload)
    if found.state is UploadState.CANCELLED:
        return
    wanted, _ = sources.walked_for(connection, upload, path)
    if not wanted:
        uploads.add_paths(connection, upload, [path])
    write_batch(connection, batch, upload, path, found.project)


def _end(upload: int, path: str, connection: sqlite3.Connection) -> None:
    wanted, _ = sources.walked_for(connection, upload, path)
    if wanted:
        end_walk(connection, upload, path, found=True)

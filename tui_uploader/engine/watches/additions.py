"""Adds the new files of a watched folder to the upload of its card.

Files that the upload knows are told by their size and time while the card stays mounted. When it was mounted anew,
they are compared with the journal, and where that proves nothing, by samples (see `sources.recognise`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.journal.tables import known_contents, sources, uploads, watches
from tui_uploader.engine.journal.tables.watches import CardRecord, WatchRecord
from tui_uploader.engine.pipeline.path_walk import WalkedBatch
from tui_uploader.engine.pipeline.walk import end_walk, write_batch
from tui_uploader.engine.sources.recognise import Recognised, recognise
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.watches.listing import FolderListing, ListedFiles, facts_key
from tui_uploader.engine.watches.rest import SeenFile, at_rest, seen
from tui_uploader.errors import SourceVanished
from tui_uploader.intake.comparison import was_modified
from tui_uploader.intake.scan import Candidate
from tui_uploader.text import printable

_LOOKS = 3
"""Looks at files that are not at rest for which their upload stays open, however short its quiet period is."""
_HANGS_AFTER = 60.0
"""Seconds without a single batch: the largest folder of a slow card takes less."""

StillThere = Callable[[], Awaitable[bool]]
"""Whether the card is there that was."""


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

    def __init__(self, context: EngineContext, threads: SourceThreads, record: WatchRecord) -> None:
        self._context = context
        self._threads = threads
        self._record = record
        self._path = record.path

    async def add_new(self, card: CardRecord, progress: Progress, still_there: StillThere) -> int:
        """Add what is new to the upload of the card, and return the number of files.

        Raises SourceVanished, SourceUnreadable, and errors of the
        journal; what was added stays.
        """
        upload, quiet = card.upload, self._record.request.quiet_seconds
        whole = bool(self._upload(upload).unscanned)
        if whole:
            await self._context.journal.write(partial(_begin, upload, self._path))
        listing = FolderListing(self._path, progress.seen)
        restless: dict[str, SeenFile] = {}
        added = 0
        while (listed := await self._threads.run_within(_HANGS_AFTER, self._path, listing.next_batch)) is not None:
            calm, busy = sorted_by_rest(listed.candidates, progress.restless, self._context)
            restless |= busy
            batch = await self._new_of(upload, replace(listed, candidates=calm))
            if not await still_there():
                raise gone(self._path)
            if batch.candidates or (whole and batch.skipped):
                self._context.quiet.begin(upload, quiet)
                upload = await self._write(card.id, upload, batch)
                added += len(batch.candidates)
            progress.seen.update(facts_key(each) for each in calm)
        if not await still_there():
            raise gone(self._path)
        progress.restless = restless
        if restless:  # they are looked at again before the upload can be complete
            quiet = max(quiet, _LOOKS * self._context.unfinished.unchanged_seconds)
        if added or restless:
            self._context.quiet.begin(upload, quiet)
        await self._context.journal.write(partial(_end, upload, self._path))
        return added

    async def _write(self, card: int, upload: int, batch: WalkedBatch) -> int:
        """Add the files, within an addition that has begun or begins now. Returns the upload that they went to."""
        now = self._context.clocks.wall()

        def write(connection: sqlite3.Connection) -> int:
            found = uploads.upload(connection, upload)
            number = upload
            if found.past:  # the user has taken it off the list
                wish = None if self._record.request.auto_process else False
                number = uploads.add_upload(connection, found.project, [self._path], wish, now, self._record.id)
                watches.set_card(connection, card, upload=number)
            elif not sources.walked_for(connection, upload, self._path)[0]:
                uploads.add_paths(connection, upload, [self._path])
                connection.execute("UPDATE uploads SET watch = ? WHERE id = ?", (self._record.id, upload))
            write_batch(connection, batch, number, self._path, found.project)
            if batch.candidates:
                watches.set_card(connection, card, last_file_at=now, verification=None)
            return number

        return await self._context.journal.write(write)

    def _upload(self, number: int) -> UploadRecord:
        found = self._context.summary.upload(number)
        assert found is not None, "an upload with files stays"
        return found

    async def _new_of(self, upload: int, listed: ListedFiles) -> WalkedBatch:
        """Those of the files that the project does not have."""
        project = self._upload(upload).project
        paths = [found.path for found in listed.candidates]
        known = await self._context.journal.read(partial(known_contents.find_all, paths=paths))
        recognised = await self._threads.run(self._path, recognise, listed.candidates, known)

        def look_up(connection: sqlite3.Connection) -> tuple[dict[str, FileRecord], set[str]]:
            identities = set(recognised.identities.values())
            return watches.rows_at(connection, project, paths), watches.contents_held(connection, project, identities)

        rows, held = await self._context.journal.read(look_up)
        return WalkedBatch(new_files(recognised, rows, held), listed.skipped, recognised)


def _begin(upload: int, path: str, connection: sqlite3.Connection) -> None:
    sources.begin_walk(connection, upload, path)


def _end(upload: int, path: str, connection: sqlite3.Connection) -> None:
    wanted, _ = sources.walked_for(connection, upload, path)
    if wanted:
        end_walk(connection, upload, path, found=True)


def gone(path: str) -> SourceVanished:
    return SourceVanished(
        f"{printable(path)} was taken out before everything in it was found. Put it back in, and the upload continues."
    )

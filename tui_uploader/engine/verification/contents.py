"""Read all files of a verification, and compare their contents with what was uploaded.

Three parts run side by side: one fetches rows of the journal, some read files, and one compares what was read. What was
read is journaled before the storage is asked about it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import verified
from tui_uploader.engine.journal.tables.verified import Holder, Outcome, Totals, VerifiedRow
from tui_uploader.engine.verification.card_threads import CardThreads
from tui_uploader.engine.verification.card_walk import Root
from tui_uploader.engine.verification.judgement import Judgement, registered, undelivered
from tui_uploader.engine.verification.progress import Progress
from tui_uploader.engine.verification.reading import FileToRead, ReadCall, ReadFile, read_files
from tui_uploader.engine.verification.storage import StorageCheck
from tui_uploader.file_kinds import is_within
from tui_uploader.model.verification import CardFileKind, Finding

READERS = 3
"""Files that are read at the same time."""
_PAGE = 512
_FILES_A_CALL, _BYTES_A_CALL = 32, 64 << 20
_UNJUDGED = 64
"""Calls whose files may wait to be compared: files are read while the storage lists its objects."""
_GATHERING_SECONDS = 0.5
_ROUNDS = 4
"""How often files that are being written are looked at again."""
_STILL_WRITTEN = "is still being written: verify again once nothing writes to it"


@dataclass(frozen=True, slots=True)
class _Read:
    row: VerifiedRow
    outcome: ReadFile


class ContentCheck:
    """Of one run of a verification."""

    def __init__(
        self, context: EngineContext, progress: Progress, cards: CardThreads, roots: Sequence[Root], settle: float
    ) -> None:
        """`settle`: seconds since the newest change of a file, after which it is read."""
        self._context = context
        self._progress = progress
        self._number = progress.record.id
        self._only = progress.record.project
        self._cards = cards
        self._roots = roots
        self._settle = settle
        self._storage = StorageCheck(context)
        self._unread: asyncio.Queue[list[VerifiedRow] | None] = asyncio.Queue(2 * READERS)
        self._unjudged: asyncio.Queue[list[_Read] | None] = asyncio.Queue(_UNJUDGED)
        self._changing = 0

    async def run(self) -> None:
        """Give every file a finding. Raises SourceVanished or SourceUnreadable if a card is gone or hangs."""
        for turn in range(_ROUNDS):
            self._changing = 0
            await together(self._fetch(unread_only=turn > 0), self._read_all(), self._compare_all())
            if not self._changing:
                return
            await asyncio.sleep(self._settle)
        await self._context.journal.write(
            lambda connection: verified.give_up_unjudged(connection, self._number, _STILL_WRITTEN)
        )

    # -------------------------------------------------------------------------------------------------- fetching

    async def _fetch(self, *, unread_only: bool) -> None:
        after: str | None = None
        while True:
            page = partial(verified.unjudged, number=self._number, after=after, limit=_PAGE, unread_only=unread_only)
            rows = await self._context.journal.read(page)
            if not rows:
                break
            after = rows[-1].found.path
            known = [_Read(row, ReadFile(row.found, row.identity)) for row in rows if row.identity is not None]
            if known:
                self._progress.reused(len(known), sum(each.row.found.size for each in known))
                await self._unjudged.put(known)
            for chunk in _chunks([row for row in rows if row.identity is None]):
                await self._unread.put(chunk)
        for _ in range(READERS):
            await self._unread.put(None)

    # --------------------------------------------------------------------------------------------------- reading

    async def _read_all(self) -> None:
        await together(*(self._read_some() for _ in range(READERS)))
        await self._unjudged.put(None)

    async def _read_some(self) -> None:
        while (chunk := await self._unread.get()) is not None:
            self._cards.check_same_cards(self._roots)
            files = [FileToRead(row.found, self._real(row.found.path)) for row in chunk]
            call = ReadCall()
            self._progress.calls.add(call)
            try:
                work = partial(read_files, files, call, self._settle)
                outcomes = await self._cards.call_watched(files[0].found.path, call.moved, work)
            finally:
                call.stopped.set()
                self._progress.calls.discard(call)
            self._note(call, chunk, outcomes)
            settled = [_Read(row, each) for row, each in zip(chunk, outcomes, strict=True) if not each.changing]
            if any(each.outcome.reason is not None for each in settled):
                await self._cards.check_present(self._roots)
            if settled:
                await self._unjudged.put(settled)

    def _note(self, call: ReadCall, chunk: Sequence[VerifiedRow], outcomes: Sequence[ReadFile]) -> None:
        changing = sum(each.changing for each in outcomes)
        self._changing += changing
        self._progress.grew(
            sum(each.found.size - row.found.size for row, each in zip(chunk, outcomes, strict=True) if each.identity)
        )
        size = sum(each.found.size for each in outcomes if not each.changing)
        self._progress.read(call, len(outcomes) - changing, size)

    def _real(self, path: str) -> str:
        return next(root.real_of(path) for root in self._roots if is_within(path, [root.path]))

    # ------------------------------------------------------------------------------------------------- comparing

    async def _compare_all(self) -> None:
        ended = False
        while not ended:
            gathered: list[_Read] = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHERING_SECONDS):
                    while len(gathered) < _PAGE and not ended:
                        read = await self._unjudged.get()
                        gathered += read or []
                        ended = read is None
            if gathered:
                await self._compare(gathered)

    async def _compare(self, read: Sequence[_Read]) -> None:
        contents = [(each.outcome.found, each.outcome.identity) for each in read if each.outcome.identity is not None]
        await self._context.journal.write(lambda connection: verified.note_read(connection, self._number, contents))
        identities = list({identity for _, identity in contents})
        holders = await self._context.journal.read(lambda connection: verified.holders(connection, identities))
        found = [holders.get(each.outcome.identity or "", []) for each in read]
        confirmed = await self._confirmed(found)
        lost = [
            each.outcome.found.path
            for each, same in zip(read, found, strict=True)
            if each.outcome.identity is not None and not same and each.row.kind is CardFileKind.IMAGE
        ]
        at_path = await self._context.journal.read(lambda connection: verified.holders_at(connection, lost))
        names = {project.id: project.name for project in self._context.summary.projects.values()}
        judgements = [
            confirmed.get(at) or self._undelivered(each, found[at] or at_path.get(each.outcome.found.path, []), names)
            for at, each in enumerate(read)
        ]
        outcomes = [outcome_of(each.outcome.found.path, judged) for each, judged in zip(read, judgements, strict=True)]
        await self._context.journal.write(lambda connection: verified.judge(connection, self._number, outcomes))
        for each, judged in zip(read, judgements, strict=True):
            self._progress.counts.judged(_totals(each, judged))

    async def _confirmed(self, found: Sequence[Sequence[Holder]]) -> dict[int, Judgement]:
        """Judgements on the registered contents among `found`, by index, once the storage was asked."""
        delivered = {at: there for at, holders in enumerate(found) if (there := registered(holders, self._only))}
        judged = await self._storage.confirm(list(delivered.values()))
        return dict(zip(delivered, judged, strict=True))

    def _undelivered(self, read: _Read, holders: Sequence[Holder], names: Mapping[int, str]) -> Judgement:
        if read.outcome.identity is None:
            return Judgement(Finding.UNREADABLE, read.outcome.reason)
        return undelivered(read.row.kind, read.outcome.found.size, holders, names, self._only)


def outcome_of(path: str, judged: Judgement) -> Outcome:
    holder = judged.holder
    if holder is None:
        return Outcome(path, judged.finding, judged.reason)
    return Outcome(path, judged.finding, judged.reason, holder.project, holder.upload, holder.object, judged.evidence)


def _totals(read: _Read, judged: Judgement) -> Totals:
    holder = judged.holder
    return Totals(
        finding=judged.finding,
        kind=read.row.kind,
        evidence=judged.evidence,
        project=None if holder is None else holder.project,
        upload=None if holder is None else holder.upload,
        files=1,
        bytes=read.outcome.found.size,
    )


def _chunks(rows: Sequence[VerifiedRow]) -> list[list[VerifiedRow]]:
    """Rows for one call each: many small files, few large ones."""
    chunks: list[list[VerifiedRow]] = []
    left = 0
    for row in rows:
        if not chunks or len(chunks[-1]) >= _FILES_A_CALL or left < row.found.size:
            chunks.append([])
            left = _BYTES_A_CALL
        chunks[-1].append(row)
        left -= row.found.size
    return chunks


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all parts to their end. The first failure cancels the others, and is raised."""
    tasks = [asyncio.create_task(part, name="verify") for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Walk the paths again once everything is read: nothing may have been added, changed or removed since."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import verified
from tui_uploader.engine.journal.tables.verified import NewRow, Outcome, VerifiedRow
from tui_uploader.engine.verification.card_threads import CardThreads
from tui_uploader.engine.verification.card_walk import CardEntry, Root, walk
from tui_uploader.engine.verification.progress import Progress
from tui_uploader.file_kinds import is_within
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.verification import Finding
from tui_uploader.text import counted

_PAGE = 500
_ADDED = "was added during the verification, and was not read"
_CHANGED = "was changed during the verification, after it was read"
_VANISHED = "vanished during the verification"


def is_unchanged(read: Candidate, found: Candidate) -> bool:
    """Whether a file is still the one that was read, as far as its file system can tell.

    Where the ctime is the kernel's own, every change shows. Other file systems, such as FAT, also give other inode
    numbers to the same file.
    """
    if (read.size, read.mtime_ns, read.mount) != (found.size, found.mtime_ns, found.mount):
        return False
    if read.ctime_ns is None and found.ctime_ns is None:
        return True
    return (read.ctime_ns, read.inode) == (found.ctime_ns, found.inode)


class SecondWalk:
    def __init__(self, context: EngineContext, cards: CardThreads, progress: Progress) -> None:
        self._context = context
        self._cards = cards
        self._progress = progress
        self._number = progress.record.id

    async def run(self, roots: Sequence[Root]) -> None:
        """Mark files that are not the ones that were read. Raises SourceVanished, SourceUnreadable."""
        await self._cards.check_present(roots)
        total = await self._context.journal.read(lambda connection: verified.counted(connection, self._number))
        seen = differences = 0
        for root in roots:
            found = walk(root)
            while (batch := await self._cards.call(root.path, partial(next, found, None))) is not None:
                known, changed = await self._compare(batch)
                seen += known
                differences += changed
        if seen < total:
            differences += await self._mark_vanished(roots)
        if seen != total or differences:
            self._progress.reasons.append(
                "Files were added, changed or removed during the verification"
                f" ({counted(max(differences, abs(total - seen)), 'file')}): verify again once nothing writes there."
            )
        await self._cards.check_present(roots)

    async def _compare(self, batch: Sequence[CardEntry]) -> tuple[int, int]:
        """Compare files with their rows. Returns how many have one, and how many differ."""
        entries = {entry.found.path: entry for entry in batch if entry.finding is not Finding.APART}
        rows = await self._context.journal.read(
            lambda connection: verified.known(connection, self._number, list(entries))
        )
        known = {path: row for path, row in rows.items() if row.finding is not Finding.APART}
        added: list[NewRow] = [
            (entry.found, entry.kind, None, Finding.UNREADABLE, entry.reason or _ADDED)
            for path, entry in entries.items()
            if path not in known
        ]
        changed = [
            Outcome(path, Finding.UNREADABLE, entries[path].reason or _CHANGED)
            for path, row in known.items()
            if _differs(row, entries[path])
        ]
        if added or changed:
            number = self._number
            last = await self._context.journal.read(lambda connection: verified.last_walk(connection, number))
            await self._context.journal.write(partial(verified.put, number=number, walk=last, rows=added))
            await self._context.journal.write(partial(verified.judge, number=number, outcomes=changed))
        return len(known), len(added) + len(changed)

    async def _mark_vanished(self, roots: Sequence[Root]) -> int:
        number, after, marked = self._number, None, 0
        while rows := await self._context.journal.read(partial(verified.after, number=number, path=after, limit=_PAGE)):
            after = rows[-1].found.path
            paths = {row.found.path: _real(roots, row.found.path) for row in rows}
            missing = await self._cards.call(after, _missing, paths)
            outcomes = [Outcome(path, Finding.UNREADABLE, _VANISHED) for path in missing]
            await self._context.journal.write(partial(verified.judge, number=number, outcomes=outcomes))
            marked += len(missing)
        return marked


def _differs(row: VerifiedRow, entry: CardEntry) -> bool:
    """Whether the file is no longer the one that was judged; one that could not be read is unsafe anyway."""
    if row.finding is Finding.UNREADABLE:
        return False
    return entry.finding is not None or not is_unchanged(row.found, entry.found)


def _real(roots: Sequence[Root], path: str) -> str:
    return next((root.real_of(path) for root in roots if is_within(path, [root.path])), path)


def _missing(paths: Mapping[str, str]) -> list[str]:
    """Paths where nothing is. Blocking: for a thread."""
    return [path for path, real in paths.items() if not os.path.lexists(real)]

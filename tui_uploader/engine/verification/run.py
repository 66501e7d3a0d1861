"""One run of a verification: walk, read and compare, walk again, conclude.

After a crash a new run begins. It walks the paths anew, and reads only those files again that are not proven to be the
ones that were read; all contents are compared anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import history, verifications, verified
from tui_uploader.engine.journal.tables.verified import NewRow, Totals, VerifiedRow
from tui_uploader.engine.verification.card_threads import CardThreads
from tui_uploader.engine.verification.card_walk import CardEntry, Root, root_of, walk, without_inner
from tui_uploader.engine.verification.contents import ContentCheck
from tui_uploader.engine.verification.progress import Counts, Progress, status_of
from tui_uploader.engine.verification.second_walk import SecondWalk
from tui_uploader.engine.verification.verdict import conclude
from tui_uploader.errors import SourceError, UsageError
from tui_uploader.intake.comparison import FileComparison, compare
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.verification import (
    Finding,
    Verdict,
    VerificationState,
    VerificationStatus,
)

_NOT_READ = "was not read: the verification ended early"
_NOT_REGISTERED_ANY_MORE = "is no longer in the project that had it"


class VerificationRun:
    def __init__(self, context: EngineContext, cards: CardThreads, progress: Progress, settle: float) -> None:
        """`settle`: see `ContentCheck`."""
        self._context = context
        self._cards = cards
        self._progress = progress
        self._number = progress.record.id
        self._settle = settle

    async def run(self) -> VerificationStatus | None:
        """Verify to the end and write the verdict; None if it was cancelled meanwhile.

        Raises JournalUnwritable, JournalDamaged; then it can be run again.
        """
        try:
            roots = await self._roots()
            await self._scan(roots)
            await ContentCheck(self._context, self._progress, self._cards, roots, self._settle).run()
            await SecondWalk(self._context, self._cards, self._progress).run(roots)
        except SourceError as error:
            self._progress.reasons.append(error.message)
        return await self._conclude()

    # --------------------------------------------------------------------------------------------------- walking

    async def _roots(self) -> list[Root]:
        """The paths that can be walked; why others cannot is a reason against the card."""
        roots = []
        for path in self._progress.record.paths:
            try:
                roots.append(await self._cards.call(path, root_of, path))
            except (SourceError, UsageError) as error:
                self._progress.reasons.append(error.message)
        roots = without_inner(roots)
        for root in roots:
            self._cards.begin(root)
        return roots

    async def _scan(self, roots: Sequence[Root]) -> None:
        """Write down everything below the paths."""
        number = self._number
        walk_number = await self._context.journal.write(lambda connection: verifications.begin_walk(connection, number))
        for root in roots:
            found = walk(root)
            while (batch := await self._cards.call(root.path, partial(next, found, None))) is not None:
                before = await self._known(batch) if walk_number > 1 else {}
                rows = [_new_row(entry, before.get(entry.found.path)) for entry in batch]
                await self._context.journal.write(partial(verified.put, number=number, walk=walk_number, rows=rows))
                self._note(batch)
        await self._context.journal.write(lambda connection: verified.forget_unseen(connection, number, walk_number))
        self._progress.scanning = False

    def _note(self, batch: Sequence[CardEntry]) -> None:
        files = [entry for entry in batch if entry.finding is not Finding.APART]
        self._progress.found(len(files), sum(entry.found.size for entry in files))
        for entry in batch:
            if entry.finding is not None:
                self._progress.counts.judged(
                    Totals(entry.finding, entry.kind, None, None, None, files=1, bytes=entry.found.size)
                )

    async def _known(self, batch: Sequence[CardEntry]) -> dict[str, VerifiedRow]:
        paths = [entry.found.path for entry in batch]
        return await self._context.journal.read(partial(verified.known, number=self._number, paths=paths))

    # ------------------------------------------------------------------------------------------------ concluding

    async def fail(self, reason: str) -> VerificationStatus | None:
        """End the verification without a result, because of `reason`. Raises as `run`."""
        self._progress.reasons.append(reason)
        return await self._conclude()

    async def _conclude(self) -> VerificationStatus | None:
        """Write the verdict: from what the journal has of the files, and of the projects now."""
        record, progress, now = self._progress.record, self._progress, self._context.clocks.wall()
        names = {project.id: project.name for project in self._context.summary.projects.values()}

        def write(connection: sqlite3.Connection) -> VerificationStatus | None:
            verified.give_up_unjudged(connection, record.id, _NOT_READ)
            verified.undeliver(connection, record.id, _NOT_REGISTERED_ANY_MORE)
            counts = Counts.of(verified.totals(connection, record.id))
            conclusion = conclude(counts.findings, counts.images, progress.reasons)
            status = status_of(
                record,
                VerificationState.DONE,
                counts,
                names,
                conclusion.reasons,
                verdict=conclusion.verdict,
                ended_at=now,
                scanning=False,
                files_read=progress.files_read,
                bytes_read=progress.bytes_read,
            )
            if not verifications.end(connection, status):
                return None
            history.record(connection, now, [_event(status)])
            return status

        return await self._context.journal.write(write)


def _new_row(entry: CardEntry, before: VerifiedRow | None) -> NewRow:
    """A row for what a walk found. What was read before counts only if it is certainly the same file, unchanged."""
    identity = None
    if before is not None and entry.finding is None and compare(before.found, entry.found) is FileComparison.SAME:
        identity = before.identity
    return entry.found, entry.kind, identity, entry.finding, entry.reason


def _event(status: VerificationStatus) -> PastEvent:
    paths = "\n".join(path.replace("\n", "\\n") for path in status.paths)
    if status.verdict is Verdict.NOT_SAFE:
        unsafe = sum(number for finding, number in status.findings.items() if Finding(finding).unsafe)
        return PastEvent(0, 0.0, EventKind.CARD_NOT_SAFE, None, status.project or "", files=unsafe, detail=paths)
    only = "images" if status.verdict is Verdict.SAFE_FOR_IMAGES else ""
    delivered = status.findings.get(Finding.DELIVERED, 0)
    return PastEvent(0, 0.0, EventKind.CARD_SAFE, None, status.project or "", files=delivered, detail=paths, error=only)

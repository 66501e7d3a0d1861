"""Keep the journal small: of uploads dismissed long ago, only the delivered files are kept."""

from __future__ import annotations

import logging
import sqlite3

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import retention
from tui_uploader.engine.notifier import Topic

log = logging.getLogger(__name__)

_FILES_AT_ONCE = 500
_PAGES_AT_ONCE = 256
_BETWEEN_STEPS = 0.05
_BETWEEN_LOOKS = 3600.0


class Retention:
    """Works in small steps, and only while no upload has anything to do."""

    def __init__(self, context: EngineContext, keep_seconds: float) -> None:
        """`keep_seconds`: how long all rows of an upload are kept after it was dismissed."""
        self._context = context
        self.wakeup = context.notifier.subscribe(Topic.UPLOADS, Topic.WORK)
        self._keep_seconds = keep_seconds
        self._next_look = 0.0

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        if now < self._next_look:
            return self._next_look - now
        if any(self._context.summary.busy(upload) for upload in self._context.summary.uploads):
            return None  # the end of the work wakes this worker
        more = await self._condense_some()
        self._next_look = self._context.clocks.monotonic() + (_BETWEEN_STEPS if more else _BETWEEN_LOOKS)
        return _BETWEEN_STEPS if more else _BETWEEN_LOOKS

    async def _condense_some(self) -> bool:
        """Take one small step. Returns whether there may be more to do."""
        now = self._context.clocks.wall()
        if any(upload.dismissed_at is None for upload in self._context.summary.past.values()):
            await self._context.journal.write(lambda connection: retention.date_dismissals(connection, now))
        due = await self._context.journal.read(lambda connection: retention.due(connection, now - self._keep_seconds))
        if due:
            await self._context.journal.write(lambda connection: retention.condense(connection, due[0], _FILES_AT_ONCE))
            return True
        if await self._context.journal.read(_empty_pages) < _PAGES_AT_ONCE:
            return False
        return await self._context.journal.write(lambda connection: retention.shrink(connection, _PAGES_AT_ONCE)) > 0


def _empty_pages(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])

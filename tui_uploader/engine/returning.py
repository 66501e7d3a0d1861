"""Files that failed because their memory card was gone go on when it is back, without a word from anybody."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Sequence

from tui_uploader.engine.core import Core
from tui_uploader.engine.journal import files
from tui_uploader.engine.journal.files import FileRow
from tui_uploader.errors import SourceVanished
from tui_uploader.model import FileStage, UploadState

log = logging.getLogger(__name__)

_BETWEEN_LOOKS = 5.0


class Returns:
    """Looks now and then for the files of running uploads that could not be read; costs nothing while there are none.

    A file that could not be read although it was there all the time is left to the user: its card may be broken.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._next_look = 0.0
        self._absent: set[int] = set()
        """Files that were seen to be gone."""
        self._trusted: set[int] = set()
        """Files that were tried again because their failure itself said that they had been gone."""

    async def step(self) -> float | None:
        summary = self._core.summary
        running = [
            upload.id
            for upload in summary.uploads.values()
            if upload.state in (UploadState.PREPARING, UploadState.ACTIVE)
            and summary.files(upload.id, FileStage.FAILED)
        ]
        if not running:
            return None
        now = self._core.clocks.monotonic()
        if now < self._next_look:
            return self._next_look - now
        self._next_look = now + _BETWEEN_LOOKS
        unread = await self._core.journal.read(lambda connection: files.unread(connection, running))
        there = await asyncio.to_thread(_there, unread)
        back = [row.id for row in unread if row.id in there and self._was_gone(row)]
        self._absent = {row.id for row in unread} - there
        if back:
            self._trusted.update(back)
            await self._core.journal.write(lambda connection: _retry(connection, back))
            log.info("%d files are back, and tried again.", len(back))
        return _BETWEEN_LOOKS if unread else None

    def _was_gone(self, row: FileRow) -> bool:
        said_so = row.error == SourceVanished.__name__ and row.id not in self._trusted
        return said_so or row.id in self._absent


def _there(rows: Sequence[FileRow]) -> set[int]:
    return {row.id for row in rows if os.path.exists(row.path)}  # noqa: PTH110 -- it takes any bytes for a name


def _retry(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    for file_id in file_ids:
        if files.file(connection, file_id).stage is FileStage.FAILED:
            files.retry(connection, file_id)

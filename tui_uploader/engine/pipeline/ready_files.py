"""Choose the ready files that are sent next, fairly between uploads."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import files
from tui_uploader.engine.scheduling.fairness import next_upload, served_after
from tui_uploader.model.states import FileStage

_WINDOW = 64
"""Files of an upload that are read from the journal at a time, however many are ready."""
_READY_AHEAD = 4
"""Files per upload beyond its share of streams, opened in advance so that no stream idles between files."""


def allowance(streams: int, uploads: int) -> int:
    """Return how many files of one upload may be sent at once, of `uploads` with files to send.

    A fair share of the streams, so that large files of one upload do not delay another, and a few that wait for one.
    """
    return math.ceil(streams / max(1, uploads)) + _READY_AHEAD


class ReadyFiles:
    """The next ready files of each upload, in memory."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._windows: dict[int, deque[FileRecord]] = {}
        self._served: dict[int, int] = {}

    async def refill(self, uploads: Collection[int], exclude: Sequence[int]) -> None:
        """Read the next files of uploads that have none left; `exclude`: files that are not to be sent now."""
        short = [
            upload
            for upload in uploads
            if not self._windows.get(upload) and self._context.summary.files(upload, FileStage.READY)
        ]
        if not short:
            return
        outside = [volume.point for volume in self._context.sources.hanging() if not volume.is_root]

        def windows(connection: sqlite3.Connection) -> list[list[FileRecord]]:
            return [files.ready(connection, upload, _WINDOW, exclude, outside) for upload in short]

        for upload, rows in zip(short, await self._context.journal.read(windows), strict=True):
            self._windows[upload] = deque(row for row in rows if not self._context.sources.hangs(row.path))

    def take(self, uploads: Collection[int], sending: Mapping[int, int]) -> list[FileRecord]:
        """Take as many files as may be sent now; `sending`: the number of files being sent, by upload."""
        under_way = Counter(sending)
        most = allowance(
            self._context.streams.limit,
            len({upload for upload in uploads if self._windows.get(upload)} | under_way.keys()),
        )
        chosen: list[FileRecord] = []
        while True:
            wanting = [
                upload
                for upload in uploads
                if self._windows.get(upload)
                and under_way[upload] < most
                and not self._waits_for_trial(upload, under_way)
            ]
            upload = next_upload(wanting, self._served)
            if upload is None:
                return chosen
            row = self._windows[upload].popleft()
            self._served = served_after(self._served, wanting, upload, row.size)
            under_way[upload] += 1
            chosen.append(row)

    def forget(self, upload: int) -> None:
        self._windows.pop(upload, None)

    def drop_hanging(self) -> None:
        """Drop files on memory cards and disks that do not answer."""
        for upload, rows in self._windows.items():
            self._windows[upload] = deque(row for row in rows if not self._context.sources.hangs(row.path))

    def _waits_for_trial(self, upload: int, sending: Mapping[int, int]) -> bool:
        """Whether another file of the project is being sent to find out if its storage accepts files again."""
        project = self._context.summary.uploads[upload].project
        return self._context.storage.on_trial(project) and any(
            sending.get(other.id) for other in self._context.summary.uploads_of(project)
        )

"""Complete uploads that have no work left."""

from __future__ import annotations

import sqlite3

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import uploads
from tui_uploader.engine.notifier import Topic
from tui_uploader.model.states import FileStage, UploadState


class Finisher:
    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.wakeup = context.notifier.subscribe(FileStage.FAILED, Topic.UPLOADS, Topic.WORK)

    async def step(self) -> float | None:
        summary = self._context.summary
        ready = [
            upload.id
            for upload in summary.uploads.values()
            if upload.state is UploadState.ACTIVE
            and not summary.busy(upload.id)
            and not summary.files(upload.id, FileStage.FAILED)
        ]
        waits = {upload: seconds for upload in ready if (seconds := self._context.quiet.left(upload))}
        done = [upload for upload in ready if upload not in waits]
        if not done:
            return min(waits.values(), default=None)

        now = self._context.clocks.wall()

        def finish(connection: sqlite3.Connection) -> None:
            for upload in done:
                uploads.finish_if_done(connection, upload, now)

        await self._context.journal.write(finish)
        return min(waits.values(), default=None)

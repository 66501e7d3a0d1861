"""The interface of the engine. Front ends use it through `service`, never directly."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_uploader.cloud.contract import Cloud
from tui_uploader.engine.bandwidth.policy import setting_changes
from tui_uploader.engine.context import Clocks
from tui_uploader.engine.journal.tables import commands, file_parts, history, uploads
from tui_uploader.engine.notifier import Notifier, Topic
from tui_uploader.engine.pipeline.enqueue import Enqueuer
from tui_uploader.engine.pipeline.image_limit import check_image_limit, correct_image_limits
from tui_uploader.engine.pipeline.process import DOUBT_SECONDS
from tui_uploader.engine.queries import Queries
from tui_uploader.engine.receipts.compose import Receipts
from tui_uploader.engine.sources.unfinished import SettleTimes
from tui_uploader.engine.supervisor import Supervisor
from tui_uploader.engine.verification.verifications import Verifications
from tui_uploader.model.accounts import Account, Login, SignInRequest
from tui_uploader.model.engine import Bandwidth, BandwidthChange
from tui_uploader.model.files import FileSelection
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import Project, ProjectKind
from tui_uploader.model.states import UploadEvent
from tui_uploader.model.uploads import AddRequest, UndoneAddition, UploadStatus
from tui_uploader.settings import APP, Directories, Settings

if TYPE_CHECKING:
    from tui_uploader.cloud.pix4d.client import Pix4dCloud


class UploadManager:
    """Commands of the user, for uploads to several projects at once; `queries` answers questions.

    Every method raises errors of `errors` and nothing else.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._context = supervisor.context
        self._enqueuer = Enqueuer(supervisor.context, supervisor.projects, supervisor.walker)
        self.results = self._enqueuer.results
        self.watches = supervisor.watches
        self.hooks = supervisor.hooks
        self.queries = Queries(supervisor, metadata.version(APP))
        self.verifications = Verifications(
            supervisor.verifier, supervisor.context.journal, supervisor.projects, self.add
        )
        self.receipts = Receipts(supervisor.context)

    @classmethod
    async def open(cls, directories: Directories, settings: Settings) -> UploadManager:
        """Open the journal and resume its uploads.

        Raises JournalTooNew, JournalDamaged, JournalUnwritable.
        """
        clocks = Clocks(time.time, time.monotonic, random.random)
        cloud = _pix4d_cloud(settings)
        return cls(
            await Supervisor.open(directories, settings, cloud, clocks, Notifier(), DOUBT_SECONDS, SettleTimes())
        )

    async def close(self) -> None:
        """Stop all transfers so that the next `open` resumes them."""
        await self._supervisor.close()

    # ------------------------------------------------------------------------------------------------ sign-in

    async def sign_in(self, request: SignInRequest) -> Account:
        await asyncio.to_thread(_pix4d)  # the engine answers others meanwhile
        awaited = self._supervisor.recorder.awaits_login(request.login.account)
        account = await self._context.accounts.sign_in(request)
        if request.keep or awaited:
            await self._record(PastEvent(0, 0.0, EventKind.SIGNED_IN, account=account.account))
        self.try_now()
        return account

    async def sign_out(self, profile: str) -> bool:
        """Delete the stored login; return False when there was none."""
        before = {signed_in.login.account for signed_in in self._context.accounts.all}
        forgotten = await self._context.accounts.sign_out(profile)
        left = before - {signed_in.login.account for signed_in in self._context.accounts.all}
        await self._record(*(PastEvent(0, 0.0, EventKind.SIGNED_OUT, account=account) for account in sorted(left)))
        return forgotten

    # ----------------------------------------------------------------------------------------------- commands

    async def add(self, request: AddRequest) -> UploadStatus:
        """Queue files and folders. Returns when they have been walked, at the latest after two seconds.

        Raises NothingToUpload when there is nothing in them, NoSuchPath, SourceUnreadable; then nothing is kept.
        """
        added = await self._enqueuer.add(request)
        return replace(self.queries.upload_status(added.upload), addition=added.addition)

    async def undo_addition(self, addition: int) -> UndoneAddition:
        """Take out of the queue what an addition brought into it and was not sent yet.

        An upload that becomes empty leaves the list. Raises NotPossibleNow.
        """
        undone = await self._enqueuer.undo(addition, self._supervisor.sender)
        await self._recount_parts()
        if undone.removed:
            now = self._context.clocks.wall()
            await self._context.journal.write(
                lambda connection: history.record_of_upload(
                    connection, now, EventKind.REMOVED, undone.upload, files=undone.removed
                )
            )
        return undone

    async def create_project(self, name: str, kind: ProjectKind, account: str | None) -> Project:
        project = await self._context.journal.write(self._supervisor.projects.new(name, account, kind))
        await self._supervisor.projects.created(project)
        return self.queries.known_project(project)

    async def pause(self, upload: int) -> UploadStatus:
        return await self._stop(upload, UploadEvent.PAUSE)

    async def resume(self, upload: int) -> UploadStatus:
        """Raises TooManyImages as long as there are more than the service takes."""

        def resume(connection: sqlite3.Connection) -> None:
            check_image_limit(connection, upload)
            uploads.move_upload(connection, upload, UploadEvent.RESUME)

        await self._context.journal.write(resume)
        return self.queries.upload_status(upload)

    async def cancel(self, upload: int) -> UploadStatus:
        return await self._stop(upload, UploadEvent.CANCEL)

    async def dismiss(self, upload: int) -> UploadStatus:
        now = self._context.clocks.wall()
        await self._context.journal.write(lambda connection: commands.dismiss(connection, upload, now))
        await self._recount_parts()
        return self.queries.upload_status(upload)

    async def undismiss(self, upload: int) -> UploadStatus:
        """Put an upload back on the list, and into its queue the files that its dismissal removed.

        Raises NotPossibleNow if only the record of its delivered files is left.
        """
        await self._recounted(
            upload,
            _recorded(
                EventKind.RESTORED,
                self._context.clocks.wall(),
                lambda connection: commands.undismiss(connection, upload),
            ),
        )
        return self.queries.upload_status(upload)

    async def set_auto_process(self, upload: int, on: bool) -> UploadStatus:
        """Raises NotPossibleNow for a complete upload whose images were all processed: nothing would start."""

        def change(connection: sqlite3.Connection) -> None:
            if on:
                uploads.check_something_to_process(connection, upload)
            uploads.set_auto_process(connection, upload, on)

        await self._context.journal.write(change)
        return self.queries.upload_status(upload)

    async def stop_automatic_start(self, upload: int) -> UploadStatus:
        """Prevent that processing of the upload's project starts automatically.

        Raises NoSuchUpload, and NotPossibleNow once processing was requested.
        """
        await self._supervisor.processing.stop_automatic_start(upload)
        return self.queries.upload_status(upload)

    async def retry(self, upload: int, selection: FileSelection) -> int:
        """Return the number of failed files that are queued again."""
        self._supervisor.recorder.expect_outcome()
        return await self._context.journal.write(
            _recorded(
                EventKind.RETRIED,
                self._context.clocks.wall(),
                lambda connection: commands.retry(connection, upload, selection),
            )
        )

    async def remove(self, upload: int, selection: FileSelection) -> int:
        """Remove waiting, duplicate or failed files from the queue; return their number.

        Raises NotPossibleNow when a named one is uploading or uploaded.
        """
        return await self._recounted(
            upload,
            _recorded(
                EventKind.REMOVED,
                self._context.clocks.wall(),
                lambda connection: commands.remove(connection, upload, selection),
            ),
        )

    async def restore(self, upload: int, selection: FileSelection) -> int:
        """Undo a removal; return the number of files."""
        return await self._recounted(
            upload,
            _recorded(
                EventKind.RESTORED,
                self._context.clocks.wall(),
                lambda connection: commands.restore(connection, upload, selection),
            ),
        )

    async def start_processing(self, project: str, *, partial: bool = False, again: bool = False) -> Project:
        """Start processing now. `partial`: although files are waiting or failed; `again`: although it was processed.

        Raises TooFewImages, NotPossibleNow; AlreadyProcessed without `again`, so that the user can be asked.
        """
        found = await self._supervisor.projects.meant(project, None, ProjectKind.IMAGES)
        await self._supervisor.processing.start(found, partial=partial, again=again)
        return self.queries.known_project(found)

    async def set_bandwidth(self, change: BandwidthChange) -> Bandwidth:
        """Apply a change now and for later engines. Raises UsageError; then nothing changes."""
        before = self._context.governor.settings
        state = await self._context.governor.change(change)
        if words := setting_changes(before, self._context.governor.settings):
            await self._record(PastEvent(0, 0.0, EventKind.LIMIT_CHANGED, detail=words))
        self._context.notifier.notify(Topic.BANDWIDTH)
        return state

    def try_now(self) -> None:
        """End all pauses: probe links that are down, and retry failures."""
        self._context.notifier.retry_now()

    async def _record(self, *events: PastEvent) -> None:
        now = self._context.clocks.wall()
        await self._context.journal.write(lambda connection: history.record(connection, now, events))

    async def _recounted(self, upload: int, change: Callable[[sqlite3.Connection], int]) -> int:
        """Change the files of an upload, and correct the notice about their number."""

        def change_and_correct(connection: sqlite3.Connection) -> int:
            changed = change(connection)
            correct_image_limits(connection, upload)
            return changed

        changed = await self._context.journal.write(change_and_correct)
        await self._recount_parts()
        return changed

    async def _recount_parts(self) -> None:
        """Parts of a file that left the queue no longer count as sent bytes of the upload."""

        def recount(connection: sqlite3.Connection) -> None:
            counted.update(file_parts.stored_bytes(connection))

        counted: dict[int, tuple[int, int]] = {}
        # Through the writer, so that no part lands between the count and its use.
        await self._context.journal.write(recount, then=lambda: self._context.progress.set_all_parts(counted))

    async def _stop(self, upload: int, event: UploadEvent) -> UploadStatus:
        now = self._context.clocks.wall()
        await self._context.journal.write(lambda connection: uploads.move_upload(connection, upload, event, now))
        await self._supervisor.sender.stop(upload)
        return self.queries.upload_status(upload)


def _recorded(
    kind: EventKind, now: float, change: Callable[[sqlite3.Connection], commands.ChangedFiles]
) -> Callable[[sqlite3.Connection], int]:
    """`change`, and the events of the history about it; the number of changed files of all uploads."""

    def change_and_record(connection: sqlite3.Connection) -> int:
        changed = change(connection)
        for upload, files in changed.items():
            history.record_of_upload(connection, now, kind, upload, files=files)
        return sum(changed.values())

    return change_and_record


def _pix4d_cloud(settings: Settings) -> Callable[[Login], Cloud]:
    return lambda login: _pix4d()(login, settings)


def _pix4d() -> type[Pix4dCloud]:
    """Import on demand: the libraries for HTTP and signing take as long to load as the rest of the engine."""
    from tui_uploader.cloud.pix4d.client import Pix4dCloud

    return Pix4dCloud

"""Questions of front ends. Answering them changes nothing; `status` computes the values, this gathers the facts."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec

from tui_uploader.engine.facts import FactGatherer
from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.journal.tables import history, uploads
from tui_uploader.engine.journal.views import positions, windows
from tui_uploader.engine.results.survey import Standings
from tui_uploader.engine.sources.photo import photo_facts
from tui_uploader.engine.status.eta import last_of
from tui_uploader.engine.status.file_holds import FileHold, FileSituation, file_hold
from tui_uploader.engine.status.notices import AccountState, fault_of
from tui_uploader.engine.status.snapshot import (
    account_link,
    file_item,
    project_value,
    worst_link,
)
from tui_uploader.engine.supervisor import Supervisor
from tui_uploader.errors import NoSuchUpload, UploaderError, UsageError
from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import Bandwidth, EngineStatus
from tui_uploader.model.files import FileItem, FileQuery, FileWindow, IdRun, PhotoFacts, Positions
from tui_uploader.model.history import PastEvent
from tui_uploader.model.projects import ExistingProject, Project, ProjectKind
from tui_uploader.model.states import FileStage, FileStatus
from tui_uploader.model.uploads import Skipped, UploadStatus
from tui_uploader.text import printable

_SHORTEST_INTERVAL = 0.25
_LARGE = 1024**3
"""Bytes of a file of which the progress of its check is told."""
_LARGEST_WINDOW = 2000
_ON_CARD = (FileStage.FOUND, FileStage.READY)
"""Stages of files that will be read from their card, and are not being read."""
_MOST_EVENTS = 5000
_LARGEST_ID = 2**63 - 1


def tells_more(status: EngineStatus, last: EngineStatus) -> bool:
    """Whether front ends need `status` after `last`: not if only times have passed, in which uploads were active."""
    if status == last:
        return False
    if len(status.uploads) != len(last.uploads) or msgspec.structs.replace(status, uploads=last.uploads) != last:
        return True
    pairs = zip(status.uploads, last.uploads, strict=True)
    return any(msgspec.structs.replace(now, seconds=before.seconds) != before for now, before in pairs)


class Queries:
    """Every method raises errors of `errors` and nothing else."""

    def __init__(self, supervisor: Supervisor, version: str) -> None:
        self._supervisor = supervisor
        self._context = supervisor.context
        self._gathering = FactGatherer(supervisor)
        self._standings = Standings(supervisor.context)
        self._version = version
        self._since = self._context.clocks.wall()

    # ------------------------------------------------------------------------------------------------- engine

    def status(self) -> EngineStatus:
        """The whole state, without dismissed uploads."""
        context, progress = self._context, self._context.progress
        moment = self._gathering.moment()
        return EngineStatus(
            version=self._version,
            pid=os.getpid(),
            since=self._since,
            link=worst_link([signed_in.link.link for signed_in in context.accounts.all]),
            streams=progress.running,
            rate=round(progress.meter.rate(context.clocks.monotonic())) if progress.running else 0,
            uploads=tuple(
                self._gathering.upload_status(upload, moment)
                for upload in context.summary.uploads.values()
                if not upload.dismissed
            ),
            bandwidth=context.governor.state,
            links=tuple(
                account_link(each.login.account, each.link.link, each.needs_person) for each in context.accounts.all
            ),
            left=sum(moment.left.values()),
            eta=last_of(moment.etas, [upload for upload, left in moment.left.items() if left]),
            history=context.summary.history,
            verifications=self._supervisor.verifier.shown(),
            watches=self._supervisor.watches.list(),
            hook_failures=tuple(self._supervisor.hooks.failures.values()),
        )

    async def changes(self) -> AsyncIterator[EngineStatus]:
        """Yield the status now, and again after each change, at most four times a second."""
        with self._context.notifier.watching() as changed:
            last: EngineStatus | None = None
            while True:
                changed.clear()
                status = self.status()
                if last is None or tells_more(status, last):
                    yield status
                    last = status
                await asyncio.sleep(_SHORTEST_INTERVAL)
                if not self._context.progress.running:
                    await changed.wait()

    async def history(self, after: int, limit: int, since: float | None = None) -> tuple[PastEvent, ...]:
        """The last `limit` events with a number above `after`, oldest first.

        `since`: only those that happened, or ended, at that time or later; with files that were uploaded until now.
        """
        if not 0 <= after <= _LARGEST_ID or not 0 < limit <= _MOST_EVENTS:
            raise UsageError(f"The history is asked for after a number from 0, with a limit of 1 to {_MOST_EVENTS:,}.")
        if since is not None:
            with contextlib.suppress(UploaderError):  # a full disk does not keep the user from reading
                await self._supervisor.recorder.flush()
        return await self._context.journal.read(lambda connection: history.events(connection, after, limit, since))

    @property
    def busy(self) -> bool:
        """The engine has something to do, or waits to do it. An idle engine may exit."""
        summary = self._context.summary
        if self._supervisor.verifier.busy or self._supervisor.watches or self._supervisor.hooks.busy:
            return True
        return any(summary.busy(upload) for upload in summary.uploads) or any(
            self._supervisor.processing.wants_attention(project) for project in summary.projects.values()
        )

    async def accounts(self) -> tuple[Account, ...]:
        return tuple(signed_in.account for signed_in in self._context.accounts.all)

    async def bandwidth(self) -> Bandwidth:
        return self._context.governor.state

    # ----------------------------------------------------------------------------------------------- projects

    async def projects(self) -> tuple[Project, ...]:
        """Projects of this machine and, where the service lists them, the other ones of the account."""
        others = await self._supervisor.projects.others()
        summary = self._context.summary
        shown = [project for project in summary.projects if not summary.vanished(project)]
        return (*[await self._with_results(project, ask=False) for project in shown], *others)

    async def project(self, project: str) -> Project:
        """The project with this id, or with this name where it is unique."""
        known = await self._supervisor.projects.known(ExistingProject(project), None, ProjectKind.IMAGES)
        if known is not None:
            return await self._with_results(known, ask=True)
        other = await self._supervisor.projects.other(project)
        signed_in = self._context.accounts.of(other.account)
        if other.kind is ProjectKind.IMAGES or signed_in is None or other.id is None:
            return other
        standing = await self._standings.elsewhere(signed_in, other.id)
        return msgspec.structs.replace(other, results=tuple(each.result for each in standing))

    async def _with_results(self, project: int, *, ask: bool) -> Project:
        """`ask`: the service as well, if it answers."""
        found = self.known_project(project)
        if found.kind is ProjectKind.IMAGES:
            return found
        standing = await self._standings.of(project, ask=ask)
        return msgspec.structs.replace(found, results=tuple(each.result for each in standing if not each.queued))

    def known_project(self, project: int) -> Project:
        """The project with this number in the journal."""
        return project_value(self._context.summary, self._gathering.project(project))

    # ------------------------------------------------------------------------------------------------ uploads

    async def upload(self, upload: int) -> UploadStatus:
        return self.upload_status(upload)

    def upload_status(self, upload: int) -> UploadStatus:
        """Raises NoSuchUpload."""
        found = self._context.summary.upload(upload)
        if found is None:
            raise NoSuchUpload(f"There is no upload {upload}. `tui-uploader status` lists them.")
        return self._gathering.upload_status(found, self._gathering.moment())

    async def skipped(self, upload: int, *, whole_project: bool = False) -> tuple[Skipped, ...]:
        return await self._context.journal.read(
            lambda connection: uploads.skipped(connection, upload, whole_project=whole_project)
        )

    # -------------------------------------------------------------------------------------------------- files

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        if query.offset < 0 or not 0 < query.limit <= _LARGEST_WINDOW:
            raise UsageError(f"A window of files has 1 to {_LARGEST_WINDOW:,} rows, and an offset of 0 or more.")
        if query.fold < 0:
            raise UsageError("The number of files before a fold is 0 or more.")
        unfolded, moving = _statuses(query.unfolded), self._context.progress.moving_files()
        found = await self._context.journal.read(
            lambda connection: windows.window(connection, upload, query, unfolded, moving)
        )
        return FileWindow(
            total=found.total,
            offset=query.offset,
            files=self._file_items(found),
            folds=found.folds,
            matching=found.matching,
            anchor=found.anchor,
        )

    async def file_runs(self, upload: int, query: FileQuery) -> tuple[IdRun, ...]:
        """All files that match the query, regardless of its window."""
        moving = self._context.progress.moving_files()
        return await self._context.journal.read(
            lambda connection: windows.matching_runs(connection, upload, query, moving)
        )

    async def positions(self, upload: int, file: int | None = None, *, whole_project: bool = False) -> Positions:
        """Where the images of the upload or of its whole project were taken, and `file` of it in particular."""
        return await self._context.journal.read(
            lambda connection: positions.positions(connection, upload, file, whole_project=whole_project)
        )

    async def photo_facts(self, upload: int, file: int) -> PhotoFacts:
        """Facts that an image states about its photo, read from its card now.

        Raises NoSuchFile; SourceVanished, SourceUnreadable, SourceRefused or SourceChanged when there are none.
        """
        row = await self._context.journal.read(lambda connection: windows.file_of(connection, upload, file))
        return await photo_facts(self._context.sources, row)

    def _file_items(self, window: windows.Window) -> tuple[FileItem, ...]:
        context = self._context
        sent, moving = context.progress.sent_of_files(), context.progress.moving_files()
        pauses = {file: (each.until, each.reason) for file, each in context.unfinished.deferred.items()}
        pauses |= self._supervisor.sender.failures.postponed
        # The rows of a window are of few uploads.
        uploads = {row.upload: self._situation_of_upload(row.upload) for row, _ in window.rows}

        def hold(row: FileRecord) -> FileHold:
            upload, account, of_upload = uploads[row.upload]
            pause = pauses.get(row.id)
            situation = replace(
                of_upload,
                moving=row.id in moving,
                silent=row.stage in _ON_CARD and context.sources.hangs(row.path),
                read=self._share_read(row.id),
                pause=(max(0.0, pause[0] - context.clocks.monotonic()), pause[1]) if pause else None,
            )
            return file_hold(row, upload, account, situation)

        return tuple(file_item(row, facts, hold(row), window.originals, sent) for row, facts in window.rows)

    def _share_read(self, file: int) -> float | None:
        reading = self._supervisor.checker.readings.get(file)
        return reading.done / reading.size if reading is not None and reading.size >= _LARGE else None

    def _situation_of_upload(self, number: int) -> tuple[UploadRecord, AccountState, FileSituation]:
        context = self._context
        upload = context.summary.upload(number)
        assert upload is not None, "an upload with files stays"
        project = context.summary.projects[upload.project]
        rest, obstacle = context.storage.rest(project.id), context.obstacles.get(project.id)
        situation = FileSituation(
            fault=fault_of(context.faults.current, upload, project) is not None,
            storage=rest[1] if rest else None,
            obstacle=obstacle.message if obstacle else None,
        )
        return upload, self._gathering.account_state(project), situation


def _statuses(text: str) -> frozenset[FileStatus]:
    """Raises UsageError."""
    try:
        return frozenset(FileStatus(each) for each in text.split(",") if each)
    except ValueError:
        known = ", ".join(FileStatus)
        raise UsageError(f"'{printable(text, 200)}' is no list of statuses. These are: {known}.") from None

"""Questions of front ends. Answering them changes nothing; `status` computes the values, this gathers the facts."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from tui_uploader.engine.bandwidth.policy import closed_notice
from tui_uploader.engine.journal.records import FileRecord, ProjectRecord, UploadRecord
from tui_uploader.engine.journal.tables import history, uploads
from tui_uploader.engine.journal.views import positions, windows
from tui_uploader.engine.pipeline.process import with_standing_reason
from tui_uploader.engine.sources.photo import photo_facts
from tui_uploader.engine.status.eta import last_of, time_left
from tui_uploader.engine.status.file_holds import FileHold, FileSituation, file_hold
from tui_uploader.engine.status.holds import account_hold, held
from tui_uploader.engine.status.notices import AccountState, Hindrances, fault_of, notice_of
from tui_uploader.engine.status.snapshot import (
    UploadProgress,
    account_link,
    bytes_left,
    file_item,
    project_value,
    upload_status,
    worst_link,
)
from tui_uploader.engine.supervisor import Supervisor
from tui_uploader.errors import NoSuchUpload, UploaderError, UsageError
from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import Bandwidth, EngineStatus
from tui_uploader.model.files import FileItem, FileQuery, FileWindow, Hold, IdRun, PhotoFacts, Positions
from tui_uploader.model.history import PastEvent
from tui_uploader.model.projects import Project, ProjectKind
from tui_uploader.model.states import FileStage, FileStatus, UploadState
from tui_uploader.model.uploads import EtaRange, Skipped, UploadStatus
from tui_uploader.text import printable

_SHORTEST_INTERVAL = 0.25
_LARGEST_WINDOW = 2000
_ON_CARD = (FileStage.FOUND, FileStage.READY)
"""Stages of files that will be read from their card, and are not being read."""
_MOST_EVENTS = 5000
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """What concerns all uploads at one moment, by upload."""

    sent: Mapping[int, int]
    """Bytes of files that are not complete yet."""
    moving: Mapping[int, int]
    """Files that streams carry."""
    left: Mapping[int, int]
    """Bytes that running uploads have still to send."""
    etas: Mapping[int, EtaRange]
    """Of running uploads, as far as they can be estimated."""


class Queries:
    """Every method raises errors of `errors` and nothing else."""

    def __init__(self, supervisor: Supervisor, version: str) -> None:
        self._supervisor = supervisor
        self._context = supervisor.context
        self._version = version
        self._since = self._context.clocks.wall()

    # ------------------------------------------------------------------------------------------------- engine

    def status(self) -> EngineStatus:
        """The whole state, without dismissed uploads."""
        context, progress = self._context, self._context.progress
        moment = self._moment()
        return EngineStatus(
            version=self._version,
            pid=os.getpid(),
            since=self._since,
            link=worst_link([signed_in.link.link for signed_in in context.accounts.all]),
            streams=progress.running,
            rate=round(progress.meter.rate(context.clocks.monotonic())) if progress.running else 0,
            uploads=tuple(
                self._upload_status(upload, moment)
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
        )

    async def changes(self) -> AsyncIterator[EngineStatus]:
        """Yield the status now, and again after each change, at most four times a second."""
        with self._context.notifier.watching() as changed:
            last: EngineStatus | None = None
            while True:
                changed.clear()
                status = self.status()
                if status != last:
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
        summary = self._context.summary
        known = tuple(self.known_project(project) for project in summary.projects if not summary.vanished(project))
        return known + await self._supervisor.projects.others()

    async def project(self, project: str) -> Project:
        """The project with this id, or with this name where it is unique."""
        return self.known_project(await self._supervisor.projects.meant(project, None, ProjectKind.IMAGES))

    def known_project(self, project: int) -> Project:
        """The project with this number in the journal."""
        return project_value(self._context.summary, self._project_record(project))

    def _project_record(self, project: int) -> ProjectRecord:
        return with_standing_reason(self._context.summary.projects[project], self._context.summary)

    # ------------------------------------------------------------------------------------------------ uploads

    async def upload(self, upload: int) -> UploadStatus:
        return self.upload_status(upload)

    def upload_status(self, upload: int) -> UploadStatus:
        """Raises NoSuchUpload."""
        found = self._context.summary.upload(upload)
        if found is None:
            raise NoSuchUpload(f"There is no upload {upload}. `tui-uploader status` lists them.")
        return self._upload_status(found, self._moment())

    async def skipped(self, upload: int) -> tuple[Skipped, ...]:
        return await self._context.journal.read(lambda connection: uploads.skipped(connection, upload))

    def _moment(self) -> Moment:
        """What concerns all uploads now."""
        context, progress, summary = self._context, self._context.progress, self._context.summary
        sent, outlook = progress.sent_of_uploads(), context.governor.outlook
        left = {
            upload.id: bytes_left(summary, upload.id, sent.get(upload.id, 0))
            for upload in summary.uploads.values()
            if upload.state in (UploadState.PREPARING, UploadState.ACTIVE)
        }
        # Without a transfer nothing counts down: front ends are not notified when an estimate expires.
        likely = progress.rates.likely(outlook.spans[0].rate) if progress.running else None
        if likely is None:
            return Moment(sent, progress.moving(), left, {})
        sharing = {
            upload: size
            for upload, size in left.items()
            if summary.busy(upload) and account_hold(self._account_state(self._project_of(upload))) is None
        }
        return Moment(sent, progress.moving(), left, time_left(sharing, likely, outlook))

    def _project_of(self, upload: int) -> ProjectRecord:
        return self._context.summary.projects[self._context.summary.uploads[upload].project]

    def _upload_status(self, upload: UploadRecord, moment: Moment) -> UploadStatus:
        summary = self._context.summary
        project = self._project_record(upload.project)
        account, hindrances = self._account_state(project), self._hindrances(upload, project)
        hold = held(summary, upload, account, hindrances, moment.moving)
        waiting = summary.files(upload.id, FileStage.FOUND, FileStage.READY)
        if summary.files(upload.id, FileStage.SENDING) or not waiting:
            account = replace(account, closed=None)  # transfers that run are completed first, or nothing is left
        notice = notice_of(summary, upload, account, hindrances)
        starts_at = self._supervisor.processing.starts_at(project)
        return upload_status(summary, upload, project, self._progress(upload, moment), notice, hold, starts_at)

    def _progress(self, upload: UploadRecord, moment: Moment) -> UploadProgress:
        progress = self._context.progress
        # Front ends are not notified when a rate expires: while no transfer runs, it is 0.
        meter = progress.meters.get(upload.id) if progress.running else None
        return UploadProgress(
            sent=moment.sent.get(upload.id, 0),
            rate=0.0 if meter is None else meter.rate(self._context.clocks.monotonic()),
            eta=moment.etas.get(upload.id),
            active_seconds=self._supervisor.monitor.active_seconds(upload.id),
            moving=moment.moving.get(upload.id, 0),
        )

    def _hindrances(self, upload: UploadRecord, project: ProjectRecord) -> Hindrances:
        context, sender = self._context, self._supervisor.sender
        disk = sender.silent_disk(upload.id) or self._supervisor.checker.silent_disk(project.id)
        return Hindrances(
            fault=fault_of(context.faults.current, upload, project),
            storage=context.storage.notice(project.id),
            registration=context.obstacles.get(project.id),
            deferred=context.unfinished.deferred_in(upload.id),
            silent_disk=None if disk is None else disk.point,
            postponed=sender.postponed_in(upload.id),
        )

    def _account_state(self, project: ProjectRecord) -> AccountState:
        bandwidth = self._context.governor.state
        closed, closed_by = closed_notice(bandwidth), Hold.BUDGET if bandwidth.used_up else Hold.LIMIT
        signed_in = self._context.account_of(project)
        if signed_in is None:
            return AccountState(project.account, closed=closed, closed_by=closed_by)
        return AccountState(
            project.account, True, signed_in.link.link, signed_in.needs_person, closed, closed_by=closed_by
        )

    # -------------------------------------------------------------------------------------------------- files

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        if query.offset < 0 or not 0 < query.limit <= _LARGEST_WINDOW:
            raise UsageError(f"A window of files has 1 to {_LARGEST_WINDOW:,} rows, and an offset of 0 or more.")
        if query.fold < 0:
            raise UsageError("The number of files before a fold is 0 or more.")
        unfolded = _statuses(query.unfolded)
        found = await self._context.journal.read(lambda connection: windows.window(connection, upload, query, unfolded))
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
        return await self._context.journal.read(lambda connection: windows.matching_runs(connection, upload, query))

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
                pause=(max(0.0, pause[0] - context.clocks.monotonic()), pause[1]) if pause else None,
            )
            return file_hold(row, upload, account, situation)

        return tuple(file_item(row, facts, hold(row), window.originals, sent) for row, facts in window.rows)

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
        return upload, self._account_state(project), situation


def _statuses(text: str) -> frozenset[FileStatus]:
    """Raises UsageError."""
    try:
        return frozenset(FileStatus(each) for each in text.split(",") if each)
    except ValueError:
        known = ", ".join(FileStatus)
        raise UsageError(f"'{printable(text, 200)}' is no list of statuses. These are: {known}.") from None

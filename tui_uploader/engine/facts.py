"""Gathers the facts behind the status of uploads; `status` computes the values from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tui_uploader.engine.bandwidth.policy import closed_notice
from tui_uploader.engine.journal.records import ProjectRecord, UploadRecord
from tui_uploader.engine.pipeline.process import start_is_due, with_standing_reason
from tui_uploader.engine.status.eta import time_left
from tui_uploader.engine.status.holds import account_hold, held
from tui_uploader.engine.status.notices import AccountState, Hindrances, fault_of, notice_of
from tui_uploader.engine.status.snapshot import UploadProgress, bytes_left, upload_status
from tui_uploader.engine.supervisor import Supervisor
from tui_uploader.model.files import Hold
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import EtaRange, UploadStatus


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


class FactGatherer:
    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._context = supervisor.context

    def project(self, project: int) -> ProjectRecord:
        return with_standing_reason(self._context.summary.projects[project], self._context.summary)

    def moment(self) -> Moment:
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
            if summary.busy(upload) and account_hold(self.account_state(self._project_of(upload))) is None
        }
        return Moment(sent, progress.moving(), left, time_left(sharing, likely, outlook))

    def _project_of(self, upload: int) -> ProjectRecord:
        return self._context.summary.projects[self._context.summary.uploads[upload].project]

    def upload_status(self, upload: UploadRecord, moment: Moment) -> UploadStatus:
        summary = self._context.summary
        project = self.project(upload.project)
        account, hindrances = self.account_state(project), self._hindrances(upload, project)
        hold = held(summary, upload, account, hindrances, moment.moving)
        waiting = summary.files(upload.id, FileStage.FOUND, FileStage.READY)
        if summary.files(upload.id, FileStage.SENDING) or not waiting:
            account = replace(account, closed=None)  # transfers that run are completed first, or nothing is left
        notice = notice_of(summary, upload, account, hindrances)
        starts_at = self._supervisor.processing.starts_at(project) or self._starts_after_quiet(upload, project)
        return upload_status(summary, upload, project, self._progress(upload, moment), notice, hold, starts_at)

    def _starts_after_quiet(self, upload: UploadRecord, project: ProjectRecord) -> float | None:
        """When processing starts, if the upload of a watched folder only waits for more images; None: otherwise."""
        summary = self._context.summary
        waits = upload.state is UploadState.ACTIVE and not summary.busy(upload.id)
        if not waits or summary.files(upload.id, FileStage.FAILED) or not start_is_due(summary, project, upload.id):
            return None
        return self._context.quiet.ends_at(upload.id)

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

    def account_state(self, project: ProjectRecord) -> AccountState:
        bandwidth = self._context.governor.state
        closed, closed_by = closed_notice(bandwidth), Hold.BUDGET if bandwidth.used_up else Hold.LIMIT
        signed_in = self._context.account_of(project)
        if signed_in is None:
            return AccountState(project.account, closed=closed, closed_by=closed_by)
        return AccountState(
            project.account, True, signed_in.link.link, signed_in.needs_person, closed, closed_by=closed_by
        )

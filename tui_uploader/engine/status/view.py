"""Gathers, for the pure functions of `status`, what they need of the engine's supervisor."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from tui_uploader.engine.accounts.accounts import SignedIn
from tui_uploader.engine.bandwidth.policy import closed_notice
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord, ProjectRecord, UploadRecord
from tui_uploader.engine.monitor import Monitor
from tui_uploader.engine.pipeline.process import with_standing_reason
from tui_uploader.engine.pipeline.send import Sender
from tui_uploader.engine.status.snapshot import (
    Motion,
    Way,
    fault_of,
    file_item,
    overall_link,
    project_value,
    resting_notice,
    silent_disk_notice,
    upload_status,
    waiting_reason,
    with_hindrance,
)
from tui_uploader.errors import NoSuchUpload, Remedy, UploaderError
from tui_uploader.model import EngineStatus, FileItem, FileStage, Link, Project, UploadState, UploadStatus


class View:
    """What front ends see of the engine."""

    def __init__(self, context: EngineContext, sender: Sender, monitor: Monitor, version: str) -> None:
        self._context = context
        self._sender = sender
        self._monitor = monitor
        self._version = version
        self._since = context.clocks.wall()

    def engine(self) -> EngineStatus:
        """Dismissed uploads are not part of it."""
        context, now = self._context, self._context.clocks.monotonic()
        sent = context.progress.sent_of_uploads()
        return EngineStatus(
            version=self._version,
            pid=os.getpid(),
            since=self._since,
            link=overall_link([signed_in.link.link for signed_in in context.accounts.all]),
            streams=context.progress.running,
            rate=round(context.progress.meter.rate(now)) if context.progress.running else 0,
            uploads=tuple(
                self._upload(upload, sent.get(upload.id, 0), now)
                for upload in context.summary.uploads.values()
                if not upload.dismissed
            ),
            bandwidth=context.governor.state,
        )

    def upload(self, upload: int) -> UploadStatus:
        """Raises NoSuchUpload."""
        found = self._context.summary.upload(upload)
        if found is None:
            raise NoSuchUpload(f"There is no upload {upload}. `tui-uploader status` lists them.")
        sent = self._context.progress.sent_of_uploads().get(upload, 0)
        return self._upload(found, sent, self._context.clocks.monotonic())

    def project(self, project: int) -> Project:
        return project_value(self._context.summary, self._project_row(project))

    def projects(self) -> tuple[Project, ...]:
        return tuple(self.project(project) for project in self._context.summary.projects)

    def files(self, rows: Sequence[FileRecord], originals: Mapping[int, str]) -> tuple[FileItem, ...]:
        sent = self._context.progress.sent_of_files()
        now = self._context.clocks.monotonic()
        being_written = {file: (each.until, each.reason) for file, each in self._context.unfinished.deferred.items()}
        resting = being_written | self._sender.failures.postponed
        items = []
        for row in rows:
            upload = self._context.summary.upload(row.upload)
            assert upload is not None, "an upload with files stays"
            way = self._way(self._context.summary.projects[row.project])
            rest = resting.get(row.id) or self._context.storage.rest(row.project)
            left = (max(0.0, rest[0] - now), rest[1]) if rest else None
            reason = waiting_reason(row, upload, way, left)
            if row.stage is FileStage.STORED and (obstacle := self._context.obstacles.get(row.project)):
                reason = f"stored, not registered: {obstacle.message}"
            if row.stage in (FileStage.FOUND, FileStage.READY) and self._context.sources.hangs(row.path):
                reason = "the memory card or disk that it lies on does not answer"
            items.append(file_item(row, reason, originals, sent))
        return tuple(items)

    def _upload(self, upload: UploadRecord, sent: int, now: float) -> UploadStatus:
        # Nothing tells a front end when a rate has run out: while nothing moves, there is none.
        meter = self._context.progress.meters.get(upload.id) if self._context.progress.running else None
        motion = Motion(
            sent=sent,
            rate=meter.rate(now) if meter else 0.0,
            eta=meter.eta if meter else lambda left: None,
            active_seconds=self._monitor.active_seconds(upload.id),
        )
        project = self._project_row(upload.project)
        fault = fault_of(self._context.faults.current, upload, project)
        way = self._way(project)
        summary = self._context.summary
        still_sending = summary.files(upload.id, FileStage.SENDING)
        if still_sending or not summary.files(upload.id, FileStage.FOUND, FileStage.READY):
            way = replace(way, closed=None)  # what it may send gets to its end first, or all is sent
        status = upload_status(self._context.summary, upload, project, way, motion, fault)
        if summary.busy(upload.id):
            status = with_hindrance(status, self._context.storage.notice(project.id))
        if summary.files(upload.id, FileStage.STORED):
            status = with_hindrance(status, self._context.obstacles.get(project.id))
        checks = upload.state in (UploadState.PREPARING, UploadState.ACTIVE) and summary.files(
            upload.id, FileStage.FOUND
        )
        if checks and status.notice is None and (rests := self._context.unfinished.deferred_in(upload.id)):
            status = msgspec.structs.replace(status, notice=resting_notice(rests))
        disk = self._sender.silent_disk(upload.id)
        if disk is not None and status.notice is None and summary.busy(upload.id):
            status = msgspec.structs.replace(status, notice=silent_disk_notice(disk.point))
        return status

    def _project_row(self, project: int) -> ProjectRecord:
        return with_standing_reason(self._context.summary.projects[project], self._context.summary)

    def _way(self, project: ProjectRecord) -> Way:
        signed_in = self._context.account_of(project)
        return Way(
            signed_in=signed_in is not None,
            link=signed_in.link.link if signed_in else Link(),
            problem=_problem_of(signed_in) if signed_in else None,
            account=project.account,
            closed=closed_notice(self._context.governor.state),
        )


def _problem_of(signed_in: SignedIn) -> UploaderError | None:
    """What only a person can mend: a refused login, or a link that nobody may trust."""
    trouble = signed_in.link.trouble
    distrusted = signed_in.link.down and trouble is not None and trouble.remedy is Remedy.PERSON
    return trouble if distrusted else signed_in.problem

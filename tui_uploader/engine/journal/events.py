"""Derives events of the history from the changes of each commit: pure, but for the additions that are under way.

Written in the transaction of the change, so that neither is kept without the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui_uploader.engine.journal.records import NOTHING, UNFINISHED, ProjectRecord, Tally, UploadRecord, processing_of
from tui_uploader.engine.journal.summary import Commit, Summary
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStage, UploadState

_STOPPED = (UploadState.PAUSED, UploadState.CANCELLED)


def events_of(commit: Commit) -> Iterator[PastEvent]:
    """The events of uploads and projects that changed; without a time and a number."""
    for number in sorted(commit.uploads):
        before, after = commit.before.upload(number), commit.after.upload(number)
        if before is not None and after is not None:
            yield from _upload_events(before, after, commit.after)
    for number in sorted(commit.projects):
        earlier, later = commit.before.projects.get(number), commit.after.projects.get(number)
        if later is not None:
            yield from _project_events(earlier, later)


def settled(commit: Commit) -> list[int]:
    """Uploads that have nothing left to do since this commit."""
    return [upload for upload in sorted(commit.uploads) if commit.before.busy(upload) and not commit.after.busy(upload)]


def _upload_events(before: UploadRecord, after: UploadRecord, summary: Summary) -> Iterator[PastEvent]:
    if after.past and not before.state.ended:
        return  # its only addition was undone
    notice = after.notice if after.notice != before.notice else None
    if after.state is not before.state:
        if after.state is UploadState.COMPLETE:
            yield _of_upload(EventKind.COMPLETE, after, summary, FileStage.REGISTERED)
        elif after.state is UploadState.PAUSED:
            yield _of_upload(EventKind.PAUSED, after, summary, *UNFINISHED, detail=notice or "")
        elif after.state is UploadState.CANCELLED:
            yield _of_upload(EventKind.CANCELLED, after, summary, *UNFINISHED)
        elif after.state is UploadState.ACTIVE and before.state in _STOPPED:
            yield _of_upload(EventKind.RESUMED, after, summary, *UNFINISHED)
    elif notice is not None:
        yield _of_upload(EventKind.PROBLEM, after, summary, detail=notice)
    if after.walk_reason is not None and after.walk_reason != before.walk_reason:
        yield _of_upload(EventKind.PROBLEM, after, summary, detail=after.walk_reason)
    if after.dismissed and not before.dismissed:
        yield _of_upload(EventKind.DISMISSED, after, summary)


def _of_upload(
    kind: EventKind, upload: UploadRecord, summary: Summary, *stages: FileStage, detail: str = ""
) -> PastEvent:
    project = summary.projects[upload.project]
    files, size = summary.files(upload.id, *stages), summary.bytes(upload.id, *stages)
    return PastEvent(0, 0.0, kind, upload.id, project.name, project.account, files, size, detail=detail)


def _project_events(before: ProjectRecord | None, after: ProjectRecord) -> Iterator[PastEvent]:
    if before is None:
        return  # it was found at the service, or is still to be created there
    if before.remote_id is None and after.remote_id is not None and after.made_here:
        yield _of_project(EventKind.PROJECT_CREATED, after)
    if after.started_at is not None and after.started_at != before.started_at:
        yield _of_project(EventKind.PROCESSING_REQUESTED, after)
    followed = after.started_at is not None or before.processing.running
    if followed and after.processing is not before.processing:
        if after.processing is ProcessingState.DONE:
            yield _of_project(EventKind.PROCESSING_DONE, after)
        elif after.processing is ProcessingState.FAILED:
            yield _of_project(EventKind.PROCESSING_FAILED, after)


def _of_project(kind: EventKind, project: ProjectRecord) -> PastEvent:
    files = project.processed_images or project.start_images or 0
    processing = None if kind is EventKind.PROJECT_CREATED else processing_of(project)
    detail = (project.reason or "") if kind is EventKind.PROCESSING_FAILED else ""
    return PastEvent(0, 0.0, kind, None, project.name, project.account, files, detail=detail, processing=processing)


@dataclass(frozen=True, slots=True)
class _Addition:
    before: Tally
    """All files of the upload before their walk began."""
    paths: str


class Additions:
    """Walks that are under way: their files are one event when they end."""

    def __init__(self, summary: Summary) -> None:
        self._under_way: dict[int, _Addition] = {
            upload.id: _Addition(_all_files(summary, upload.id), "")
            for upload in summary.uploads.values()
            if upload.unscanned
        }

    def begun(self, commit: Commit) -> Iterable[int]:
        """The uploads of the commit to which files or paths are added, and that `note` does not know."""
        for number in commit.uploads:
            after = commit.after.upload(number)
            grew = _all_files(commit.after, number) != _all_files(commit.before, number)
            if after is not None and number not in self._under_way and (after.unscanned or grew):
                yield number

    def note(self, commit: Commit, number: int, paths: str) -> None:
        """`paths`: what is added to the upload."""
        self._under_way[number] = _Addition(_all_files(commit.before, number), paths)

    def ended(self, commit: Commit) -> Iterator[PastEvent]:
        """Forget the walks that ended, and return what they found."""
        for number in sorted(commit.uploads & self._under_way.keys()):
            after = commit.after.upload(number)
            if after is not None and after.unscanned > after.failed_walks:
                continue
            addition, found = self._under_way[number], _all_files(commit.after, number)
            if after is None or not after.unscanned:
                del self._under_way[number]
            else:  # the walk of a missing card is repeated
                self._under_way[number] = _Addition(found, addition.paths)
            files, size = found.files - addition.before.files, found.bytes - addition.before.bytes
            if after is not None and files > 0:
                project = commit.after.projects[after.project]
                yield PastEvent(
                    0,
                    0.0,
                    EventKind.ADDED,
                    number,
                    project.name,
                    project.account,
                    files,
                    max(0, size),
                    detail=addition.paths,
                )


def _all_files(summary: Summary, upload: int) -> Tally:
    tallies = summary.tallies.get(upload, {})
    found = [tallies.get(stage, NOTHING) for stage in FileStage]
    return Tally(sum(tally.files for tally in found), sum(tally.bytes for tally in found))

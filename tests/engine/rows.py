"""Rows of a journal, for tests of pure functions."""

from __future__ import annotations

from dataclasses import replace

from tui_uploader.engine.journal.records import FileRecord, ProjectRecord, Tally, UploadRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.model.projects import ProcessingState, ProjectKind
from tui_uploader.model.states import FileStage, UploadState

PROJECT = ProjectRecord(
    id=1,
    account="id@cloud",
    remote_id="77",
    name="Quarry",
    kind=ProjectKind.IMAGES,
    made_here=True,
    make_asked_at=None,
    make_before="",
    web_address=None,
    processing=ProcessingState.NOT_STARTED,
    word=None,
    waiting_seconds=None,
    processing_seconds=None,
    reason=None,
    start_asked_at=None,
    start_word=None,
    start_images=None,
    started_at=None,
)

UPLOAD = UploadRecord(
    id=1,
    project=1,
    state=UploadState.ACTIVE,
    auto_process=True,
    added_at=0.0,
    active_seconds=0.0,
    dismissed=False,
    notice_kind=None,
    notice=None,
    unscanned=0,
    skipped=0,
)

FILE = FileRecord(
    id=1,
    upload=1,
    project=1,
    path="/card/DJI_0001.JPG",
    size=100,
    mtime_ns=1,
    inode=1,
    stage=FileStage.READY,
    identity="a" * 32,
    crc32=1,
    object="DJI_0001.JPG",
    duplicate_of=None,
    error=None,
    reason=None,
    etag=None,
    multipart=None,
    part_size=None,
    register_asked=False,
)


def summary(
    *uploads: tuple[UploadState, dict[FileStage, int]], project: ProjectRecord = PROJECT, auto_process: bool = True
) -> Summary:
    """A summary with uploads in these states, and files of 100 bytes by stage."""
    rows = {
        number: replace(UPLOAD, id=number, state=state, auto_process=auto_process)
        for number, (state, _) in enumerate(uploads, start=1)
    }
    tallies = {
        number: {stage: Tally(files, files * 100) for stage, files in stages.items()}
        for number, (_, stages) in enumerate(uploads, start=1)
    }
    return Summary.of({project.id: project}, rows, tallies)
